import type { Request, Response } from 'express'
import { formFields } from '../formats/form-fields.ts'
import { html } from '../formats/format.ts'
import { bodyOfForm } from '../input/form-body.ts'
import { readUpload } from '../input/multipart.ts'
import { readBytes } from '../input/read-bytes.ts'
import type { Caller } from '../model/caller.ts'
import type { Operation } from '../model/operation.ts'
import { Problem } from '../model/problem.ts'
import { type AccessControl, authenticate, type SensitiveOperation } from './authenticate.ts'
import { authorize } from './authorize.ts'
import type { BoundApi, BoundResource } from './bound-api.ts'
import { runCall } from './idempotency/idempotency.ts'
import { viewOfForm } from './page-view.ts'
import { ApiRequest } from './request.ts'
import { RequestCall } from './request-call.ts'
import type { ApiResponse } from './response.ts'
import { representPage, sendRepresentation, write } from './write-response.ts'

/** The names of the fields that every form of a page can have, beside those of the operation. */
export const formNames = {
  /** The form token of the session. */
  token: '_token',
  /** PATCH or DELETE, which HTML forms cannot send. */
  method: '_method',
  /** The ETag of the item that was edited, as If-Match. */
  etag: '_if-match',
  /** The Idempotency-Key of a POST: a form that is sent twice runs once. */
  key: '_key',
  /** Asks for the choices of a reference instead of the operation. */
  search: '_search',
}

const limit = 256 * 1024

/** The most fields of a form. */
const maxFields = 2000

/** A form that a page has sent: the method that it stands for, and its fields. */
export interface SubmittedForm {
  method: string
  fields: URLSearchParams
}

type Admit = (token: string | null | undefined) => Promise<Caller>

type FormRequest = [
  request: Request,
  response: Response,
  id: string | undefined,
  form: SubmittedForm,
  sensitive: SensitiveOperation | undefined,
]

/** Reads the fields of a form that a page has sent. An upload is read later, by its operation. */
export async function receiveForm(request: Request, response: Response): Promise<SubmittedForm> {
  const type = request.headers['content-type']?.split(';')[0].trim().toLowerCase()
  if (type === 'multipart/form-data') return { method: 'POST', fields: new URLSearchParams() }
  const tooLarge = () => new Problem(413, `The form is too large. The limit is ${limit / 1024} kB.`)
  const fields = new URLSearchParams((await readBytes(request, response, { limit, tooLarge })).toString('utf8'))
  if (fields.size > maxFields) throw new Problem(400, `The form has ${fields.size} fields. The limit is ${maxFields}.`)
  const method = fields.get(formNames.method) ?? 'POST'
  if (!['POST', 'PATCH', 'DELETE'].includes(method))
    throw new Problem(400, `The form asks for "${method.slice(0, 20)}". It can ask for POST, PATCH or DELETE.`)
  return { method, fields }
}

/** The hidden fields of a form as the headers that they stand for, as if a program had sent JSON. */
function setHeaders({ headers }: Request, { method, fields }: SubmittedForm): void {
  const [etag, key] = [fields.get(formNames.etag), fields.get(formNames.key)]
  headers['content-type'] = 'application/json'
  if (etag) headers['if-match'] = etag
  if (key && method === 'POST') headers['idempotency-key'] = key
}

/** Serves forms for one operation: the very same operation as for a JSON body, answered for a person. */
export function formEndpoint(
  api: BoundApi,
  bound: BoundResource,
  operation: Operation,
  access: AccessControl,
): (...parts: FormRequest) => Promise<void> {
  const { expects, file } = operation
  const shape = expects === 'self' ? bound.shape : expects && expects !== 'file' && api.shape(expects)

  async function receive(request: Request, response: Response, form: SubmittedForm, admit: Admit) {
    const { fields } = form
    if (!file) {
      const caller = await admit(fields.get(formNames.token))
      setHeaders(request, form)
      const accepted = shape ? formFields(api, shape, operation, caller.role) : []
      return {
        caller,
        bytes: shape
          ? Buffer.from(JSON.stringify(bodyOfForm(accepted, fields, operation.method === 'PATCH')))
          : undefined,
      }
    }
    let caller: Caller | undefined
    // The form token stands before the file, so the server reads no file without a session.
    const bytes = await readUpload(request, response, file.limit, async (sent) => {
      caller = await admit(sent.get(formNames.token))
    })
    return { caller: caller as Caller, file: await file.read(bytes) }
  }

  return async (request, response, id, form, sensitive) => {
    const admit: Admit = async (token) => {
      api.options.forms?.requireForm(request, token)
      const caller = await authenticate(access, request, response, sensitive)
      authorize(api, operation, caller)
      return caller
    }
    const { publicUrl } = api.iris
    try {
      if (form.fields.has(formNames.search)) {
        const caller = await admit(form.fields.get(formNames.token))
        const asked = new ApiRequest({ id, request, caller, publicUrl })
        return await redraw(new RequestCall(api, bound, operation, caller, asked), response, form)
      }
      const received = await receive(request, response, form, admit)
      const call = new RequestCall(
        api,
        bound,
        operation,
        received.caller,
        new ApiRequest({ id, request, publicUrl, ...received }),
      )
      await finishForm(call, await runCall(call), response)
    } catch (error) {
      const problem = api.problemOf(error)
      if (!problem || !isCorrectable(problem)) throw error
      const caller = await access.authenticate(request)
      const asked = new ApiRequest({ id, request, caller, publicUrl })
      await redraw(new RequestCall(api, bound, operation, caller, asked), response, { fields: form.fields, problem })
    }
  }
}

/** Whether a person can send the form again with success: with other values, with the present state, or later. */
const isCorrectable = ({ status }: Problem) => [400, 409, 412, 413, 415, 422, 429, 503].includes(status)

/** Draws a refused form again with the values that were typed. */
async function redraw(
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
async function finishForm(call: RequestCall, result: ApiResponse, response: Response): Promise<void> {
  const { api, bound, operation, request } = call
  const location = result.headers['Content-Location'] ?? result.headers.Location
  if (result.status === 202 && location) {
    response.setHeader('Refresh', `${result.headers['Retry-After']}; url=${withLanguage(location, request)}`)
    return write(call, result, html, response)
  }
  // A result without a page of its own, such as a secret, is shown once.
  if (result.document && !location) return write(call, result, html, response)
  const { resource } = bound
  const item = request.id === undefined ? resource.path : `${resource.path}/${encodeURIComponent(request.id)}`
  const after = operation.method === 'DELETE' ? resource.path : item
  const path =
    location ?? api.iris.at(resource.operations.some((one) => isReadAt(one, after, resource.path)) ? after : '/')
  response.writeHead(303, { Location: withLanguage(path, request), 'Cache-Control': 'no-store' }).end()
}

const isReadAt = ({ method, path }: Operation, target: string, collection: string) =>
  method === 'GET' && path === (target === collection ? '' : '/:id')

function withLanguage(path: string, { query }: ApiRequest): string {
  const language = query.get('lang')
  return language ? `${path}?lang=${encodeURIComponent(language)}` : path
}
