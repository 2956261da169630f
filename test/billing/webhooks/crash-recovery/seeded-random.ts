/** A generator of pseudo-random numbers; the same seed gives the same numbers (mulberry32). */
export class SeededRandom {
  constructor(private state: number) {}

  /** At least 0 and less than 1. */
  next(): number {
    this.state = (this.state + 0x6d2b79f5) | 0
    let mixed = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }

  /** An integer from 0 to limit - 1. */
  below(limit: number): number {
    return Math.floor(this.next() * limit)
  }

  one<T>(of: T[]): T {
    return of[this.below(of.length)]
  }

  /** Removes a random element from a list. */
  take<T>(from: T[]): T | undefined {
    const position = this.below(from.length)
    const last = from.pop()
    if (position >= from.length) return last
    const taken = from[position]
    from[position] = last as T
    return taken
  }

  shuffled<T>(list: T[]): T[] {
    const left = [...list]
    return list.map(() => this.take(left) as T)
  }
}
