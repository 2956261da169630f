import type { FairShare } from '../model/fair-share.ts'

/** What the queue must know of a task. */
export interface Queued {
  share: FairShare
  /** Whether it goes before the other tasks of its caller. */
  urgent?: boolean
}

/** Milliseconds after which the time that a share has used counts half. */
const halfLife = 10_000

/** Tasks that wait. The next one belongs to the tenant that used the least time lately, and within it to such a caller. */
export class FairQueue<T extends Queued> {
  private readonly waiting: T[] = []
  private readonly used = new Map<string, number>()
  private halved = performance.now()
  private mean = 0

  /** @param most how many may wait in all */
  constructor(private readonly most: number) {}

  get size(): number {
    return this.waiting.length
  }

  /** How many tasks of a caller wait. */
  countOf(share: FairShare): number {
    return this.waiting.filter((task) => callerKey(task.share) === callerKey(share)).length
  }

  /** Seconds in which all that waits is done, as far as past tasks tell. */
  get seconds(): number {
    return Math.max(1, Math.ceil(((this.waiting.length + 1) * this.mean) / 1000))
  }

  /** Adds a task. A full queue gives up the task that would be the last to run, and returns it. */
  add(task: T): T | undefined {
    this.waiting.push(task)
    if (this.waiting.length <= this.most) return undefined
    return this.take((one, other) => !this.isBefore(one, other))
  }

  next(): T | undefined {
    return this.take((one, other) => this.isBefore(one, other))
  }

  /** Takes out every task. */
  clear(): T[] {
    return this.waiting.splice(0)
  }

  /** Counts the milliseconds that a task took. */
  charge(share: FairShare, milliseconds: number): void {
    this.decay()
    this.mean += (milliseconds - this.mean) / 8
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
    for (const now = performance.now(); now - this.halved >= halfLife; this.halved += halfLife)
      for (const [key, milliseconds] of this.used)
        if (milliseconds < 1) this.used.delete(key)
        else this.used.set(key, milliseconds / 2)
  }
}

const callerKey = ({ tenant, caller }: FairShare) => `${tenant} ${caller}`
