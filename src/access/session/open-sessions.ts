import type { DataSource } from 'typeorm'
import type { OpenIdClient } from '../../environment/access.ts'
import type { FairPool } from '../../hydra/index.ts'
import type { SecretKey } from '../../secrets/sealed-text.ts'
import type { Callers } from '../callers.ts'
import type { Issuer } from '../token-issuer-keys.ts'
import { OpenIdProvider } from './openid-provider.ts'
import { Sessions } from './sessions.ts'
import { TokenRefresh } from './token-refresh.ts'

/** The path to which a provider sends a browser back. */
export const callbackPath = '/session/callback'

/** Sessions, and the provider where people sign in; undefined where AUTH_CLIENT_ID is not set. */
export interface SignIn {
  sessions: Sessions
  provider: OpenIdProvider | undefined
}

interface Surroundings {
  publicUrl: string
  client: OpenIdClient | undefined
  issuer: Issuer
  database: DataSource
  pool: FairPool
  callers: Callers
  keys: SecretKey[]
}

export function openSessions({ client, issuer, database, pool, ...rest }: Surroundings): SignIn {
  const share = 'sessions'
  const provider =
    client &&
    new OpenIdProvider({
      issuer: issuer.issuer,
      audience: issuer.audience,
      client,
      redirectUri: rest.publicUrl + callbackPath,
    })
  const { callers, keys } = rest
  const refresh =
    provider && new TokenRefresh(pool.within(database, share), callers, keys, (token) => provider.refresh(token))
  return { provider, sessions: new Sessions({ ...rest, executor: pool.of(share), refresh }) }
}
