import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  calculateJwkThumbprint,
  createLocalJWKSet,
  createRemoteJWKSet,
  exportJWK,
  generateKeyPair,
  importJWK,
  type JWK,
  type JWTVerifyGetKey,
  SignJWT,
} from 'jose'

/** Whose tokens are believed: an issuer, whom they are for, and the keys they are signed with. */
export interface Issuer {
  issuer: string
  audience: string
  keys: JWTVerifyGetKey
}

/** The server's own issuer, which also signs: for development and tests, where no OpenID provider is named. */
export interface OwnIssuer extends Issuer {
  jwks: { keys: JWK[] }
  sign(claims: Claims): Promise<string>
}

export interface Claims {
  sub: string
  /** The id of the organization that the token acts for. */
  organization?: string
  name?: string
  email?: string
  /** Seconds until it expires; a day unless said otherwise. */
  lifetime?: number
}

/** What the server calls itself as an issuer: not by its address, so that its tokens outlive a change of port. */
export const localIssuer = 'urn:organization-api'

const algorithm = 'ES256'
const day = 24 * 60 * 60

/** An OpenID provider, whose keys are fetched when first needed and again when it rolls them. */
export function remoteIssuer({
  issuer,
  audience,
  jwksUrl,
}: {
  issuer: string
  audience: string
  jwksUrl: string
}): Issuer {
  return { issuer, audience, keys: createRemoteJWKSet(new URL(jwksUrl)) }
}

/** Whether the issuer is the server itself. */
export function isOwn(issuer: Issuer): issuer is OwnIssuer {
  return 'sign' in issuer
}

/** Opens the key kept in a directory, or makes it: tokens outlive a restart. */
export async function ownIssuer(url: string, directory: string): Promise<OwnIssuer> {
  const jwk = await keptKey(join(directory, 'token-key.json'))
  const key = await importJWK(jwk, algorithm)
  const { d: _, ...open } = jwk
  const jwks = { keys: [{ ...open, alg: algorithm, use: 'sig' }] }
  return {
    issuer: url,
    audience: url,
    jwks,
    keys: createLocalJWKSet(jwks),
    sign: ({ sub, lifetime = day, ...claims }) =>
      new SignJWT(claims)
        .setProtectedHeader({ alg: algorithm, kid: jwk.kid, typ: 'JWT' })
        .setSubject(sub)
        .setIssuer(url)
        .setAudience(url)
        .setIssuedAt()
        .setExpirationTime(Math.floor(Date.now() / 1000) + lifetime)
        .sign(key),
  }
}

/** The key of a directory; made beside its place and moved there whole, so that nobody reads half of it. */
async function keptKey(file: string): Promise<JWK> {
  const kept = await readFile(file, 'utf8').catch(() => undefined)
  if (kept) return JSON.parse(kept)
  const { privateKey } = await generateKeyPair(algorithm, { extractable: true })
  const jwk = await exportJWK(privateKey)
  jwk.kid = await calculateJwkThumbprint(jwk)
  await mkdir(join(file, '..'), { recursive: true })
  const draft = `${file}.${jwk.kid}`
  await writeFile(draft, JSON.stringify(jwk), { mode: 0o600 })
  await link(draft, file).catch(ignoreExisting)
  await rm(draft)
  return JSON.parse(await readFile(file, 'utf8'))
}

/** Another process has just made it. */
function ignoreExisting(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error
}
