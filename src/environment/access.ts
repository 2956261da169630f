import { hostOf, isLoopback } from '../start/loopback.ts'
import type { Variables } from './variables.ts'

/** This API as a client of the provider (OpenID Connect): people then sign in with a browser. */
export interface OpenIdClient {
  id: string
  /** Undefined for a public client. */
  secret: string | undefined
}

/** The provider whose tokens are accepted instead of the server's own. */
export interface Auth {
  issuer: string
  audience: string
  jwksUrl: string
  /** Undefined where no page of this server leads to the provider. */
  client?: OpenIdClient
}

export function readAuth(variables: Variables): Auth | undefined {
  const issuer = variables.text('AUTH_ISSUER')
  const audience = variables.text('AUTH_AUDIENCE')
  const jwksText = variables.text('AUTH_JWKS_URL')
  const jwksUrl = jwksText && variables.url('AUTH_JWKS_URL', jwksText, 'https://login.example/jwks.json')
  const names = ['AUTH_ISSUER', 'AUTH_AUDIENCE', 'AUTH_JWKS_URL']
  const complete = variables.allOrNone(names, "the server's own tokens are for development only.")
  const client = readClient(variables, issuer)
  return complete && issuer && audience && jwksUrl
    ? { issuer, audience, jwksUrl, ...(client && { client }) }
    : undefined
}

/** The provider is discovered at its issuer (OpenID Connect Discovery §4), which must be a URL then. */
function readClient(variables: Variables, issuer: string | undefined): OpenIdClient | undefined {
  const [id, secret] = [variables.text('AUTH_CLIENT_ID'), variables.text('AUTH_CLIENT_SECRET')]
  if (!id && secret) return variables.addError('AUTH_CLIENT_ID must be set when AUTH_CLIENT_SECRET is set.')
  if (!id) return undefined
  if (!issuer) return variables.addError('AUTH_ISSUER must be set when AUTH_CLIENT_ID is set.')
  const url = variables.url('AUTH_ISSUER', issuer, 'https://login.example')
  if (url?.startsWith('http:') && !isLoopback(hostOf(new URL(url))))
    variables.addError('AUTH_ISSUER must be an https URL when AUTH_CLIENT_ID is set.')
  return { id, secret }
}
