import { type Issuer, localIssuer, ownIssuer, remoteIssuer } from '../access/token-issuer-keys.ts'
import type { Config } from '../config.ts'

/** Opens the issuer whose tokens are accepted: the configured provider, or else the server itself. */
export async function openIssuer({ auth, dataDirectory, maxTokenLifetime: maxLifetime }: Config): Promise<Issuer> {
  return auth ? remoteIssuer({ ...auth, maxLifetime }) : ownIssuer(localIssuer, dataDirectory, { maxLifetime })
}
