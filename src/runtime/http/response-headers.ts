import { randomUUID } from 'node:crypto'
import cors from 'cors'
import type { RequestHandler } from 'express'
import type { Config } from '../../config.ts'

/** Browsers ask over TLS alone for a year (RFC 6797 §6.1); undefined where PUBLIC_URL is not of https. */
export function transportSecurity(publicUrl: string): string | undefined {
  return publicUrl.startsWith('https:') ? 'max-age=31536000' : undefined
}

/** What every answer says, errors included: where the documentation is, what it varies by, how safe it is to show. */
export function responseHeaders({ publicUrl, corsOrigins }: Pick<Config, 'publicUrl' | 'corsOrigins'>): RequestHandler {
  const share = crossOrigin(corsOrigins)
  const link = `<${publicUrl}/docs.jsonld>; rel="http://www.w3.org/ns/hydra/core#apiDocumentation"`
  const transport = transportSecurity(publicUrl)
  return (request, response, next) => {
    const given = request.headers['x-request-id']
    response.setHeader('Link', link)
    response.setHeader('Vary', 'Accept, Authorization, Origin')
    response.setHeader('X-Request-Id', typeof given === 'string' && /^[\w.-]{1,64}$/.test(given) ? given : randomUUID())
    response.setHeader('X-Content-Type-Options', 'nosniff')
    response.setHeader('Content-Security-Policy', "default-src 'none'; frame-ancestors 'none'")
    if (transport) response.setHeader('Strict-Transport-Security', transport)
    share(request, response, next)
  }
}

/** Headers of requests that a page of another origin may send beside those that any page may. */
const taken = [
  'Content-Type',
  'Content-Encoding',
  'Authorization',
  'If-Match',
  'If-None-Match',
  'Idempotency-Key',
  'Prefer',
  'X-Request-Id',
]

/** Headers of answers that such a page may read. */
const told = [
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

/** Which pages of other origins may call, and what they may read (Fetch standard, §3.3). */
function crossOrigin(corsOrigins: Config['corsOrigins']): RequestHandler {
  return cors({
    origin: corsOrigins,
    methods: ['GET', 'HEAD', 'POST', 'PATCH', 'DELETE', 'OPTIONS'],
    allowedHeaders: taken,
    exposedHeaders: told,
    maxAge: 600,
    preflightContinue: true,
  })
}
