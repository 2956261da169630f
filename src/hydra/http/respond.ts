import type { Response } from 'express'
import type { Api } from '../api.ts'
import { type CollectionTail, collectionTail, withTail } from '../formats/collection-tail.ts'
import { contentType, type Desired, type Document, type Format, jsonld } from '../formats/format.ts'
import type { FairShare } from '../model/fair-share.ts'
import { Accepted, type Outcome, Unchanged } from '../model/operation.ts'
import { Problem } from '../model/problem.ts'
import { Page, viewOf } from '../query/pagination.ts'
import { isSelection, type Search, sparse, sparseOf, templateAt } from '../query/search.ts'
import { etagOf, isMatch, isNotModified } from './conditional-request.ts'
import { prefersMinimal } from './preferences.ts'
import type { Call } from './request-call.ts'

/** What is answered, before it is written in the format that the client wants. */
export interface ApiResponse {
  status: number
  headers: Record<string, string>
  /** The JSON-LD document; none with 204. */
  document?: Document
  /** Of a collection: what its document ends with. */
  ending?: CollectionTail
  /** Of a collection: the properties of its members that were asked for; all when absent. */
  properties?: Set<string>
  /** Of a collection: whether its total is the most that is counted. */
  limited?: boolean
  /** Of an item: what its validator starts with. */
  version?: number
}

/** Makes an answer of what a handler gave back: the one place that knows statuses and documents. */
export function compose(call: Call, outcome: Outcome<object>): ApiResponse {
  if (outcome === undefined) return { status: 204, headers: {} }
  const accepted = outcome instanceof Accepted ? outcome : undefined
  const unchanged = outcome instanceof Unchanged
  const result = unchanged || accepted ? (outcome as Unchanged<object>).entity : outcome
  const { query, strict } = call.request
  if (result instanceof Page) {
    const { limited } = result.found
    const properties = sparseOf(query, call.api.shape(result.of), strict)
    const document = collectionOf(call, result, properties)
    return { status: 200, headers: {}, document, ending: endingOf(call, result), properties, limited }
  }
  const { method } = call.operation
  if (method === 'GET' && strict) refuseParameters(query)
  const bound = call.api.of(result.constructor as never)
  const whole = bound.serialize(result, call.caller, {
    '@context': call.api.at(`/contexts/${bound.shape.name}`),
  })
  const document = method === 'GET' ? sparse(whole, sparseOf(query, bound.shape, strict)) : whole
  const iri = document['@id'] as string
  const isReadable = method !== 'GET' && call.api.reads(bound.resource, result, call.caller)
  const made = method === 'POST' && !unchanged && !accepted
  return {
    status: accepted ? 202 : made ? 201 : 200,
    headers: {
      ...(isReadable && { 'Content-Location': iri }),
      ...(made && isReadable && { Location: iri }),
      ...(accepted && { 'Retry-After': `${accepted.seconds}` }),
    },
    document,
    version: (result as { version?: number }).version,
  }
}

/** An item takes no other parameter than the properties that are wanted of it. */
function refuseParameters(query: URLSearchParams): void {
  const unknown = [...new Set(query.keys())].filter((name) => !isSelection(name))
  if (unknown.length > 0)
    throw new Problem(400, `An item has no parameter ${unknown.map((name) => `"${name.slice(0, 100)}"`).join(', ')}.`)
}

/** A document in one of its formats, ready to be sent. */
export interface Written {
  type: string
  body: string
  etag: string
  links: string[]
  headers: Record<string, string>
}

/** Writes an answer in the format that was chosen for it. */
export async function write(
  api: Api,
  answer: ApiResponse,
  format: Format,
  response: Response,
  share: () => FairShare,
): Promise<void> {
  const { status, headers, document, version } = answer
  const written = document && format !== jsonld ? await translated(api, answer, format, response, share()) : undefined
  for (const name in headers) response.setHeader(name, headers[name])
  if (answer.limited) response.appendHeader('Preference-Applied', 'count=limited')
  if (written) return deliver(response, status, written)
  if (!document) {
    response.writeHead(status).end()
    return
  }
  const json = JSON.stringify(document)
  const etag = etagOf(json + (answer.ending?.digest ?? ''), version)
  send(response, status, 'application/ld+json; charset=utf-8', withTail(json, answer.ending), etag)
}

/** Puts a document into a format; the validator is of this representation alone, though it starts with the version. */
export async function setHeaders(
  api: Api,
  document: Document,
  format: Format,
  version?: number,
  wish?: Desired,
): Promise<Written> {
  const type = contentType(format)
  const body = await format.write(document, api, wish)
  return {
    type,
    body,
    etag: etagOf(format === jsonld ? body : `${type}\n${body}`, version),
    links: format.links?.(document, api) ?? [],
    headers: format.headers ?? {},
  }
}

/** Sends what was put into a format. */
export function deliver(response: Response, status: number, { type, body, etag, links, headers }: Written): void {
  requireState(response, etag)
  for (const name in headers) response.setHeader(name, headers[name])
  for (const link of links) response.appendHeader('Link', link)
  finish(response, status, type, body, etag)
}

/** What has been done is told in JSON-LD rather than not at all. */
async function translated(
  api: Api,
  { document, ending, version, properties }: ApiResponse,
  format: Format,
  { req }: Response,
  share: FairShare,
): Promise<Written | undefined> {
  try {
    return await setHeaders(api, { ...document, ...ending?.properties }, format, version, { share, properties })
  } catch (error) {
    if (req.method === 'GET' || req.method === 'HEAD') throw error
  }
}

/** Writes what needs no handler, too: images, pages. */
export function send(response: Response, status: number, type: string, body: string | Buffer, etag: string): void {
  requireState(response, etag)
  finish(response, status, type, body, etag)
}

const isRead = ({ req: { method } }: Response) => method === 'GET' || method === 'HEAD'

/** @throws Problem 412 when a GET is for another state than the present one (RFC 9110 §13.2.2). */
function requireState(response: Response, etag: string): void {
  if (isMatch(response.req.headers['if-match'], etag) || !isRead(response)) return
  throw new Problem(412, 'The resource is in another state than If-Match names: leave If-Match out to read that.')
}

function finish(response: Response, status: number, type: string, body: string | Buffer, etag: string): void {
  response.setHeader('ETag', etag)
  const { req } = response
  if (isRead(response) && !isNotModified(req.headers['if-none-match'], etag)) {
    response.writeHead(304).end()
    return
  }
  if (leaveOut(status, response)) return
  response.statusCode = status
  response.setHeader('Content-Type', type)
  response.setHeader('Content-Length', Buffer.byteLength(body))
  response.end(req.method === 'HEAD' ? undefined : body)
}

/** Leaves out a document of what was written when the client has no use for it (RFC 7240 §4.2). */
function leaveOut(status: number, response: Response): boolean {
  const { method, headers } = response.req
  if ((method !== 'POST' && method !== 'PATCH') || !prefersMinimal(headers)) return false
  response.appendHeader('Preference-Applied', 'return=minimal')
  response.vary('Prefer')
  response.statusCode = status === 200 ? 204 : status
  response.end()
  return true
}

/** Writes a problem as RFC 9457 has it, readable as JSON-LD through the Link to its context. */
export function refuse(api: Api, problem: Problem, response: Response): void {
  if (response.headersSent) {
    response.destroy()
    return
  }
  const body = JSON.stringify(api.spell(problem.document(api.root)))
  response.appendHeader(
    'Link',
    `<${api.settings.publicUrl}/contexts/Error>; rel="http://www.w3.org/ns/json-ld#context"; type="application/ld+json"`,
  )
  response.setHeader('Cache-Control', 'no-store')
  for (const name of ['ETag', 'Repr-Digest']) response.removeHeader(name)
  for (const [name, value] of Object.entries(problem.headers)) response.setHeader(name, value)
  response.setHeader('Content-Length', Buffer.byteLength(body))
  response.writeHead(problem.status, { 'Content-Type': 'application/problem+json; charset=utf-8' })
  response.end(response.req.method === 'HEAD' ? undefined : body)
}

function collectionOf(call: Call, page: Page, wanted: Set<string> | undefined): Record<string, unknown> {
  const { api, caller } = call
  const { request } = call
  const { path, query } = request
  const { resource, serialize, shape } = api.of(page.of)
  return api.spell({
    '@context': api.at(`/contexts/${shape.name}`),
    '@id': api.at(path),
    '@type': 'Collection',
    totalItems: page.found.total,
    member: page.found.entities.map((entity) => sparse(serialize(entity, caller), wanted)),
    view: api.spell(viewOf(api.at(request.alike(path)), query, page, resource.options)),
  })
}

/** A collection within another's path names that path in its search; the others end as they always do. */
function endingOf({ api, caller: { role }, request: { path } }: Call, { of }: Page): CollectionTail {
  const { resource, searches, endings } = api.of(of)
  const ending = endings.get(role) as CollectionTail
  if (path === resource.path) return ending
  const own = api.spell({ search: templateAt(api.root, path, searches.get(role) as Search, resource) })
  return collectionTail({ ...ending.properties, ...own })
}
