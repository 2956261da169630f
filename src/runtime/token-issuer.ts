import { type Issuer, localIssuer, ownIssuer, remoteIssuer } from '../access/token-issuer-keys.ts'
import type { Config } from '../config.ts'

/** Whose tokens are good: the provider's that is configured, or the server's own. */
export async function openIssuer({ auth, dataDirectory, maxTokenLifetime: maxLifetime }: Config): Promise<Issuer> {
  return auth ? remoteIssuer({ ...auth, maxLifetime }) : ownIssuer(localIssuer, dataDirectory, { maxLifetime })
}
