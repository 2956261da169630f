import { hash } from 'node:crypto'
import { errors, type JWTPayload, jwtVerify } from 'jose'
import { Problem } from '../hydra/problem.ts'
import type { Issuer } from './keys.ts'

/** What a token says of its bearer; membership and role are never taken from it. */
export interface Bearer {
  issuer: string
  subject: string
  organization: string | undefined
  name: string | undefined
  email: string | undefined
}

const longest = 8192
const remembered = 10_000

/** Verifies bearer tokens (RFC 6750, RFC 8725), each once: it is remembered by its hash until it expires. */
export function verifier({ issuer, audience, keys }: Issuer): (token: string) => Promise<Bearer> {
  const known = new Map<string, { bearer: Bearer; until: number }>()
  return async (token) => {
    const digest = hash('sha256', token, 'base64url')
    const found = known.get(digest)
    if (found && found.until > Date.now()) return found.bearer
    known.delete(digest)
    if (token.length > longest) throw unauthorized('The token is too long.')
    const { payload } = await jwtVerify(token, keys, {
      issuer,
      audience,
      algorithms: ['RS256', 'ES256', 'EdDSA'],
      requiredClaims: ['sub', 'exp'],
    }).catch((error) => {
      throw refusal(error)
    })
    const bearer = bearerOf(payload)
    if (known.size >= remembered) known.delete(known.keys().next().value as string)
    known.set(digest, { bearer, until: (payload.exp as number) * 1000 })
    return bearer
  }
}

/** The token of an Authorization header; undefined when there is none. */
export function bearerToken(header: string | undefined): string | undefined {
  if (header === undefined) return undefined
  const [, token] = /^Bearer +([\w\-.~+/]+=*)$/i.exec(header) ?? []
  if (!token) throw unauthorized('The Authorization header must be "Bearer" and a token.')
  return token
}

function bearerOf(payload: JWTPayload): Bearer {
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
  return { issuer, subject, organization: text('organization'), name: text('name'), email: text('email') }
}

function refusal(error: unknown): Error {
  if (error instanceof errors.JWTExpired) return unauthorized('The token has expired.')
  if (error instanceof errors.JWKSTimeout || (error instanceof TypeError && error.message === 'fetch failed'))
    return new Problem(503, 'The keys of the token issuer cannot be fetched at the moment.', { 'Retry-After': '5' })
  return unauthorized('The token is not one that this server accepts.')
}

function unauthorized(detail: string): Problem {
  return new Problem(401, detail, {
    'WWW-Authenticate': `Bearer error="invalid_token", error_description="${detail.replaceAll('"', "'")}"`,
  })
}
