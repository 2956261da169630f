import { join } from 'node:path'
import { calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK, type JWK, SignJWT } from 'jose'
import { readOrCreateKeyFile } from '../start/key-file.ts'
import { StartError } from '../start/start-error.ts'
import { KeySet, type KeySetTiming } from './key-set.ts'

/** The rules for accepted tokens: their issuer, audience, keys and maximum lifetime. */
export interface Issuer {
  issuer: string
  audience: string
  keys: KeySet
  /** Seconds. */
  maxLifetime: number
}

/** Defaults that tests shorten. */
interface Limits {
  maxLifetime?: number
  timing?: Partial<KeySetTiming>
}

/** The server's own issuer, which also signs tokens: for development and tests without an OpenID provider. */
export interface OwnIssuer extends Issuer {
  /** The current public keys (RFC 7517, §5). */
  published(): Promise<{ keys: JWK[] }>
  sign(claims: Claims): Promise<string>
}

export interface Claims {
  sub: string
  /** The id of the organization that the token acts for. */
  organization?: string
  name?: string
  email?: string
  /** Seconds until the token expires. The default is a day, or the maximum lifetime if that is shorter. */
  lifetime?: number
}

/** The issuer name of the server's own tokens. It contains no address, so tokens stay valid when the port changes. */
export const localIssuer = 'urn:organization-api'

const algorithm = 'ES256'

/**
 * A day, in seconds: the longest default of common providers (Auth0; Keycloak, Okta, Google and Entra use an hour or less). A
 * stolen token is useful for a day at most.
 */
export const defaultLifetime = 24 * 60 * 60

/** An OpenID provider. Keys are loaded on first use, then every minute, and when a token names an unknown key. */
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

/** The server's own issuer, with its key in a directory: tokens survive a restart, and become invalid when the key file is deleted. */
export async function ownIssuer(
  url: string,
  directory: string,
  { maxLifetime = defaultLifetime, timing = { cooldown: 1000 } }: Limits = {},
): Promise<OwnIssuer> {
  const file = join(directory, 'token-key.json')
  const published = async () => {
    const { d: _, ...open } = await readKey(file)
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
      const jwk = await readKey(file)
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

/** Reads the key file, or creates it. */
async function readKey(file: string): Promise<JWK> {
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
