import type { Response } from 'express'
import { withMembers, withTail } from '../formats/collection-tail.ts'
import { contentType, type Document, type Format, html, json, jsonld, type WriteOptions } from '../formats/format.ts'
import type { Pages, PageView } from '../formats/html.ts'
import type { Operation } from '../model/operation.ts'
import { Problem } from '../model/problem.ts'
import type { BoundApi } from './bound-api.ts'
import { type Constant, compress, contentOf } from './compression.ts'
import { etagIn, etagOf, satisfiesIfMatch, satisfiesIfNoneMatch } from './headers/conditional-request.ts'
import { codingOf } from './headers/content-coding.ts'
import { prefersMinimal } from './headers/preferences.ts'
import { viewOfResponse } from './page-view.ts'
import type { RequestCall } from './request-call.ts'
import type { ApiResponse } from './response.ts'

/** A document in one of its formats, ready to send (RFC 9110 §3.2). */
export interface Representation {
  type: string
  body: string | Buffer | Constant
  etag: string
  links: string[]
  headers: Record<string, string>
}

/** The body of a response, with its media type and its ETag. */
interface Content {
  type: string
  body: string | Buffer | Constant
  etag: string
}

/** Writes a response in the negotiated format. */
export async function write(call: RequestCall, result: ApiResponse, format: Format, response: Response): Promise<void> {
  const { status, headers, document, tail, version } = result
  const whole = showsSecretOnce(call.operation)
  const converted = document && format !== jsonld ? await convert(call, result, format, response) : undefined
  for (const name in headers) response.setHeader(name, headers[name])
  if (result.limited) response.appendHeader('Preference-Applied', 'count=limited')
  if (converted) return sendRepresentation(response, status, converted, whole)
  if (!document) {
    response.writeHead(status).end()
    return
  }
  const text = jsonOf(document, result)
  const etag = etagOf(text + (tail?.digest ?? ''), version)
  requireMatchingState(response, etag)
  await finish(
    response,
    status,
    { type: 'application/ld+json; charset=utf-8', body: withTail(text, tail), etag },
    whole,
  )
}

/** A secret that is shown once is never left out: a server may ignore a preference (RFC 7240 §2). */
export function showsSecretOnce({ secrets }: Pick<Operation, 'secrets'>): boolean {
  return secrets !== undefined && !secrets.renew
}

/** The JSON of a document without its tail. */
function jsonOf(document: Document, { members }: ApiResponse): string {
  const text = JSON.stringify(document)
  return members === undefined ? text : withMembers(text, members)
}

/** Writes a document in a format; the ETag belongs to this representation alone, though it starts with the version. */
export async function represent(
  api: BoundApi,
  document: Document,
  format: Format,
  version?: number,
  options?: WriteOptions,
): Promise<Representation & { body: string }> {
  return representation(api, document, format, await format.write(document, api, options), version)
}

function representation(api: BoundApi, document: Document, format: Format, body: string, version?: number) {
  const type = contentType(format)
  return {
    type,
    body,
    etag: etagOf(format === jsonld ? body : `${type}\n${body}`, version),
    links: format.links?.(document, api) ?? [],
    headers: format.headers ?? {},
  }
}

/** Draws a view as a page. It depends on the caller and its languages, so no shared cache may store it. */
export async function representPage(
  { pages }: Pick<BoundApi, 'pages'>,
  view: PageView,
  response: Response,
  version?: number,
): Promise<Representation> {
  const { draw, headers } = pages as Pages
  const type = contentType(html)
  // A page is encoded once: for its ETag, its length and its bytes.
  const body = Buffer.from(await draw(view))
  response.vary('Accept-Language')
  if (`${response.getHeader('Cache-Control')}`.startsWith('public'))
    response.setHeader('Cache-Control', 'private, no-cache')
  return { type, body, etag: etagOf(body, version), links: [], headers }
}

/** @param whole whether a client that prefers no body gets it, too */
export async function sendRepresentation(
  response: Response,
  status: number,
  representation: Representation,
  whole = false,
): Promise<void> {
  const { etag, links, headers } = representation
  requireMatchingState(response, etag)
  for (const name in headers) response.setHeader(name, headers[name])
  for (const link of links) response.appendHeader('Link', link)
  return finish(response, status, representation, whole)
}

/** A change is already committed when its document cannot be converted: the response is JSON-LD then. */
async function convert(
  call: RequestCall,
  result: ApiResponse,
  format: Format,
  response: Response,
): Promise<Representation | undefined> {
  const { method } = response.req
  const {
    api,
    request: { share },
  } = call
  const { tail, version, properties, members } = result
  const document = result.document as Document
  if (members !== undefined)
    return representation(api, document, json, withTail(jsonOf(document, result), tail), version)
  try {
    if (format === html) return await representPage(api, viewOfResponse(call, result), response, version)
    return await represent(api, { ...document, ...tail?.properties }, format, version, { share, properties })
  } catch (error) {
    if (method === 'GET' || method === 'HEAD') throw error
  }
}

/** Sends a body that no handler made, too: an image, a page. */
export async function send(
  response: Response,
  status: number,
  type: string,
  body: string | Buffer | Constant,
  etag: string,
): Promise<void> {
  requireMatchingState(response, etag)
  return finish(response, status, { type, body, etag })
}

const isRead = ({ req: { method } }: Response) => method === 'GET' || method === 'HEAD'

/** @throws Problem 412 when If-Match of a GET names another state than the present one (RFC 9110 §13.2.2) */
function requireMatchingState(response: Response, etag: string): void {
  if (satisfiesIfMatch(response.req.headers['if-match'], etag) || !isRead(response)) return
  throw new Problem(
    412,
    'The resource is in another state than If-Match names: leave If-Match out to read the present state.',
  )
}

async function finish(response: Response, status: number, { type, body, etag }: Content, whole = false): Promise<void> {
  const { req } = response
  const constant = typeof body === 'object' && 'text' in body ? body : undefined
  const plain = constant ? constant.text : (body as string | Buffer)
  const coding = codingOf(response, type, plain)
  const coded = etagIn(coding, etag)
  response.setHeader('ETag', coded)
  const content = constant && (await contentOf(constant, coding))
  if (content) response.setHeader('Repr-Digest', content.digest)
  if (isRead(response) && !satisfiesIfNoneMatch(req.headers['if-none-match'], coded)) {
    response.writeHead(304).end()
    return
  }
  if (!whole && finishMinimal(status, response, etag)) return
  const bytes = content?.bytes ?? (coding ? await compress(plain, coding) : plain)
  response.statusCode = status
  response.setHeader('Content-Type', type)
  if (coding) response.setHeader('Content-Encoding', coding)
  response.setHeader('Content-Length', Buffer.byteLength(bytes))
  response.end(req.method === 'HEAD' ? undefined : bytes)
}

/** Leaves out the document of a change when the client prefers `return=minimal` (RFC 7240 §4.2). */
function finishMinimal(status: number, response: Response, etag: string): boolean {
  const { method, headers } = response.req
  if ((method !== 'POST' && method !== 'PATCH') || !prefersMinimal(headers)) return false
  response.setHeader('ETag', etag)
  response.appendHeader('Preference-Applied', 'return=minimal')
  response.vary('Prefer')
  response.statusCode = status === 200 ? 204 : status
  response.end()
  return true
}
