import type { Response } from 'express'
import { html } from '../../formats/format.ts'
import type { Operation } from '../../model/operation.ts'
import type { Problem } from '../../model/problem.ts'
import { viewOfForm } from '../page-view.ts'
import type { ApiRequest } from '../request.ts'
import type { RequestCall } from '../request-call.ts'
import type { ApiResponse } from '../response.ts'
import { representPage, sendRepresentation, showsSecretOnce, write } from '../write-response.ts'

/** Draws a refused form again with the values that were typed. */
export async function redraw(
  call: RequestCall,
  response: Response,
  refused: { fields: URLSearchParams; problem?: Problem },
): Promise<void> {
  const { status, headers } = refused.problem ?? { status: 200, headers: {} as Record<string, string> }
  const page = await representPage(call.api, await viewOfForm(call, refused), response)
  response.setHeader('Cache-Control', 'no-store')
  for (const name in headers) response.setHeader(name, headers[name])
  return sendRepresentation(response, status, page)
}

/** Redirects to the page of the result (303), so that a reload does not send the form again. */
export async function finishForm(call: RequestCall, result: ApiResponse, response: Response): Promise<void> {
  const { api, bound, operation, request } = call
  const location = result.headers['Content-Location'] ?? result.headers.Location
  if (result.status === 202 && location) {
    response.setHeader('Refresh', `${result.headers['Retry-After']}; url=${withLanguage(location, request)}`)
    return write(call, result, html, response)
  }
  if (operation.enters) return enter(call, response)
  // A secret, or a result without a page of its own, is shown once.
  if (result.document && (!location || showsSecretOnce(operation))) return write(call, result, html, response)
  const { resource } = bound
  const item = request.id === undefined ? resource.path : `${resource.path}/${encodeURIComponent(request.id)}`
  const after = operation.method === 'DELETE' ? resource.path : item
  const isRead = resource.operations.some((one) => isReadAt(one, after, resource.path))
  redirect(call, response, location ?? api.iris.at(isRead ? after : '/'))
}

/** Lets the session act for the tenant that the operation has led to, and shows its start page. */
async function enter(call: RequestCall, response: Response): Promise<void> {
  const { api, request } = call
  const tenant = request.answeredAs?.tenant
  if (tenant) await api.options.forms?.actFor(response.req, tenant)
  redirect(call, response, api.iris.at('/'))
}

function redirect({ request }: RequestCall, response: Response, path: string): void {
  response.writeHead(303, { Location: withLanguage(path, request), 'Cache-Control': 'no-store' }).end()
}

const isReadAt = ({ method, path }: Operation, target: string, collection: string) =>
  method === 'GET' && path === (target === collection ? '' : '/:id')

function withLanguage(path: string, { query }: ApiRequest): string {
  const language = query.get('lang')
  return language ? `${path}?lang=${encodeURIComponent(language)}` : path
}
