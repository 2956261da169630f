import { hash } from 'node:crypto'
import { errors, type JWTPayload, jwtVerify } from 'jose'
import { isEmailAddress } from '../../entities/email-address.ts'
import { normalizeLine } from '../../entities/single-line.ts'
import { Problem } from '../hydra/index.ts'
import { KeysUnavailable } from './key-set.ts'
import type { Issuer } from './token-issuer-keys.ts'

/** The claims of a token. Membership and role always come from the database, never from claims. */
export interface BearerToken {
  issuer: string
  subject: string
  tenant: string | undefined
  name: string | undefined
  email: string | undefined
  /** Seconds since 1970. */
  issuedAt: number | undefined
  /** Seconds since 1970. */
  expiresAt: number
}

const maxTokenLength = 8192
const maxCachedTokens = 10_000

/** The issuer's clock may be ahead by this much. */
const clockSkewSeconds = 60

/** Verifies bearer tokens (RFC 6750, RFC 8725). A result is cached by the token's hash until the token expires or keys are reloaded. */
export function tokenVerifier({
  issuer,
  audience,
  keys,
  maxLifetime,
}: Issuer): (token: string) => Promise<BearerToken> {
  const known = new Map<string, { bearer: BearerToken; until: number; keys: number }>()
  return async (token) => {
    if (!keys.fresh) await keys.refresh().catch(throwUnauthorized)
    const digest = hash('sha256', token, 'base64url')
    const found = known.get(digest)
    if (found && found.keys === keys.loadedAt && found.until > Date.now()) return found.bearer
    known.delete(digest)
    if (token.length > maxTokenLength) throw unauthorized(`The token has more than ${maxTokenLength} characters.`)
    const { payload } = await jwtVerify(token, keys.find, {
      issuer,
      audience,
      algorithms: ['RS256', 'ES256', 'EdDSA'],
      requiredClaims: ['sub', 'exp'],
      clockTolerance: clockSkewSeconds,
    }).catch(throwUnauthorized)
    requireLifetime(payload, maxLifetime)
    const bearer = bearerOf(payload)
    if (known.size >= maxCachedTokens) known.delete(known.keys().next().value as string)
    known.set(digest, { bearer, until: bearer.expiresAt * 1000, keys: keys.loadedAt })
    return bearer
  }
}

/** jose applies the clock skew to `exp`, too; a token must not outlive it, nor the configured lifetime. */
function requireLifetime({ exp = 0, iat }: JWTPayload, maxLifetime: number): void {
  const now = Date.now() / 1000
  if (exp <= now) throw unauthorized('The token has expired.')
  if (iat !== undefined && iat > now + clockSkewSeconds)
    throw unauthorized('The token was issued in the future: correct the clock of its issuer.')
  const lifetime = exp - Math.min(iat ?? now, now)
  if (lifetime > maxLifetime)
    throw unauthorized(
      `The token is valid for ${Math.ceil(lifetime)} seconds; the limit is ${maxLifetime}. Request a token with a shorter lifetime.`,
    )
}

/** The token of an Authorization header; undefined without a header. */
export function bearerToken(header: string | undefined): string | undefined {
  if (header === undefined) return undefined
  const [, token] = /^Bearer +([\w\-.~+/]+=*)$/i.exec(header) ?? []
  if (!token) throw unauthorized('The Authorization header must be "Bearer", a space and a token.')
  return token
}

function bearerOf(payload: JWTPayload): BearerToken {
  const text = (name: string) => {
    const value = payload[name]
    return typeof value === 'string' &&
      value !== '' &&
      value.length <= 255 &&
      value.isWellFormed() &&
      !value.includes('\0')
      ? value
      : undefined
  }
  const [issuer, subject] = [text('iss'), text('sub')]
  if (!issuer || !subject) throw unauthorized('The token must have the claims "iss" and "sub".')
  return {
    issuer,
    subject,
    tenant: text('organization'),
    ...profileOf(payload),
    issuedAt: payload.iat,
    expiresAt: payload.exp as number,
  }
}

/** The name and address in a token's claims (OpenID Connect Core §5.1). Invalid values are ignored. */
function profileOf({ name, email, email_verified }: JWTPayload): Pick<BearerToken, 'name' | 'email'> {
  return { name: readName(name), email: email_verified !== false && isEmailAddress(email) ? email : undefined }
}

function readName(claim: unknown): string | undefined {
  if (typeof claim !== 'string' || claim.length > 255 || !claim.isWellFormed()) return undefined
  const name = normalizeLine(claim)
  return name === '' || name.length > 255 || /\p{Cc}/u.test(name) ? undefined : name
}

function throwUnauthorized(error: unknown): never {
  if (error instanceof errors.JWTExpired) throw unauthorized('The token has expired.')
  if (error instanceof KeysUnavailable)
    throw new Problem(503, 'The keys of the token issuer cannot be loaded: try again in a few seconds.', {
      'Retry-After': '5',
    })
  throw unauthorized('The token is invalid: check its issuer, audience, signature and claims.')
}

export function unauthorized(detail: string): Problem {
  return new Problem(401, detail, {
    'WWW-Authenticate': `Bearer error="invalid_token", error_description="${detail.replaceAll('"', "'")}"`,
  })
}
