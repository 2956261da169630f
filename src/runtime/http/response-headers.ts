import { randomUUID } from 'node:crypto'
import type { RequestHandler } from 'express'
import type { Config } from '../../config.ts'
import { allowOrigin, preflightHeaders, readableHeaders } from './cross-origin.ts'

type HeaderConfig = Pick<Config, 'publicUrl' | 'corsOrigins'>

/** Makes browsers use TLS for a year (RFC 6797 §6.1); undefined where PUBLIC_URL is not an https URL. */
export function transportSecurity(publicUrl: string): string | undefined {
  return publicUrl.startsWith('https:') ? 'max-age=31536000' : undefined
}

/** The links of every response: to the documentation (Hydra Core, §5.2) and to the stream of changes (Mercure, §3). */
export function linksOf(publicUrl: string): string {
  return [
    `<${publicUrl}/docs.jsonld>; rel="http://www.w3.org/ns/hydra/core#apiDocumentation"`,
    `<${publicUrl}/.well-known/mercure>; rel="mercure"`,
  ].join(', ')
}

/** The headers that every response of the app has, errors included. */
export function constantHeaders({ publicUrl, corsOrigins }: HeaderConfig): Record<string, string> {
  const transport = transportSecurity(publicUrl)
  return {
    Link: linksOf(publicUrl),
    Vary: 'Accept, Accept-Encoding, Authorization, Cookie, Origin',
    'X-Content-Type-Options': 'nosniff',
    'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
    ...(transport && { 'Strict-Transport-Security': transport }),
    ...readableHeaders(corsOrigins),
  }
}

/** Sets the headers of every response that depend on its request: the request id, and the permissions of other origins. */
export function responseHeaders({ corsOrigins }: Pick<HeaderConfig, 'corsOrigins'>): RequestHandler {
  return ({ headers, method }, response, next) => {
    const id = headers['x-request-id']
    response.setHeader('X-Request-Id', typeof id === 'string' && /^[\w.-]{1,64}$/.test(id) ? id : randomUUID())
    if (corsOrigins !== '*' && headers.origin !== undefined) allowOrigin(response, headers.origin, corsOrigins)
    if (method === 'OPTIONS') response.setHeaders(preflightHeaders as Map<string, string>)
    next()
  }
}
