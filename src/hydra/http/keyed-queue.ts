import { setTimeout } from 'node:timers/promises'

/** Those who wait for each other: who is last under a name, and with it all before. */
const lines = new Map<string, Promise<unknown>>()

/**
 * Does work when all that came before it under the same name is done. Postgres would keep the order just as well, but
 * everybody who waits there holds a connection; here it costs nothing, and Postgres sees to other processes alone.
 * @param longest in milliseconds; whoever would wait longer is `late` instead
 */
export async function runExclusive<T>(
  name: string,
  longest: number,
  work: () => Promise<T>,
  late: () => T,
): Promise<T> {
  const before = lines.get(name)
  const done = waited(before, longest).then((isLate) => (isLate ? late() : work()))
  const line = Promise.allSettled([before, done])
  lines.set(name, line)
  try {
    return await done
  } finally {
    line.then(() => lines.get(name) === line && lines.delete(name))
  }
}

/** Whether waiting took too long. */
async function waited(before: Promise<unknown> | undefined, longest: number): Promise<boolean> {
  if (!before) return false
  const stop = new AbortController()
  const timer = setTimeout(longest, true, { signal: stop.signal, ref: false }).catch(() => true)
  const isLate = await Promise.race([before.then(() => false), timer])
  stop.abort()
  return isLate
}
