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

/**
 * The waiting reads of one statement. A read is sent at once while less than two batches are on their way; otherwise it waits
 * for the end of one. Then the waiting reads of all tenants are sent together, in turn. No timer delays a read.
 */
export class Batcher {
  private readonly queues = new Map<string, PendingRead[]>()
  private sent = 0
  private bytesPerKey = 0

  constructor(
    private readonly mostKeys: number,
    private readonly slots: Slots,
    private readonly send: SendBatch,
    private readonly onIdle?: () => void,
  ) {}

  add(read: PendingRead): void {
    if (this.queues.size === 0 && this.sent < mostBatches && this.slots.take()) void this.run([read])
    else this.wait(read)
  }

  /** Sends waiting reads while connections are free. */
  start(): void {
    while (this.queues.size > 0 && this.sent < mostBatches) {
      if (!this.slots.take()) {
        this.slots.queue(this)
        return
      }
      const reads = this.gather()
      if (reads.length > 0) void this.run(reads)
      else this.slots.give()
    }
  }

  private async run(reads: PendingRead[]): Promise<void> {
    this.sent++
    const bytes = await this.send(reads)
    // A batch of large rows lowers the limit at once; later ones raise it slowly.
    this.bytesPerKey = Math.max(bytes / keysOf(reads), this.bytesPerKey * 0.9)
    this.sent--
    if (this.queues.size > 0) this.slots.queue(this)
    this.slots.give()
    if (this.queues.size === 0 && this.sent === 0) this.onIdle?.()
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
    if (this.sent < mostBatches) this.slots.queue(this)
  }

  /** Takes one read of each tenant in turn until the batch is full. Reads whose client has left are dropped. */
  private gather(): PendingRead[] {
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
