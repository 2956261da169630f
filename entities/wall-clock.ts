import { IANAZone } from 'luxon'

const second = 1000
const hour = 3600 * second

/** No zone is further from UTC than this. */
const widest = 15 * hour

/**
 * The clock on a wall of a time zone. What it shows is written as the milliseconds at which a clock of UTC shows the same,
 * so `Date.UTC(2026, 8, 6, 9)` is nine o'clock on 6 September.
 */
export class WallClock {
  private readonly zone: IANAZone

  constructor(timezone: string) {
    this.zone = IANAZone.create(timezone)
  }

  /** Whether this runtime knows the zone: a row may have been written by another one. */
  get isKnown(): boolean {
    return this.zone.isValid
  }

  /** What the clock shows at an instant. */
  wallTimeAt(instant: number): number {
    return instant + this.offset(instant)
  }

  /** The first instant at which the clock shows this or, where it leaves that out, something later. */
  firstInstantOf(shown: number): number {
    const { early, late, change } = this.around(shown)
    return early < change ? early : Math.max(late, change)
  }

  /** Every instant at which the clock shows this: one, two where it is turned back, none where it is turned forward. */
  instantsOf(shown: number): number[] {
    const { early, late, change } = this.around(shown)
    return [...(early < change ? [early] : []), ...(late >= change ? [late] : [])]
  }

  /** The instant meant where the clock leaves this out: it is read with the offset before the change (RFC 5545 §3.3.5). */
  intendedInstant(shown: number): number {
    return this.instantsOf(shown)[0] ?? this.around(shown).early
  }

  /** The instants that this is at, read with the offset before and after a change nearby; without one all is after. */
  private around(shown: number): { early: number; late: number; change: number } {
    const [from, to] = [shown - widest, shown + widest]
    const [before, after] = [this.offset(from), this.offset(to)]
    const change = before === after ? Number.NEGATIVE_INFINITY : this.change(from, to, before)
    return { early: shown - before, late: shown - after, change }
  }

  /** The second between two instants at which the offset stops being what it was before. */
  private change(from: number, to: number, before: number): number {
    let [low, high] = [Math.floor(from / second) * second, Math.ceil(to / second) * second]
    while (high - low > second) {
      const middle = low + Math.floor((high - low) / (2 * second)) * second
      if (this.offset(middle) === before) low = middle
      else high = middle
    }
    return high
  }

  private offset(instant: number): number {
    return this.zone.offset(instant) * 60_000
  }
}
