import type { Response } from 'express'
import type { Problem } from '../model/problem.ts'
import type { BoundApi } from './bound-api.ts'

/** Writes a problem as RFC 9457 defines it; the Link to its context makes it readable as JSON-LD. */
export function writeProblem(api: BoundApi, problem: Problem, response: Response): void {
  if (response.headersSent) {
    response.destroy()
    return
  }
  const body = JSON.stringify(api.spell(problem.document(api.iris.root)))
  response.appendHeader(
    'Link',
    `<${api.iris.publicUrl}/contexts/Error>; rel="http://www.w3.org/ns/json-ld#context"; type="application/ld+json"`,
  )
  response.setHeader('Cache-Control', 'no-store')
  for (const name of ['ETag', 'Repr-Digest']) response.removeHeader(name)
  for (const [name, value] of Object.entries(problem.headers)) response.setHeader(name, value)
  response.setHeader('Content-Length', Buffer.byteLength(body))
  response.writeHead(problem.status, { 'Content-Type': 'application/problem+json; charset=utf-8' })
  response.end(response.req.method === 'HEAD' ? undefined : body)
}
