import type { Pool } from 'pg'
import type { Client, KeyedRead, ReadKey, Reads } from '../../model/store.ts'
import type { TenantScope } from '../tenant-scope.ts'
import { Batcher, type Slots } from './batcher.ts'
import { PendingRead } from './pending-read.ts'
import { type Batch, sendBatch } from './send-batch.ts'

/** The batches of reads of a database. Each statement has a batcher of its own; all share a pool of connections. */
export class ReadBatches implements Slots {
  /** Called with the number of keys of each batch. */
  onBatch: ((keys: number) => void) | undefined
  /** Whether Citus distributes the tables: there a lateral would ask every shard, so batches are made per tenant. */
  isDistributed = false
  private free: number
  private readonly batchers = new Map<KeyedRead, Map<string, Batcher>>()
  readonly waiting = new Map<string, number>()
  /** Batchers that wait for a connection, in the order in which they get one. */
  private readonly queued = new Set<Batcher>()

  constructor(readonly pool: Pool) {
    this.free = pool.options.max ?? 5
  }

  /** The reads of one request. */
  of(tenant: string, client: Client | undefined, scope?: TenantScope): Reads {
    return {
      isDistributed: this.isDistributed,
      read: (statement, keys) => {
        const read = new PendingRead(keys, tenant, client, scope)
        this.batcherOf(statement, keys[0]).add(read)
        return read.rows
      },
    }
  }

  /** The batcher of a statement. On a distributed database each scope has its own, because its rows are on one node. */
  private batcherOf(statement: KeyedRead, key: ReadKey): Batcher {
    const isOneScope = this.isDistributed && statement.readsByScope
    const scope = isOneScope ? statement.scopeOf(key) : ''
    const byScope = this.batchers.get(statement) ?? new Map<string, Batcher>()
    this.batchers.set(statement, byScope)
    const known = byScope.get(scope)
    if (known) return known
    const batch: Batch = { pool: this.pool, statement, isOneScope }
    const send = (reads: PendingRead[]) => {
      this.onBatch?.(reads.reduce((sum, { keys }) => sum + keys.length, 0))
      return sendBatch(batch, reads)
    }
    const made = new Batcher(statement.most, this, send, isOneScope ? () => byScope.delete(scope) : undefined)
    byScope.set(scope, made)
    return made
  }

  take(): boolean {
    if (this.free === 0) return false
    this.free--
    return true
  }

  give(): void {
    this.free++
    for (const batcher of this.queued) {
      if (this.free === 0) return
      this.queued.delete(batcher)
      batcher.start()
    }
  }

  queue(batcher: Batcher): void {
    this.queued.add(batcher)
  }
}
