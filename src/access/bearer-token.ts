import { hash } from 'node:crypto'
import { errors, type JWTPayload, jwtVerify } from 'jose'
import { Problem } from '../hydra/index.ts'
import { KeysUnavailable } from './key-set.ts'
import { profileOf } from './profile-claims.ts'
import type { Issuer } from './token-issuer-keys.ts'

/** What a token says of its bearer; membership and role are never taken from it. */
export interface BearerToken {
  issuer: string
  subject: string
  tenant: string | undefined
  name: string | undefined
  email: string | undefined
  /** In seconds since 1970. */
  issuedAt: number | undefined
}

const longest = 8192
const remembered = 10_000

/** How many seconds the clock of the issuer may be ahead. */
const skew = 60

/** Verifies bearer tokens (RFC 6750, RFC 8725); each is remembered by its hash until it expires or the keys are loaded again. */
export function tokenVerifier({
  issuer,
  audience,
  keys,
  maxLifetime,
}: Issuer): (token: string) => Promise<BearerToken> {
  const known = new Map<string, { bearer: BearerToken; until: number; keys: number }>()
  return async (token) => {
    if (!keys.fresh) await keys.refresh().catch(refused)
    const digest = hash('sha256', token, 'base64url')
    const found = known.get(digest)
    if (found && found.keys === keys.loadedAt && found.until > Date.now()) return found.bearer
    known.delete(digest)
    if (token.length > longest) throw unauthorized('The token is too long.')
    const { payload } = await jwtVerify(token, keys.find, {
      issuer,
      audience,
      algorithms: ['RS256', 'ES256', 'EdDSA'],
      requiredClaims: ['sub', 'exp'],
      clockTolerance: skew,
    }).catch(refused)
    requireTimely(payload, maxLifetime)
    const bearer = bearerOf(payload)
    if (known.size >= remembered) known.delete(known.keys().next().value as string)
    known.set(digest, { bearer, until: (payload.exp as number) * 1000, keys: keys.loadedAt })
    return bearer
  }
}

/** The issuer's clock may be ahead, but a token is never good after it expires, nor for longer than is configured. */
function requireTimely({ exp = 0, iat }: JWTPayload, maxLifetime: number): void {
  const now = Date.now() / 1000
  if (exp <= now) throw unauthorized('The token has expired.')
  if (iat !== undefined && iat > now + skew)
    throw unauthorized('The token was issued in the future: set the clock of its issuer.')
  const lifetime = exp - Math.min(iat ?? now, now)
  if (lifetime > maxLifetime)
    throw unauthorized(
      `The token lives ${Math.ceil(lifetime)} seconds, and at most ${maxLifetime} seconds are accepted: ask for a shorter one.`,
    )
}

/** The token of an Authorization header; undefined when there is none. */
export function bearerToken(header: string | undefined): string | undefined {
  if (header === undefined) return undefined
  const [, token] = /^Bearer +([\w\-.~+/]+=*)$/i.exec(header) ?? []
  if (!token) throw unauthorized('The Authorization header must be "Bearer" and a token.')
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
  if (!issuer || !subject) throw unauthorized('The token does not say who its bearer is.')
  return { issuer, subject, tenant: text('organization'), ...profileOf(payload), issuedAt: payload.iat }
}

function refused(error: unknown): never {
  if (error instanceof errors.JWTExpired) throw unauthorized('The token has expired.')
  if (error instanceof KeysUnavailable)
    throw new Problem(503, 'The keys of the token issuer cannot be fetched at the moment: try again in some seconds.', {
      'Retry-After': '5',
    })
  throw unauthorized('The token is not one that this server accepts.')
}

function unauthorized(detail: string): Problem {
  return new Problem(401, detail, {
    'WWW-Authenticate': `Bearer error="invalid_token", error_description="${detail.replaceAll('"', "'")}"`,
  })
}
