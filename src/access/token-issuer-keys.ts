import { join } from 'node:path'
import { calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK, type JWK, SignJWT } from 'jose'
import { readOrCreateKeyFile } from '../start/key-file.ts'
import { StartError } from '../start/start-error.ts'
import { KeySet, type KeySetTiming } from './key-set.ts'

/** Which tokens are accepted: from which issuer, for which audience, signed with which keys, and how long-lived. */
export interface Issuer {
  issuer: string
  audience: string
  keys: KeySet
  /** In seconds. */
  maxLifetime: number
}

/** What may differ from the usual: tests are impatient. */
interface Limits {
  maxLifetime?: number
  timing?: Partial<KeySetTiming>
}

/** The server's own issuer, which also signs: for development and tests, where no OpenID provider is named. */
export interface OwnIssuer extends Issuer {
  /** Its public keys, as they are now (RFC 7517, §5). */
  published(): Promise<{ keys: JWK[] }>
  sign(claims: Claims): Promise<string>
}

export interface Claims {
  sub: string
  /** The id of the organization that the token acts for. */
  organization?: string
  name?: string
  email?: string
  /** Seconds until it expires; a day unless said otherwise, or the longest that is accepted. */
  lifetime?: number
}

/** What the server calls itself as an issuer: not by its address, so that its tokens outlive a change of port. */
export const localIssuer = 'urn:organization-api'

const algorithm = 'ES256'

/**
 * A day, in seconds: the longest that common providers give access tokens by default (Auth0; Keycloak, Okta, Google and Entra stay
 * at an hour or below), so that a stolen token is of use for a day at most.
 */
export const defaultLifetime = 24 * 60 * 60

/** An OpenID provider, whose keys are fetched when first needed, every minute from then on, and when a token names a new one. */
export function remoteIssuer({
  issuer,
  audience,
  jwksUrl,
  maxLifetime = defaultLifetime,
  timing,
}: Limits & {
  issuer: string
  audience: string
  jwksUrl: string
}): Issuer {
  return { issuer, audience, keys: new KeySet(new URL(jwksUrl), timing), maxLifetime }
}

/** Whether the issuer is the server itself. */
export function isOwnIssuer(issuer: Issuer): issuer is OwnIssuer {
  return 'sign' in issuer
}

/** The issuer whose key is kept in a directory: tokens outlive a restart, and end when the key is deleted there. */
export async function ownIssuer(
  url: string,
  directory: string,
  { maxLifetime = defaultLifetime, timing = { cooldown: 1000 } }: Limits = {},
): Promise<OwnIssuer> {
  const file = join(directory, 'token-key.json')
  const published = async () => {
    const { d: _, ...open } = await keptKey(file)
    return { keys: [{ ...open, alg: algorithm, use: 'sig' }] }
  }
  await published()
  return {
    issuer: url,
    audience: url,
    maxLifetime,
    published,
    keys: new KeySet(new URL('file:///token-key.json'), timing, published),
    async sign({ sub, lifetime = Math.min(defaultLifetime, maxLifetime), ...claims }) {
      const jwk = await keptKey(file)
      const now = Math.floor(Date.now() / 1000)
      return new SignJWT(claims)
        .setProtectedHeader({ alg: algorithm, kid: jwk.kid, typ: 'JWT' })
        .setSubject(sub)
        .setIssuer(url)
        .setAudience(url)
        .setIssuedAt(now)
        .setExpirationTime(now + lifetime)
        .sign(await importJWK(jwk, algorithm))
    },
  }
}

/** The key that a file keeps. */
async function keptKey(file: string): Promise<JWK> {
  const text = await readOrCreateKeyFile(file, async () => {
    const { privateKey } = await generateKeyPair(algorithm, { extractable: true })
    const jwk = await exportJWK(privateKey)
    return JSON.stringify({ ...jwk, kid: await calculateJwkThumbprint(jwk) })
  })
  try {
    const jwk: JWK = JSON.parse(text)
    if (jwk.kty && jwk.d && jwk.kid) return jwk
  } catch {}
  throw new StartError(`${file} holds no key: remove it. A new key is made, and tokens that the old one signed end.`)
}
