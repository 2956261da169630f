import type { ServerResponse } from 'node:http'
import type { Config } from '../../config.ts'

const methods = ['GET', 'HEAD', 'POST', 'PATCH', 'DELETE', 'OPTIONS']

/** Request headers that a page of another origin may send, beyond the safelisted ones. */
const requestHeaders = [
  'Content-Type',
  'Content-Encoding',
  'Authorization',
  'If-Match',
  'If-None-Match',
  'Idempotency-Key',
  'Prefer',
  'X-Request-Id',
  'Last-Event-ID',
]

/** Response headers that such a page may read. */
const exposedHeaders = [
  'Link',
  'Location',
  'ETag',
  'Retry-After',
  'X-Request-Id',
  'RateLimit',
  'RateLimit-Policy',
  'Content-Location',
  'Allow',
  'Accept-Post',
  'Accept-Patch',
  'Accept-Encoding',
  'Preference-Applied',
  'Idempotent-Replayed',
  'WWW-Authenticate',
  'Repr-Digest',
  'Last-Event-ID',
  'Deprecation',
  'Sunset',
]

/** Lets pages of other origins read responses (Fetch standard, §3.3.3). Each response has these headers. */
export function readableHeaders(corsOrigins: Config['corsOrigins']): Record<string, string> {
  return {
    'Access-Control-Expose-Headers': exposedHeaders.join(),
    ...(corsOrigins === '*' && { 'Access-Control-Allow-Origin': '*' }),
  }
}

/** Lets such pages send requests: the headers of a response to OPTIONS. */
export const preflightHeaders: ReadonlyMap<string, string> = new Map([
  ['Access-Control-Allow-Methods', methods.join()],
  ['Access-Control-Allow-Headers', requestHeaders.join()],
  ['Access-Control-Max-Age', '600'],
])

/** Allows the origin of a request where CORS_ORIGINS lists it. */
export function allowOrigin(response: ServerResponse, origin: string, corsOrigins: Config['corsOrigins']): void {
  if (corsOrigins.includes(origin)) response.setHeader('Access-Control-Allow-Origin', origin)
}
