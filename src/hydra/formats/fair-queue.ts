import type { FairShare } from '../model/fair-share.ts'

/** A task in the queue. */
export interface Queued {
  share: FairShare
  /** Runs before the other tasks of the same caller. */
  urgent?: boolean
}

/** Used time counts half after this time. */
const halfLifeMs = 10_000

/** Waiting tasks. The next task belongs to the tenant that has used the least time lately, and to that tenant's caller who has. */
export class FairQueue<T extends Queued> {
  private readonly waiting: T[] = []
  private readonly used = new Map<string, number>()
  private halvedAt = performance.now()
  private meanMs = 0

  constructor(private readonly maxSize: number) {}

  get size(): number {
    return this.waiting.length
  }

  /** The number of waiting tasks of a caller. */
  countOf(share: FairShare): number {
    return this.waiting.filter((task) => callerKey(task.share) === callerKey(share)).length
  }

  /** The estimated time until the queue is empty, from the mean time of past tasks. */
  get estimatedSeconds(): number {
    return Math.max(1, Math.ceil(((this.waiting.length + 1) * this.meanMs) / 1000))
  }

  /** Adds a task. A full queue drops the task that would run last, and returns it. */
  add(task: T): T | undefined {
    this.waiting.push(task)
    if (this.waiting.length <= this.maxSize) return undefined
    return this.take((one, other) => !this.isBefore(one, other))
  }

  next(): T | undefined {
    return this.take((one, other) => this.isBefore(one, other))
  }

  /** Removes and returns every task. */
  clear(): T[] {
    return this.waiting.splice(0)
  }

  /** Adds the time of a finished task to its share. */
  charge(share: FairShare, milliseconds: number): void {
    this.decay()
    this.meanMs += (milliseconds - this.meanMs) / 8
    for (const key of [share.tenant, callerKey(share)]) this.used.set(key, this.usedBy(key) + milliseconds)
  }

  private take(isBetter: (one: T, other: T) => boolean): T | undefined {
    let best = 0
    for (let index = 1; index < this.waiting.length; index++)
      if (isBetter(this.waiting[index], this.waiting[best])) best = index
    return this.waiting.splice(best, 1)[0]
  }

  private isBefore({ share: one, urgent }: T, { share: other, urgent: otherUrgent }: T): boolean {
    const tenants = this.usedBy(one.tenant) - this.usedBy(other.tenant)
    const callers = this.usedBy(callerKey(one)) - this.usedBy(callerKey(other))
    return (tenants || callers || Number(otherUrgent ?? false) - Number(urgent ?? false)) < 0
  }

  private usedBy(key: string): number {
    return this.used.get(key) ?? 0
  }

  private decay(): void {
    for (const now = performance.now(); now - this.halvedAt >= halfLifeMs; this.halvedAt += halfLifeMs)
      for (const [key, milliseconds] of this.used)
        if (milliseconds < 1) this.used.delete(key)
        else this.used.set(key, milliseconds / 2)
  }
}

const callerKey = ({ tenant, caller }: FairShare) => `${tenant} ${caller}`
