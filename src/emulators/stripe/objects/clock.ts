import type { Interval } from './objects.ts'

export const hour = 3600
export const day = 24 * hour

/** Time in whole seconds, which goes by as it does for everybody, and can be moved ahead. */
export class Clock {
  aheadSeconds = 0
  private fixedAt: number | undefined

  now(): number {
    return this.fixedAt ?? Math.floor(Date.now() / 1000) + this.aheadSeconds
  }

  /** Does something as of a moment that has gone by. */
  runAt<T>(moment: number, work: () => T): T {
    const held = this.fixedAt
    this.fixedAt = moment
    try {
      return work()
    } finally {
      this.fixedAt = held
    }
  }
}

/** The end of a period. One that begins on a 31st ends on the last day of shorter months, and on a 31st after them. */
export function addInterval(start: number, interval: Interval, count: number, anchor = start): number {
  if (interval === 'day' || interval === 'week') return start + count * day * (interval === 'week' ? 7 : 1)
  const date = new Date(start * 1000)
  const months = date.getUTCMonth() + count * (interval === 'year' ? 12 : 1)
  const last = new Date(Date.UTC(date.getUTCFullYear(), months + 1, 0)).getUTCDate()
  const wanted = new Date(anchor * 1000).getUTCDate()
  const time = date.getTime() % (day * 1000)
  return Math.floor((Date.UTC(date.getUTCFullYear(), months, Math.min(wanted, last)) + time) / 1000)
}
