import type { RequestHandler } from 'express'
import type { OwnIssuer } from './token-issuer-keys.ts'

/** The public keys of the server's own tokens (RFC 7517). */
export function jwks(issuer: OwnIssuer): RequestHandler {
  return async (_, response) => {
    const body = JSON.stringify(await issuer.published())
    response.set('Cache-Control', 'public, max-age=60').type('application/jwk-set+json').send(body)
  }
}
