const [minute, hour] = [60, 3600]

/** Seconds before each further attempt: ten attempts in three days. */
const pauses = [5, 5 * minute, 30 * minute, 2 * hour, 5 * hour, 10 * hour, 14 * hour, 18 * hour, 22 * hour]

/** The longest pause that a receiver can ask for. */
const longestPause = 24 * hour

/**
 * Seconds until the next attempt; undefined after the last one. A receiver that asks for a longer pause gets it, and a random factor
 * spreads the attempts after an outage.
 */
export function pauseAfter(attempts: number, retryAfter = 0): number | undefined {
  const pause = pauses[attempts - 1]
  if (pause === undefined) return undefined
  return Math.max(pause * (1 + Math.random() / 10), Math.min(retryAfter, longestPause))
}

/** Reads Retry-After: seconds, or a date (RFC 9110 §10.2.3). */
export function readRetryAfter(value: string | undefined, now = Date.now()): number | undefined {
  if (value === undefined) return undefined
  const seconds = /^\d+$/.test(value) ? Number(value) : (Date.parse(value) - now) / 1000
  return seconds > 0 ? seconds : undefined
}
