import type { RequestHandler } from 'express'
import type { OwnIssuer } from './keys.ts'

/** The keys that the server's own tokens are signed with (RFC 7517). */
export function jwks({ jwks }: OwnIssuer): RequestHandler {
  const body = JSON.stringify(jwks)
  return (_, response) => {
    response.set('Cache-Control', 'public, max-age=300').type('application/jwk-set+json').send(body)
  }
}
