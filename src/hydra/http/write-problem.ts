import type { Response } from 'express'
import { contentType, html, json, jsonld } from '../formats/format.ts'
import type { Problem } from '../model/problem.ts'
import type { BoundApi } from './bound-api.ts'
import { compress } from './compression.ts'
import { codingOf } from './headers/content-coding.ts'
import { preferred } from './headers/negotiation.ts'
import { ApiRequest } from './request.ts'

const problemJson = 'application/problem+json; charset=utf-8'

/** The formats of problems for programs, in front of pages: a wildcard asks for no page. */
const offered = [jsonld, json, { ...json, type: 'application/problem+json' }, html]

/** Whether a client prefers a page to a problem in JSON. */
export function prefersPage(accept: string | undefined): boolean {
  return accept !== undefined && /text\/html/i.test(accept) && preferred(accept, offered) === html
}

/**
 * Writes a problem as RFC 9457 defines it; the Link to its context makes it readable as JSON-LD. Clients that prefer HTML get it
 * as a page.
 */
export async function writeProblem(api: BoundApi, problem: Problem, response: Response): Promise<void> {
  if (response.headersSent) {
    response.destroy()
    return
  }
  const pages = prefersPage(response.req.headers.accept) ? api.pages : undefined
  const type = pages ? contentType(html) : problemJson
  const body = pages
    ? await pages.drawProblem(problem, requestOf(api, response), {
        method: response.req.method,
        caller: response.locals.caller,
        requestId: response.getHeader('X-Request-Id')?.toString(),
      })
    : JSON.stringify(api.spell(problem.document(api.iris.root)))
  // It depends on the Cache-Control of the operation, which is replaced below.
  const coding = codingOf(response, type, body)
  const bytes = coding ? await compress(body, coding) : body
  response.appendHeader(
    'Link',
    `<${api.iris.publicUrl}/contexts/Error>; rel="http://www.w3.org/ns/json-ld#context"; type="application/ld+json"`,
  )
  response.setHeader('Cache-Control', 'no-store')
  for (const name of ['ETag', 'Repr-Digest']) response.removeHeader(name)
  if (pages) {
    response.vary('Accept-Language')
    response.setHeaders(new Map(Object.entries(pages.headers)))
  }
  for (const [name, value] of Object.entries(problem.headers)) response.setHeader(name, value)
  if (coding) response.setHeader('Content-Encoding', coding)
  response.setHeader('Content-Length', Buffer.byteLength(bytes))
  response.writeHead(problem.status, { 'Content-Type': type })
  response.end(response.req.method === 'HEAD' ? undefined : bytes)
}

/** The request of a problem, whose caller may be unknown. */
function requestOf({ roles, iris: { publicUrl } }: BoundApi, { req: request }: Response): ApiRequest {
  const caller = { role: roles.anonymous, user: null, tenant: null }
  return new ApiRequest({ id: undefined, request, caller, publicUrl })
}
