import cluster from 'node:cluster'
import type { Response } from 'express'
import { type RateLimiterAbstract, RateLimiterCluster, RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible'
import { type AccessControl, addressOf, type Caller, Problem } from '../../hydra/index.ts'

/** Requests a minute. */
export interface RateLimits {
  /** For all requests of a caller. */
  usual: number
  /** For each sensitive operation, such as applying a coupon. */
  few: number
}

/** A limit, with its name in the `RateLimit` header. */
interface Policy {
  name: string
  quota: number
  window: 'minute' | 'hour'
  /** The value of the header `RateLimit-Policy`. */
  header: string
  limiter: Counter
}

const seconds = { minute: 60, hour: 3600 }

/**
 * Limits requests; the processes of one server count together. Each request counts for its caller and organization, or for its
 * address where the caller is unknown. A sensitive one also counts for the user and for the address, separately: so neither
 * more organizations or addresses nor more users raise the limit. The headers `RateLimit` and `RateLimit-Policy` hold what
 * remains (draft-ietf-httpapi-ratelimit-headers). One request too many is a Problem 429.
 */
export function rateLimiter({ usual, few }: RateLimits): NonNullable<AccessControl['rateLimiter']> {
  const all = policy('usual', usual, 'minute')
  const minutely = policy('few', few, 'minute')
  const hourly = policy('hourly', few, 'hour')
  return async (request, response, caller, rarity) => {
    const address = addressOf(request.ip ?? '')
    await count(all, [keyOf(caller) ?? address], response)
    if (!rarity) return
    const keys = [userOf(caller), address].filter((key) => key !== undefined).map((key) => `${key} ${rarity.name}`)
    await count(minutely, keys, response)
    if (rarity.window === 'hour') await count(hourly, keys)
  }
}

type Counter = Pick<RateLimiterAbstract, 'consume'>

/** The parent process counts for all workers. A worker counts alone while the parent does not answer. */
function policy(name: string, points: number, window: Policy['window']): Policy {
  const duration = seconds[window]
  const described = { name, quota: points, window, header: `"${name}";q=${points};w=${duration}` }
  const own = new RateLimiterMemory({ points, duration })
  if (!cluster.isWorker) return { ...described, limiter: own }
  const shared = new RateLimiterCluster({ keyPrefix: name, points, duration, timeoutMs: 1000 })
  const limiter: Counter = {
    async consume(key) {
      if (!process.connected) return own.consume(key)
      return shared.consume(key).catch((refused) => {
        if (refused instanceof RateLimiterRes) throw refused
        return own.consume(key)
      })
    },
  }
  return { ...described, limiter }
}

/** Counts a request for each key, up to one whose limit is reached. The headers show the key with the fewest requests left. */
async function count(
  { name, quota, window, header, limiter }: Policy,
  keys: string[],
  response?: Response,
): Promise<void> {
  let fewest = Number.POSITIVE_INFINITY
  for (const key of keys) {
    const found = await limiter.consume(key).catch((refused: RateLimiterRes | Error) => refused)
    if (!(found instanceof RateLimiterRes)) throw found
    const wait = Math.ceil(found.msBeforeNext / 1000)
    const left = `"${name}";r=${found.remainingPoints};t=${wait}`
    if (found.consumedPoints > quota)
      throw tooMany(quota, window, name, wait, { 'RateLimit-Policy': header, RateLimit: left })
    if (found.remainingPoints < fewest) response?.setHeader('RateLimit-Policy', header).setHeader('RateLimit', left)
    fewest = Math.min(fewest, found.remainingPoints)
  }
}

function tooMany(quota: number, window: string, name: string, wait: number, headers: Record<string, string>): Problem {
  const kind = name === 'usual' ? 'requests' : 'requests of this kind'
  const period = window === 'hour' ? 'an hour' : 'a minute'
  const detail = `More than ${quota} ${kind} were sent in ${period}. Retry in ${wait} seconds.`
  return new Problem(429, detail, { ...headers, 'Retry-After': `${wait}` })
}

function keyOf(caller: Caller | undefined): string | undefined {
  return caller?.bearer && JSON.stringify([caller.bearer.issuer, caller.bearer.subject, caller.tenant])
}

function userOf(caller: Caller | undefined): string | undefined {
  return caller?.bearer && JSON.stringify([caller.bearer.issuer, caller.bearer.subject])
}
