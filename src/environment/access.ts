import type { Variables } from './variables.ts'

/** The provider whose tokens are accepted instead of the server's own. */
export interface Auth {
  issuer: string
  audience: string
  jwksUrl: string
}

export function readAuth(variables: Variables): Auth | undefined {
  const issuer = variables.text('AUTH_ISSUER')
  const audience = variables.text('AUTH_AUDIENCE')
  const jwksText = variables.text('AUTH_JWKS_URL')
  const jwksUrl = jwksText && variables.url('AUTH_JWKS_URL', jwksText, 'https://login.example/jwks.json')
  const names = ['AUTH_ISSUER', 'AUTH_AUDIENCE', 'AUTH_JWKS_URL']
  const complete = variables.allOrNone(names, "the server's own tokens are for development only.")
  return complete && issuer && audience && jwksUrl ? { issuer, audience, jwksUrl } : undefined
}
