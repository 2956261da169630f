import type { SecretKey } from '../../secrets/sealed-text.ts'
import type { EndedSession } from './session-rows.ts'
import { openTokens } from './session-tokens.ts'

/** The work that is left at the provider after a sign-out. */
export interface Ended {
  /** Refresh tokens to revoke. */
  refreshTokens: string[]
  /** Whether the person has signed in at the provider. */
  atProvider: boolean
}

export function providerWorkOf(sessions: EndedSession[], keys: SecretKey[]): Ended {
  const tokens = sessions.flatMap(({ id, sealedTokens }) => openTokens(sealedTokens, keys, id) ?? [])
  return {
    refreshTokens: tokens.flatMap(({ refresh }) => refresh ?? []),
    atProvider: tokens.some(({ atProvider }) => atProvider),
  }
}
