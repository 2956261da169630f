import type { Response } from 'express'
import type { Api } from '../api.ts'
import type { Problem } from '../model/problem.ts'

/** Writes a problem as RFC 9457 defines it; the Link to its context makes it readable as JSON-LD. */
export function writeProblem(api: Api, problem: Problem, response: Response): void {
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
