/** Numbers that come by chance, and come again when they begin with the same seed (mulberry32). */
export class SeededRandom {
  constructor(private state: number) {}

  /** At least 0 and less than 1. */
  next(): number {
    this.state = (this.state + 0x6d2b79f5) | 0
    let mixed = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }

  /** A whole number from 0 up to, and not including, the limit. */
  below(limit: number): number {
    return Math.floor(this.next() * limit)
  }

  one<T>(of: T[]): T {
    return of[this.below(of.length)]
  }

  /** Takes one out of a list. */
  take<T>(from: T[]): T | undefined {
    const place = this.below(from.length)
    const last = from.pop()
    if (place >= from.length) return last
    const taken = from[place]
    from[place] = last as T
    return taken
  }

  shuffled<T>(list: T[]): T[] {
    const left = [...list]
    return list.map(() => this.take(left) as T)
  }
}
