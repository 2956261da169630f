import { Problem } from '../../model/problem.ts'
import type { PendingRead } from './pending-read.ts'

/** Connections for batches, which the batchers of a process share. */
export interface Slots {
  /** Takes a connection for a batch. @returns whether one was free */
  take(): boolean
  give(): void
  /** Starts batches of this batcher once a connection is free. */
  queue(batcher: Batcher): void
  /** The keys of each tenant that wait, in all batchers. */
  readonly waiting: Map<string, number>
}

/** Sends a batch and settles its reads; it does not reject. @returns the bytes received */
export type SendBatch = (reads: PendingRead[]) => Promise<number>

/** The most batches of one statement at a time. */
const mostBatches = 2

/** The most keys of one tenant that may wait. */
const mostWaiting = 512

/** The most bytes that the rows of one batch should have. */
const mostBytes = 1_048_576

/** The most turns of the event loop in which reads gather. */
const mostTurns = 8

/**
 * The waiting reads of one statement. While recent batches had one read each, a read is sent at once if less than two batches are
 * on their way. Otherwise reads gather while each turn of the event loop brings further ones; no timer delays them. Then the
 * waiting reads of all tenants are sent together, in turn. A second batch is sent once it is as large as the one on its way.
 */
export class Batcher {
  private readonly queues = new Map<string, PendingRead[]>()
  private keysWaiting = 0
  private sent = 0
  private keysSent = 0
  /** How many reads recent batches had: a larger batch raises it at once, smaller ones lower it slowly. */
  private recentReads = 1
  private bytesPerKey = 0
  private isGathering = false

  constructor(
    private readonly mostKeys: number,
    private readonly slots: Slots,
    private readonly send: SendBatch,
    private readonly onIdle?: () => void,
  ) {}

  add(read: PendingRead): void {
    const isLone = this.keysWaiting === 0 && this.recentReads < 2
    if (isLone && this.sent < mostBatches && this.slots.take()) void this.run([read])
    else this.wait(read)
  }

  /** Sends waiting reads while connections are free. */
  start(): void {
    while (this.keysWaiting > 0 && this.sent < mostBatches && this.keysWaiting >= this.keysSent) {
      if (!this.slots.take()) {
        this.slots.queue(this)
        return
      }
      const reads = this.takeTurns()
      if (reads.length > 0) void this.run(reads)
      else this.slots.give()
    }
  }

  private async run(reads: PendingRead[]): Promise<void> {
    const keys = keysOf(reads)
    this.sent++
    this.keysSent += keys
    this.recentReads = Math.max(reads.length, this.recentReads * 0.9)
    const bytes = await this.send(reads)
    // A batch of large rows lowers the limit at once; later ones raise it slowly.
    this.bytesPerKey = Math.max(bytes / keys, this.bytesPerKey * 0.9)
    this.sent--
    this.keysSent -= keys
    this.slots.give()
    if (this.keysWaiting > 0) this.gather()
    else if (this.sent === 0) this.onIdle?.()
  }

  /** Starts batches at the end of the first turn of the event loop that brings no further read. */
  private gather(): void {
    if (this.isGathering) return
    this.isGathering = true
    let [turns, before] = [0, this.keysWaiting]
    const endTurn = () => {
      const isMore = this.keysWaiting > before && this.keysWaiting < this.mostKeys && ++turns < mostTurns
      before = this.keysWaiting
      if (isMore) setImmediate(endTurn)
      else {
        this.isGathering = false
        this.start()
      }
    }
    setImmediate(endTurn)
  }

  private wait(read: PendingRead): void {
    const { tenant, keys } = read
    const keysOfTenant = (this.slots.waiting.get(tenant) ?? 0) + keys.length
    if (keysOfTenant > mostWaiting) {
      read.fail(tooManyWait())
      return
    }
    this.slots.waiting.set(tenant, keysOfTenant)
    const queue = this.queues.get(tenant) ?? []
    this.queues.set(tenant, queue)
    queue.push(read)
    read.onExpired = () => this.remove(read)
    this.keysWaiting += keys.length
    if (this.sent < mostBatches) this.gather()
  }

  /** Takes one read of each tenant in turn until the batch is full. Reads whose client has left are dropped. */
  private takeTurns(): PendingRead[] {
    const most = Math.max(1, Math.min(this.mostKeys, Math.floor(mostBytes / this.bytesPerKey)))
    const reads: PendingRead[] = []
    let keys = 0
    for (const [tenant, [read]] of this.queues) {
      if (keys > 0 && keys + read.keys.length > most) break
      this.remove(read)
      // The loop also visits entries that are added meanwhile: a tenant's next read comes after one of each other tenant.
      const rest = this.queues.get(tenant)
      if (rest) {
        this.queues.delete(tenant)
        this.queues.set(tenant, rest)
      }
      if (read.isAbandoned) read.fail(new Problem(408, 'The client closed its connection before this was read.'))
      else {
        reads.push(read)
        keys += read.keys.length
      }
    }
    return reads
  }

  private remove(read: PendingRead): void {
    const { tenant, keys } = read
    read.onExpired = undefined
    this.keysWaiting -= keys.length
    const queue = this.queues.get(tenant) ?? []
    queue.splice(queue.indexOf(read), 1)
    if (queue.length === 0) this.queues.delete(tenant)
    const left = (this.slots.waiting.get(tenant) ?? 0) - keys.length
    if (left > 0) this.slots.waiting.set(tenant, left)
    else this.slots.waiting.delete(tenant)
  }
}

function keysOf(reads: PendingRead[]): number {
  return reads.reduce((sum, { keys }) => sum + keys.length, 0)
}

function tooManyWait(): Problem {
  return new Problem(
    429,
    `${mostWaiting} of your reads already wait for the database, which is the limit. Send this one again after they are answered.`,
    { 'Retry-After': '1' },
  )
}
