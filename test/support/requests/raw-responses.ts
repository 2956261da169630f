import { request } from 'node:http'
import { openWorld } from '../world.ts'

const { publicUrl } = await openWorld()

/** An answer as it came over the wire. */
export interface Answer {
  status: number
  headers: Record<string, string | string[] | undefined>
  text: string
}

/** An answer with its body in its content coding. */
export interface RawAnswer extends Answer {
  bytes: Buffer
}

const documentation = `<${publicUrl}/docs.jsonld>; rel="http://www.w3.org/ns/hydra/core#apiDocumentation", <${publicUrl}/.well-known/mercure>; rel="mercure"`
const context = `<${publicUrl}/contexts/Error>; rel="http://www.w3.org/ns/json-ld#context"; type="application/ld+json"`

/** The `Link` header of every response, and of every problem. */
export const links = { documentation, problem: `${documentation}, ${context}` }

/** Requests a path exactly as given: no client normalizes it first. */
export function raw(
  method: string,
  path: string,
  headers: Record<string, string> = {},
  body?: string | Buffer,
): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(publicUrl)
    const length = body !== undefined && !headers['Transfer-Encoding'] && { 'Content-Length': Buffer.byteLength(body) }
    const all = { ...headers, ...length }
    const sent = request({ hostname, port, method, path, headers: all, agent: false }, (response) => {
      const pieces: Buffer[] = []
      response.on('data', (piece) => pieces.push(piece))
      response.on('end', () => {
        const bytes = Buffer.concat(pieces)
        resolve({ status: response.statusCode as number, headers: response.headers, text: bytes.toString(), bytes })
      })
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

/** Checks an answer against all that WIRE says of errors, and that it gives nothing of the insides away. */
export function expectProblem(answer: Answer, ...statuses: number[]): Record<string, unknown> {
  const { status, headers, text } = answer
  expect(statuses.includes(status) ? '' : `${status}: ${text}`).toBe('')
  expect(headers.link).toBe(links.problem)
  expect(headers['content-type']).toBe('application/problem+json; charset=utf-8')
  expect(headers['x-powered-by']).toBeUndefined()
  expect(headers['access-control-allow-origin']).toBe('*')
  expect(text).not.toMatch(/\bat \S+ \(|node_modules|\.ts\b|SELECT|INSERT|UPDATE |QueryFailed/)
  const body = JSON.parse(text)
  const keys = ['@context', '@id', '@type', 'type', 'title', 'status', 'detail', 'description']
  expect(Object.keys(body)).toEqual(status === 422 ? [...keys, 'violations'] : keys)
  expect(body).toMatchObject({
    '@context': '/contexts/Error',
    '@id': `/errors/${status}`,
    '@type': status === 422 ? 'ConstraintViolation' : 'Error',
    type: `/errors/${status}`,
    status,
    description: body.detail,
  })
  for (const violation of body.violations ?? [])
    expect(violation).toEqual({
      propertyPath: expect.any(String),
      message: expect.any(String),
      code: expect.any(String),
    })
  return body
}
