import type { Response } from 'express'
import type { Api } from './api.ts'
import type { Call } from './call.ts'
import { Page, viewOf } from './collection.ts'
import { etagOf, noneMatch } from './conditional.ts'
import { type Outcome, Unchanged } from './operation.ts'
import { ConstraintViolation, type Problem } from './problem.ts'

const jsonld = 'application/ld+json; charset=utf-8'

/** What is answered, before it is written in the format that the client wants. */
export interface Answer {
  status: number
  headers: Record<string, string>
  /** The JSON-LD document; none with 204. */
  document?: Record<string, unknown>
  /** Of an item: what its validator starts with. */
  version?: number
}

/** Makes an answer of what a handler gave back: the one place that knows statuses and documents. */
export function compose(call: Call, outcome: Outcome<object>): Answer {
  if (outcome === undefined) return { status: 204, headers: {} }
  const unchanged = outcome instanceof Unchanged
  const result = unchanged ? outcome.entity : outcome
  if (result instanceof Page) return { status: 200, headers: {}, document: collectionOf(call, result) }
  const { method } = call.operation
  const bound = call.api.of(result.constructor as never)
  const document = bound.serialize(result, call.caller, { '@context': `/contexts/${bound.shape.name}` })
  const iri = document['@id'] as string
  const made = method === 'POST' && !unchanged
  return {
    status: made ? 201 : 200,
    headers: { ...(method !== 'GET' && { 'Content-Location': iri }), ...(made && { Location: iri }) },
    document,
    version: (result as { version?: number }).version,
  }
}

/** Writes an answer, with its validator. */
export function write({ status, headers, document, version }: Answer, response: Response): void {
  for (const name in headers) response.setHeader(name, headers[name])
  if (!document) {
    response.writeHead(status).end()
    return
  }
  const body = JSON.stringify(document)
  send(response, status, jsonld, body, etagOf(body, version))
}

/** Writes a document that needs no handler: contexts, documentation, entrypoint. */
export function send(response: Response, status: number, type: string, body: string, etag: string): void {
  response.setHeader('ETag', etag)
  const { req } = response
  if ((req.method === 'GET' || req.method === 'HEAD') && !noneMatch(req.headers['if-none-match'], etag)) {
    response.writeHead(304).end()
    return
  }
  response.statusCode = status
  response.setHeader('Content-Type', type)
  response.setHeader('Content-Length', Buffer.byteLength(body))
  response.end(req.method === 'HEAD' ? undefined : body)
}

/** Writes a problem as RFC 9457 has it, readable as JSON-LD through the Link to its context. */
export function refuse(api: Api, problem: Problem, response: Response): void {
  if (response.headersSent) {
    response.destroy()
    return
  }
  const { status, title, message } = problem
  const violated = problem instanceof ConstraintViolation
  const body = api.spell({
    '@context': '/contexts/Error',
    '@id': `/errors/${status}`,
    '@type': violated ? 'ConstraintViolation' : 'Error',
    type: `/errors/${status}`,
    title,
    status,
    detail: message,
    description: message,
    ...(violated && { violations: problem.violations }),
  })
  response.appendHeader(
    'Link',
    '</contexts/Error>; rel="http://www.w3.org/ns/json-ld#context"; type="application/ld+json"',
  )
  response.setHeader('Cache-Control', 'no-store')
  response.removeHeader('ETag')
  for (const [name, value] of Object.entries(problem.headers)) response.setHeader(name, value)
  response.writeHead(status, { 'Content-Type': 'application/problem+json; charset=utf-8' })
  response.end(response.req.method === 'HEAD' ? undefined : JSON.stringify(body))
}

function collectionOf(call: Call, page: Page): Record<string, unknown> {
  const { api, caller } = call
  const { serialize, shape } = api.of(page.of)
  return api.spell({
    '@context': `/contexts/${shape.name}`,
    '@id': call.path,
    '@type': 'Collection',
    totalItems: page.total,
    member: page.entities.map((entity) => serialize(entity, caller)),
    view: api.spell(viewOf(call.path, call.query, call.paging, page.total)),
  })
}
