import type { Pool } from 'pg'
import type { DataSource, QueryRunner } from 'typeorm'
import { Problem } from '../model/problem.ts'
import type { Client, Executor } from '../model/store.ts'
import { KeyedStatement, type KeyedText } from './batch/keyed-statement.ts'
import { ReadBatches } from './batch/read-batches.ts'
import { type TenantScope, viewOf, withScope } from './tenant-scope.ts'

/** The most requests of one tenant that may wait for a connection, and their noun in the refusal of further ones. */
interface Bound {
  waiting: number
  name: string
}

/** The connections of a process. Lists have their own pool, so slow lists never block items and writes. */
export interface Pools {
  items: FairPool
  lists: FairPool
}

type Waiter = () => void

/** Milliseconds that a request waits for a connection when the pool has no connection timeout. */
const usualPatience = 3000

/**
 * Divides the connections of a pool among tenants. A tenant holds at most half of the connections that the others leave.
 * So a tenant with slow or locked statements never takes the last ones. Its further requests wait in memory, in order.
 */
export class FairPool {
  /** Batches of reads, on connections of their own; reads are not batched where it is absent. */
  readonly batches: ReadBatches | undefined
  private free: number
  private readonly held = new Map<string, number>()
  /** Tenants whose requests wait, in the order in which they are served. */
  private readonly queues = new Map<string, Waiter[]>()

  constructor(
    readonly pool: Pool,
    private readonly bound: Bound,
    batchPool?: Pool,
  ) {
    this.batches = batchPool && new ReadBatches(batchPool)
    this.free = pool.options.max ?? 10
  }

  /**
   * Runs work that uses one connection of the pool at a time.
   * @throws Problem 429 when too many requests of the tenant wait, 503 when no connection becomes free in time
   */
  run<T>(tenant: string, work: (executor: Executor) => Promise<T>): Promise<T> {
    const turn = this.enter(tenant)
    return turn ? turn.then(() => this.hold(tenant, work)) : this.hold(tenant, work)
  }

  /** Runs work like `run` if a connection is free for the tenant; otherwise returns undefined. */
  runNow<T>(tenant: string, work: (executor: Pool) => Promise<T>): Promise<T> | undefined {
    if (!this.allows(tenant)) return undefined
    this.take(tenant)
    return this.hold(tenant, work)
  }

  /** How many requests wait for a connection. */
  get waiting(): number {
    let sum = 0
    for (const queue of this.queues.values()) sum += queue.length
    return sum
  }

  /** A statement that reads rows by key, and is batched. */
  static keyed(text: KeyedText): KeyedStatement {
    return new KeyedStatement(text)
  }

  /**
   * The executor for single statements of a tenant.
   * @param client the client that waits for them
   * @param scope the tenants whose rows they may touch; none where it is absent
   */
  of(tenant: string, client?: Client, scope?: TenantScope): Executor {
    return {
      query: (query) => {
        query.scope ??= scope
        return this.run(tenant, () => this.pool.query(query))
      },
      reads: this.batches?.of(tenant, client, scope),
    }
  }

  /**
   * The database for one tenant: each query runner holds one connection of the tenant's share.
   * @param scope the tenants whose rows it may touch; none where it is absent
   */
  within(database: DataSource, tenant: string, scope?: TenantScope): DataSource {
    return viewOf(database, (runner) => {
      const shared = this.share(runner, tenant)
      return scope ? withScope(shared, scope) : shared
    })
  }

  private share(runner: QueryRunner, tenant: string): QueryRunner {
    const connect = runner.connect.bind(runner)
    const release = runner.release.bind(runner)
    let turn: Promise<void> | undefined
    runner.connect = async () => {
      if (!runner.isReleased) turn ??= this.enter(tenant) ?? Promise.resolve()
      await turn
      return connect()
    }
    runner.release = async () => {
      const entered = turn
      turn = undefined
      try {
        await release()
      } finally {
        entered?.then(
          () => this.leave(tenant),
          () => {},
        )
      }
    }
    return runner
  }

  private async hold<T>(tenant: string, work: (pool: Pool) => Promise<T>): Promise<T> {
    try {
      return await work(this.pool)
    } finally {
      this.leave(tenant)
    }
  }

  /** Takes a connection of the tenant's share; returns a promise if none is free for it. */
  private enter(tenant: string): Promise<void> | undefined {
    const queue = this.queues.get(tenant) ?? []
    if (queue.length === 0 && this.allows(tenant)) {
      this.take(tenant)
      return undefined
    }
    const { waiting, name } = this.bound
    if (queue.length >= waiting)
      return Promise.reject(
        new Problem(
          429,
          `${waiting} of your requests already wait for ${name}, which is the limit. Send this one again after they are answered.`,
          { 'Retry-After': '1' },
        ),
      )
    return this.wait(tenant, queue)
  }

  private wait(tenant: string, queue: Waiter[]): Promise<void> {
    const patience = this.pool.options.connectionTimeoutMillis || usualPatience
    return new Promise((resolve, reject) => {
      const served = () => {
        clearTimeout(timer)
        resolve()
      }
      const timer = setTimeout(() => {
        queue.splice(queue.indexOf(served), 1)
        if (queue.length === 0) this.queues.delete(tenant)
        const sentence = `The database cannot be reached at the moment: no connection became free within ${patience / 1000} seconds. Try again shortly.`
        reject(new Problem(503, sentence, { 'Retry-After': '2' }))
      }, patience)
      queue.push(served)
      this.queues.set(tenant, queue)
    })
  }

  private allows(tenant: string): boolean {
    const held = this.held.get(tenant) ?? 0
    return this.free > 0 && held < Math.max(1, Math.floor((this.free + held) / 2))
  }

  private take(tenant: string): void {
    this.free--
    this.held.set(tenant, (this.held.get(tenant) ?? 0) + 1)
  }

  private leave(tenant: string): void {
    this.free++
    const held = (this.held.get(tenant) ?? 0) - 1
    if (held > 0) this.held.set(tenant, held)
    else this.held.delete(tenant)
    if (this.queues.size > 0) this.serve()
  }

  /** Gives free connections to waiting requests. A tenant that was served moves to the end of the queue. */
  private serve(): void {
    for (const [tenant, queue] of this.queues) {
      if (this.free === 0) return
      if (!this.allows(tenant)) continue
      this.take(tenant)
      const served = queue.shift()
      this.queues.delete(tenant)
      if (queue.length > 0) this.queues.set(tenant, queue)
      served?.()
    }
  }
}
