import { createRemoteJWKSet, customFetch, errors, type JWTVerifyGetKey, jwksCache } from 'jose'

/** How long keys are good, in milliseconds. */
export interface KeySetTiming {
  /** After it keys are loaded again; a key that left the set ends within twice that. */
  refresh: number
  /** How long known keys go on to be good while they cannot be loaded. */
  grace: number
  /** How long an unknown key waits after the last load until it causes another. */
  cooldown: number
  /** How long one load may take. */
  timeout: number
}

/**
 * A key that the issuer withdraws ends within two minutes, at the price of one small request a minute and process. An issuer may
 * restart or roll over to another machine within fifteen minutes; beyond that a withdrawn key could hide behind the outage.
 */
const usual: KeySetTiming = { refresh: 60_000, grace: 15 * 60_000, cooldown: 30_000, timeout: 5000 }

/** Milliseconds from a load that failed to the next. */
const retry = 5000

/** The keys of the issuer cannot be loaded, so that nothing can be said about a token. */
export class KeysUnavailable extends Error {}

/** The keys of an issuer, loaded again as time goes by (RFC 7517, §5). */
export class KeySet {
  private readonly cache: { uat?: number } = {}
  private readonly remote
  private readonly timing: KeySetTiming
  private triedAt = 0
  private failed = false

  /** @param load where the keys are, when not at the URL */
  constructor(url: URL, timing: Partial<KeySetTiming> = {}, load?: () => Promise<object>) {
    this.timing = { ...usual, ...timing }
    this.remote = createRemoteJWKSet(url, {
      timeoutDuration: this.timing.timeout,
      // When keys are loaded is decided here: jose's own rules know no grace.
      cacheMaxAge: Number.POSITIVE_INFINITY,
      cooldownDuration: Number.POSITIVE_INFINITY,
      [jwksCache]: this.cache as Record<string, never>,
      ...(load && { [customFetch]: async () => Response.json(await load()) }),
    })
  }

  /** When the keys were loaded that are in use: what was verified with others has to be verified again. */
  get loadedAt(): number {
    return this.cache.uat ?? 0
  }

  /** Whether no load is due. */
  get fresh(): boolean {
    return this.age <= this.timing.refresh
  }

  /** Loads keys that are due. Requests wait for it only where no keys that are good enough are known. */
  async refresh(): Promise<void> {
    const { refresh, grace } = this.timing
    const loading = this.failed && Date.now() - this.triedAt < Math.min(refresh, retry) ? undefined : this.load()
    if (this.age > grace || (this.age > 2 * refresh && !this.failed)) await loading
    if (this.age > grace) throw new KeysUnavailable('The keys of the token issuer cannot be loaded.')
  }

  /** The key that a token names; an unknown one has the keys loaded again. */
  readonly find: JWTVerifyGetKey = async (header, token) => {
    try {
      return await this.remote(header, token)
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error
      if (Date.now() - this.triedAt >= this.timing.cooldown) await this.load()
      else if (!this.failed) throw error
      if (this.failed) throw new KeysUnavailable('The keys of the token issuer cannot be loaded.')
      return this.remote(header, token)
    }
  }

  private get age(): number {
    return Date.now() - this.loadedAt
  }

  /** Never throws: whether it came to nothing is kept. */
  private async load(): Promise<void> {
    if (!this.remote.reloading) this.triedAt = Date.now()
    await this.remote.reload().then(
      () => {
        this.failed = false
      },
      () => {
        this.failed = true
      },
    )
  }
}
