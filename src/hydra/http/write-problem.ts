import type { Response } from 'express'
import type { Problem } from '../model/problem.ts'
import type { BoundApi } from './bound-api.ts'
import { compress } from './compression.ts'
import { codingOf } from './headers/content-coding.ts'

const type = 'application/problem+json; charset=utf-8'

/** Writes a problem as RFC 9457 defines it; the Link to its context makes it readable as JSON-LD. */
export async function writeProblem(api: BoundApi, problem: Problem, response: Response): Promise<void> {
  if (response.headersSent) {
    response.destroy()
    return
  }
  const body = JSON.stringify(api.spell(problem.document(api.iris.root)))
  // It depends on the Cache-Control of the operation, which is replaced below.
  const coding = codingOf(response, type, body)
  const bytes = coding ? await compress(body, coding) : body
  response.appendHeader(
    'Link',
    `<${api.iris.publicUrl}/contexts/Error>; rel="http://www.w3.org/ns/json-ld#context"; type="application/ld+json"`,
  )
  response.setHeader('Cache-Control', 'no-store')
  for (const name of ['ETag', 'Repr-Digest']) response.removeHeader(name)
  for (const [name, value] of Object.entries(problem.headers)) response.setHeader(name, value)
  if (coding) response.setHeader('Content-Encoding', coding)
  response.setHeader('Content-Length', Buffer.byteLength(bytes))
  response.writeHead(problem.status, { 'Content-Type': type })
  response.end(response.req.method === 'HEAD' ? undefined : bytes)
}
