import { setTimeout } from 'node:timers/promises'

/** The tail of each key's queue; awaiting it waits for every earlier task of that key. */
const tails = new Map<string, Promise<unknown>>()

/**
 * Runs a task after every earlier task of the same key in this process. A Postgres lock would do the same,
 * but each waiting request would hold a connection; Postgres only orders tasks of different processes.
 * @param onTimeout runs in place of a task that would wait longer than `maxWaitMs`
 */
export async function runExclusive<T>(
  key: string,
  maxWaitMs: number,
  task: () => Promise<T>,
  onTimeout: () => T,
): Promise<T> {
  const earlier = tails.get(key)
  const done = timesOut(earlier, maxWaitMs).then((isLate) => (isLate ? onTimeout() : task()))
  const tail = Promise.allSettled([earlier, done])
  tails.set(key, tail)
  try {
    return await done
  } finally {
    tail.then(() => tails.get(key) === tail && tails.delete(key))
  }
}

/** Waits for a promise; true when it takes longer than `maxWaitMs`. */
async function timesOut(promise: Promise<unknown> | undefined, maxWaitMs: number): Promise<boolean> {
  if (!promise) return false
  const stop = new AbortController()
  const timer = setTimeout(maxWaitMs, true, { signal: stop.signal, ref: false }).catch(() => true)
  const isLate = await Promise.race([promise.then(() => false), timer])
  stop.abort()
  return isLate
}
