import { type Text, url } from './reading.ts'

/** Whose tokens are good, when not the server's own. */
export interface Auth {
  issuer: string
  audience: string
  jwksUrl: string
}

export function auth(text: Text, production: boolean): Auth | undefined {
  const [issuer, audience, jwksUrl] = [text('AUTH_ISSUER'), text('AUTH_AUDIENCE'), text('AUTH_JWKS_URL')]
  if (issuer && audience && jwksUrl) return { issuer, audience, jwksUrl: url('AUTH_JWKS_URL', jwksUrl) }
  if (issuer || audience || jwksUrl)
    throw new Error('AUTH_ISSUER, AUTH_AUDIENCE and AUTH_JWKS_URL are set together or not at all.')
  if (production)
    throw new Error(
      'AUTH_ISSUER, AUTH_AUDIENCE and AUTH_JWKS_URL must be set in production: tokens of our own are for development only.',
    )
  return undefined
}
