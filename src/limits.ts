import cluster from 'node:cluster'
import type { Request, Response } from 'express'
import { type RateLimiterAbstract, RateLimiterCluster, RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible'
import type { Caller } from './hydra/caller.ts'
import type { Meter } from './hydra/endpoint.ts'
import { Problem } from './hydra/problem.ts'
import { addressOf } from './hydra/share.ts'

/** How many requests a minute somebody may send: of all kinds, and of those with which codes and tokens can be guessed. */
export interface Limits {
  usual: number
  few: number
}

const minute = 60

/**
 * Counts requests by caller and organization, and by address where nobody is known; the processes of one server count together.
 * What is left is told as `RateLimit` (draft-ietf-httpapi-ratelimit-headers), and too many are a Problem 429.
 */
export function meter({ usual, few }: Limits): Meter {
  const all = counter('usual', usual)
  const guesses = counter('few', few)
  return async (request, response, caller, operation) => {
    const key = keyOf(request, caller)
    await count('usual', usual, all, key, response)
    if (operation?.rare) await count('few', few, guesses, `${key} ${operation.path}`, response)
  }
}

type Counter = Pick<RateLimiterAbstract, 'consume'>

/** In a worker the first process counts, for all; where that does not answer, the worker itself does. */
function counter(name: string, points: number): Counter {
  const own = new RateLimiterMemory({ points, duration: minute })
  if (!cluster.isWorker) return own
  const shared = new RateLimiterCluster({ keyPrefix: name, points, duration: minute, timeoutMs: 1000 })
  return {
    async consume(key) {
      if (!process.connected) return own.consume(key)
      return shared.consume(key).catch((refused) => {
        if (refused instanceof RateLimiterRes) throw refused
        return own.consume(key)
      })
    },
  }
}

async function count(name: string, quota: number, limiter: Counter, key: string, response: Response): Promise<void> {
  const found = await limiter.consume(key).catch((refused: RateLimiterRes | Error) => refused)
  if (!(found instanceof RateLimiterRes)) throw found
  const seconds = Math.ceil(found.msBeforeNext / 1000)
  response.setHeader('RateLimit-Policy', `"${name}";q=${quota};w=${minute}`)
  response.setHeader('RateLimit', `"${name}";r=${found.remainingPoints};t=${seconds}`)
  if (found.consumedPoints > quota)
    throw new Problem(429, `That was more than ${quota} requests in a minute: wait ${seconds} seconds.`, {
      'Retry-After': `${seconds}`,
    })
}

function keyOf({ ip }: Request, caller: Caller | undefined): string {
  if (!caller?.bearer) return addressOf(ip ?? '')
  const { issuer, subject } = caller.bearer
  return JSON.stringify([issuer, subject, caller.organization])
}
