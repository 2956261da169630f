import type { Variables } from './variables.ts'

/** Whose tokens are good, when not the server's own. */
export interface Auth {
  issuer: string
  audience: string
  jwksUrl: string
}

export function readAuth(variables: Variables): Auth | undefined {
  const issuer = variables.text('AUTH_ISSUER')
  const audience = variables.text('AUTH_AUDIENCE')
  const given = variables.text('AUTH_JWKS_URL')
  const jwksUrl = given && variables.url('AUTH_JWKS_URL', given, 'https://login.example/jwks.json')
  const names = ['AUTH_ISSUER', 'AUTH_AUDIENCE', 'AUTH_JWKS_URL']
  const complete = variables.allOrNone(names, 'tokens of our own are for development only.')
  return complete && issuer && audience && jwksUrl ? { issuer, audience, jwksUrl } : undefined
}
