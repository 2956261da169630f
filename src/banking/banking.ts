import type { SecretKey } from '../secrets/sealed-text.ts'
import type { KontomatikAccess } from './kontomatik/connection.ts'
import { Kontomatik } from './kontomatik/kontomatik-client.ts'
import { Vault } from './vault.ts'

/** A consent lasts 180 days at most. */
export const maxConsentMs = 180 * 24 * 60 * 60 * 1000

/** Timeouts and pauses of bank jobs. */
export interface BankingTiming {
  /** The pause between two polls of a running command. */
  pollMs: number
  /** The shortest pause before a retry where Kontomatik runs too many imports. */
  busyMs: number
  /** The longest wait for a slot. */
  slotMs: number
  /** The deadline of an import. */
  importMs: number
  /** How long a request waits for its job before the response is 202. */
  requestMs: number
  /** The pause before the first retry to end a consent. It doubles with each failure. */
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
  /** The allowed return addresses, compared by origin and path. `local` allows every address of this machine. */
  redirects: string[] | 'local'
  keys: SecretKey[]
  timing?: Partial<BankingTiming>
}

/** The dependencies of the banking code: the client of Kontomatik, the vault of secrets, timeouts. */
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

  /** Whether a person may be redirected to the address after the sign-in. Its query is free. */
  allows(redirectUri: string): boolean {
    const url = URL.canParse(redirectUri) ? new URL(redirectUri) : undefined
    if (!url || !/^https?:$/.test(url.protocol) || url.username || url.password || redirectUri.includes('#'))
      return false
    if (this.#redirects === 'local') return ['127.0.0.1', 'localhost'].includes(url.hostname)
    return this.#redirects.includes(url.origin + url.pathname)
  }
}
