import { createRemoteJWKSet, customFetch, errors, type JWTVerifyGetKey, jwksCache } from 'jose'

/** All times are in milliseconds. */
export interface KeySetTiming {
  /** The interval of reloading. A key that the issuer removes stops working within twice that. */
  refresh: number
  /** How long known keys stay valid while they cannot be reloaded. */
  grace: number
  /** The minimum time between two reloads for unknown keys. */
  cooldown: number
  /** The timeout of one load. */
  timeout: number
}

/**
 * A key that the issuer withdraws stops working within two minutes, for one small request a minute and process. An issuer has
 * fifteen minutes to restart; with more, a withdrawn key could stay valid during an outage.
 */
const defaultTiming: KeySetTiming = { refresh: 60_000, grace: 15 * 60_000, cooldown: 30_000, timeout: 5000 }

const retryDelayMs = 5000

/** The keys of the issuer cannot be loaded, so tokens can be neither accepted nor refused. */
export class KeysUnavailable extends Error {}

/** The keys of an issuer (RFC 7517, §5), reloaded regularly. */
export class KeySet {
  private readonly cache: { uat?: number } = {}
  private readonly remote
  private readonly timing: KeySetTiming
  private triedAt = 0
  private failed = false

  /** @param load loads the keys instead of the URL */
  constructor(url: URL, timing: Partial<KeySetTiming> = {}, load?: () => Promise<object>) {
    this.timing = { ...defaultTiming, ...timing }
    this.remote = createRemoteJWKSet(url, {
      timeoutDuration: this.timing.timeout,
      // This class decides when to load: jose's own rules have no grace period.
      cacheMaxAge: Number.POSITIVE_INFINITY,
      cooldownDuration: Number.POSITIVE_INFINITY,
      [jwksCache]: this.cache as Record<string, never>,
      ...(load && { [customFetch]: async () => Response.json(await load()) }),
    })
  }

  /** The time of the last load. Tokens that were verified with older keys must be verified again. */
  get loadedAt(): number {
    return this.cache.uat ?? 0
  }

  /** Whether no load is due. */
  get fresh(): boolean {
    return this.age <= this.timing.refresh
  }

  /** Reloads keys that are due. Requests wait for the load only if the known keys are too old. */
  async refresh(): Promise<void> {
    const { refresh, grace } = this.timing
    const loading = this.failed && Date.now() - this.triedAt < Math.min(refresh, retryDelayMs) ? undefined : this.load()
    if (this.age > grace || (this.age > 2 * refresh && !this.failed)) await loading
    if (this.age > grace) throw new KeysUnavailable('The keys of the token issuer cannot be loaded.')
  }

  /** The key that a token names. An unknown key triggers a reload. */
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

  /** Never throws: a failure is stored in `failed`. */
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
