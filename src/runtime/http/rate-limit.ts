import cluster from 'node:cluster'
import type { Response } from 'express'
import { type RateLimiterAbstract, RateLimiterCluster, RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible'
import type { RateLimiter } from '../../hydra/http/authenticate.ts'
import type { Caller } from '../../hydra/model/caller.ts'
import { addressOf } from '../../hydra/model/fair-share.ts'
import { Problem } from '../../hydra/model/problem.ts'

/** How many requests a caller may send in a minute, and how many of an operation that few requests of are allowed. */
export interface RateLimits {
  usual: number
  few: number
}

/** A limit under its name in the `RateLimit` header. */
interface Policy {
  name: string
  quota: number
  window: 'minute' | 'hour'
  limiter: Counter
}

const seconds = { minute: 60, hour: 3600 }

/**
 * Counts requests; the processes of one server count together. All requests are counted by caller and organization, or by
 * address where no caller is known. Rare ones are counted by user and by address, each by itself: so a user gains nothing from
 * more organizations or addresses, and an address nothing from more users. What is left is in the headers `RateLimit` and
 * `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers); one request too many is a Problem 429.
 */
export function rateLimiter({ usual, few }: RateLimits): RateLimiter {
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

/** In a worker the first process counts, for all; where that does not answer, the worker itself does. */
function policy(name: string, points: number, window: Policy['window']): Policy {
  const duration = seconds[window]
  const own = new RateLimiterMemory({ points, duration })
  if (!cluster.isWorker) return { name, quota: points, window, limiter: own }
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
  return { name, quota: points, window, limiter }
}

/** Counts a request under each key until one has none left; the key with the least left is the one in the headers. */
async function count({ name, quota, window, limiter }: Policy, keys: string[], response?: Response): Promise<void> {
  let least = Number.POSITIVE_INFINITY
  for (const key of keys) {
    const found = await limiter.consume(key).catch((refused: RateLimiterRes | Error) => refused)
    if (!(found instanceof RateLimiterRes)) throw found
    const wait = Math.ceil(found.msBeforeNext / 1000)
    const headers = {
      'RateLimit-Policy': `"${name}";q=${quota};w=${seconds[window]}`,
      RateLimit: `"${name}";r=${found.remainingPoints};t=${wait}`,
    }
    if (found.consumedPoints > quota) throw tooMany(quota, window, name, wait, headers)
    if (found.remainingPoints < least) response?.setHeaders(new Map(Object.entries(headers)))
    least = Math.min(least, found.remainingPoints)
  }
}

function tooMany(quota: number, window: string, name: string, wait: number, headers: Record<string, string>): Problem {
  const kind = name === 'usual' ? 'requests' : 'requests of this kind'
  const detail = `That was more than ${quota} ${kind} in ${window === 'hour' ? 'an' : 'a'} ${window}: wait ${wait} seconds.`
  return new Problem(429, detail, { ...headers, 'Retry-After': `${wait}` })
}

function keyOf(caller: Caller | undefined): string | undefined {
  return caller?.bearer && JSON.stringify([caller.bearer.issuer, caller.bearer.subject, caller.organization])
}

function userOf(caller: Caller | undefined): string | undefined {
  return caller?.bearer && JSON.stringify([caller.bearer.issuer, caller.bearer.subject])
}
