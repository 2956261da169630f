import type { Response } from 'express'
import type { Api } from './api.ts'
import type { Call } from './call.ts'
import { Page, viewOf } from './collection.ts'
import { etagOf, noneMatch } from './conditional.ts'
import { type Outcome, Unchanged } from './operation.ts'
import { ConstraintViolation, type Problem } from './problem.ts'

const jsonld = 'application/ld+json; charset=utf-8'

/** Writes what a handler gave back: the one place that knows statuses, bodies and validators. */
export async function respond(call: Call, outcome: Outcome<object>, response: Response): Promise<void> {
  if (outcome === undefined) {
    response.writeHead(204).end()
    return
  }
  const unchanged = outcome instanceof Unchanged
  const result = unchanged ? outcome.entity : outcome
  if (result instanceof Page) return sendPage(call, result, response)
  const bound = call.api.of(result.constructor as never)
  const node = bound.serialize(result, call.caller, { '@context': `/contexts/${bound.shape.name}` })
  const body = JSON.stringify(node)
  const made = call.operation.method === 'POST' && !unchanged
  if (call.operation.method !== 'GET') response.setHeader('Content-Location', node['@id'] as string)
  if (made) response.setHeader('Location', node['@id'] as string)
  send(response, made ? 201 : 200, jsonld, body, etagOf(body, (result as { version?: number }).version))
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

function sendPage(call: Call, page: Page, response: Response): void {
  const { api, caller } = call
  const { serialize, shape } = api.of(page.of)
  const body = JSON.stringify(
    api.spell({
      '@context': `/contexts/${shape.name}`,
      '@id': call.path,
      '@type': 'Collection',
      totalItems: page.total,
      member: page.entities.map((entity) => serialize(entity, caller)),
      view: api.spell(viewOf(call.path, call.query, call.paging, page.total)),
    }),
  )
  send(response, 200, jsonld, body, etagOf(body))
}
