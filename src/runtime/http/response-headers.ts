import { randomUUID } from 'node:crypto'
import cors from 'cors'
import type { RequestHandler } from 'express'
import type { Config } from '../../config.ts'

/** Makes browsers use TLS for a year (RFC 6797 §6.1); undefined where PUBLIC_URL is not an https URL. */
export function transportSecurity(publicUrl: string): string | undefined {
  return publicUrl.startsWith('https:') ? 'max-age=31536000' : undefined
}

/** Sets the headers of every response, errors included: the link to the documentation, `Vary`, the request id and security. */
export function responseHeaders({ publicUrl, corsOrigins }: Pick<Config, 'publicUrl' | 'corsOrigins'>): RequestHandler {
  const setCorsHeaders = crossOrigin(corsOrigins)
  const link = `<${publicUrl}/docs.jsonld>; rel="http://www.w3.org/ns/hydra/core#apiDocumentation"`
  const transport = transportSecurity(publicUrl)
  return (request, response, next) => {
    const id = request.headers['x-request-id']
    response.setHeader('Link', link)
    response.setHeader('Vary', 'Accept, Accept-Encoding, Authorization, Origin')
    response.setHeader('X-Request-Id', typeof id === 'string' && /^[\w.-]{1,64}$/.test(id) ? id : randomUUID())
    response.setHeader('X-Content-Type-Options', 'nosniff')
    response.setHeader('Content-Security-Policy', "default-src 'none'; frame-ancestors 'none'")
    if (transport) response.setHeader('Strict-Transport-Security', transport)
    setCorsHeaders(request, response, next)
  }
}

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
]

/** Allows pages of other origins to call the API and to read its responses (Fetch standard, §3.3). */
function crossOrigin(corsOrigins: Config['corsOrigins']): RequestHandler {
  return cors({
    origin: corsOrigins,
    methods: ['GET', 'HEAD', 'POST', 'PATCH', 'DELETE', 'OPTIONS'],
    allowedHeaders: requestHeaders,
    exposedHeaders,
    maxAge: 600,
    preflightContinue: true,
  })
}
