import { IANAZone } from 'luxon'

const secondMs = 1000
const hourMs = 3600 * secondMs

/** No zone is further from UTC than this. */
const maxOffsetMs = 15 * hourMs

/** The most offsets that a clock keeps. */
const maxOffsets = 1000

/**
 * A wall clock of a time zone. Its times are written as the instant, in milliseconds, at which a UTC clock shows the same:
 * `Date.UTC(2026, 8, 6, 9)` is nine o'clock on 6 September.
 */
export class WallClock {
  private readonly zone: IANAZone
  /** The offsets of recent instants, because a clock that is kept is asked for the same days again. */
  private readonly offsets = new Map<number, number>()

  constructor(timezone: string) {
    this.zone = IANAZone.create(timezone)
  }

  /** Whether this runtime knows the zone. A row may come from another runtime. */
  get isKnown(): boolean {
    return this.zone.isValid
  }

  /** The time that the clock shows at an instant. */
  wallTimeAt(instant: number): number {
    return instant + this.offset(instant)
  }

  /** The first instant at which the clock shows a time or, where the clock skips that time, a later one. */
  firstInstantOf(shown: number): number {
    const { early, late, change } = this.around(shown)
    return early < change ? early : Math.max(late, change)
  }

  /** The instants at which the clock shows a time: two where it is turned back, none where it is turned forward, or else one. */
  instantsOf(shown: number): number[] {
    const { early, late, change } = this.around(shown)
    return [...(early < change ? [early] : []), ...(late >= change ? [late] : [])]
  }

  /** The first instant of a time. A time that the clock skips is read with the offset before the change (RFC 5545 §3.3.5). */
  intendedInstant(shown: number): number {
    return this.instantsOf(shown)[0] ?? this.around(shown).early
  }

  /** The instants of a time with the offsets before and after a nearby change. Without a change, every instant is after it. */
  private around(shown: number): { early: number; late: number; change: number } {
    const [from, to] = [shown - maxOffsetMs, shown + maxOffsetMs]
    const [before, after] = [this.offset(from), this.offset(to)]
    const change = before === after ? Number.NEGATIVE_INFINITY : this.change(from, to, before)
    return { early: shown - before, late: shown - after, change }
  }

  /** Finds the second between two instants at which the offset changes. */
  private change(from: number, to: number, before: number): number {
    let [low, high] = [Math.floor(from / secondMs) * secondMs, Math.ceil(to / secondMs) * secondMs]
    while (high - low > secondMs) {
      const middle = low + Math.floor((high - low) / (2 * secondMs)) * secondMs
      if (this.offset(middle) === before) low = middle
      else high = middle
    }
    return high
  }

  private offset(instant: number): number {
    const known = this.offsets.get(instant)
    if (known !== undefined) return known
    const offset = this.zone.offset(instant) * 60_000
    if (this.offsets.size >= maxOffsets) this.offsets.clear()
    this.offsets.set(instant, offset)
    return offset
  }
}
