import type { KontomatikAccess } from './kontomatik/connection.ts'
import { Kontomatik } from './kontomatik/kontomatik-client.ts'
import type { SecretKey } from './secrets.ts'
import { Vault } from './vault.ts'

/** A consent lasts 180 days at most. */
export const maxConsentMs = 180 * 24 * 60 * 60 * 1000

/** How long is waited, in milliseconds. */
export interface BankingTiming {
  /** Between two looks at an import that runs. */
  pollMs: number
  /** At least, before an import is asked for again when there are too many. */
  busyMs: number
  /** For one of the places for imports, all in all. */
  slotMs: number
  /** For an import, all in all. */
  importMs: number
  /** For the end of what a request has begun, until it is answered that it goes on. */
  requestMs: number
  /** Before a consent is ended again, the first time; then twice as long each time. */
  revokeMs: number
}

export const defaultTiming: BankingTiming = {
  pollMs: 3000,
  busyMs: 10_000,
  slotMs: 120_000,
  importMs: 300_000,
  requestMs: 25_000,
  revokeMs: 30_000,
}

export interface BankingSettings extends KontomatikAccess {
  /** Addresses that people may be sent back to: origin and path to the letter; any of this machine for `local`. */
  redirects: string[] | 'local'
  keys: SecretKey[]
  timing?: Partial<BankingTiming>
}

/** What linking banks takes: Kontomatik, where secrets are kept, and some patience. */
export class Banking {
  readonly kontomatik: Kontomatik
  readonly vault: Vault
  readonly timing: BankingTiming
  readonly #redirects: BankingSettings['redirects']

  constructor({ keys, redirects, timing, ...access }: BankingSettings) {
    this.kontomatik = new Kontomatik(access)
    this.vault = new Vault(keys)
    this.timing = { ...defaultTiming, ...timing }
    this.#redirects = redirects
  }

  /** Whether people may be sent back there; its query may be anything. */
  allows(redirectUri: string): boolean {
    const url = URL.canParse(redirectUri) ? new URL(redirectUri) : undefined
    if (!url || !/^https?:$/.test(url.protocol) || url.username || url.password || redirectUri.includes('#'))
      return false
    if (this.#redirects === 'local') return ['127.0.0.1', 'localhost'].includes(url.hostname)
    return this.#redirects.includes(url.origin + url.pathname)
  }
}
