import type { DataSource, EntityManager } from 'typeorm'
import type { PlainEntity } from '../model/entity.ts'
import { Problem } from '../model/problem.ts'
import type { Client, Executor, InsertOptions } from '../model/store.ts'
import { isConflict } from './database-problem.ts'
import type { FairPool } from './fair-pool.ts'
import { insertThrough } from './insert-row.ts'
import type { TenantScope } from './tenant-scope.ts'
import { deleteThrough, updateThrough } from './write-row.ts'

/** The reads and writes of one request. They run in one transaction where needed, and again after a lost race. */
export class UnitOfWork {
  private transactional: EntityManager | undefined
  private readonly afterwards: (() => void)[] = []
  private single: Executor
  private shared: DataSource | undefined

  /** Whether references of the body are left to the foreign keys of the row that the request inserts. */
  leavesToKeys = false

  /**
   * @param client the client that waits for the response
   * @param scope the tenants whose rows the request may touch
   * @param conditional whether the request has If-Match; then a version conflict is 412 and is not retried
   */
  constructor(
    private readonly whole: DataSource,
    private readonly pool: FairPool,
    private readonly tenant: string,
    private readonly client: Client,
    private scope: TenantScope,
    private readonly conditional: boolean,
  ) {
    this.single = pool.of(tenant, client, scope)
  }

  /** The database, limited to the tenant's share of connections. */
  get database(): DataSource {
    this.shared ??= this.pool.within(this.whole, this.tenant, this.scope)
    return this.shared
  }

  get manager(): EntityManager {
    return this.transactional ?? this.database.manager
  }

  /** Runs compiled statements, in the transaction if there is one. */
  get executor(): Executor {
    return this.connection ?? this.single
  }

  /** The connection of the transaction. */
  private get connection(): (Executor & { scope?: TenantScope }) | undefined {
    return (this.transactional?.queryRunner as { databaseConnection?: Executor } | undefined)?.databaseConnection
  }

  /** Lets the rest of the request touch the rows of another tenant. */
  admit(tenant: string): void {
    this.scope = this.scope.with(tenant)
    this.single = this.pool.of(this.tenant, this.client, this.scope)
    this.shared = undefined
    if (this.connection) this.connection.scope = this.scope
  }

  get inTransaction(): boolean {
    return this.transactional !== undefined
  }

  /** Runs work in one transaction, and again after a deadlock or a serialization failure: three attempts at most. */
  async transaction<T>(work: () => Promise<T>): Promise<T> {
    if (this.transactional) return work()
    for (let tries = 1; ; tries++)
      try {
        return await this.database.transaction(async (manager) => {
          this.transactional = manager
          return work()
        })
      } catch (error) {
        if (tries === 3 || !isConflict(error)) throw error
      } finally {
        this.transactional = undefined
      }
  }

  /** Runs work that writes with one statement, and again after a lost race. An open transaction retries as a whole instead. */
  async statement<T>(work: () => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries++)
      try {
        return await work()
      } catch (error) {
        if (this.transactional || tries === 3 || !isConflict(error)) throw error
      }
  }

  /** Runs work once all writes of the request are committed. */
  after(work: () => void): void {
    this.afterwards.push(work)
  }

  /**
   * Runs the work of an operation, and then the work given to `after`. Without If-Match the client accepts any state of the
   * resource, so the work runs again after a version conflict: ten retries at most.
   */
  async run<T>(work: () => Promise<T>): Promise<T> {
    for (let left = this.conditional ? 0 : 10; ; left--)
      try {
        const outcome = await work()
        for (const afterwards of this.afterwards) afterwards()
        return outcome
      } catch (error) {
        this.afterwards.length = 0
        if (!(error instanceof VersionConflict)) throw error
        if (left === 0) throw new VersionConflict(this.conditional)
      }
  }

  async insert<T extends PlainEntity>(entity: T, options?: InsertOptions): Promise<T> {
    await insertThrough(this.executor, this.whole.getMetadata(entity.constructor), entity, options)
    this.leavesToKeys = false
    return entity
  }

  /** Writes the difference between two states of an entity. @throws VersionConflict when another request has written it since */
  async save<T extends PlainEntity>(before: T, after: T): Promise<T> {
    if (await updateThrough(this.executor, this.whole.getMetadata(before.constructor), before, after)) return after
    throw new VersionConflict(this.conditional)
  }

  async remove(entity: PlainEntity): Promise<void> {
    if (!(await deleteThrough(this.executor, this.whole.getMetadata(entity.constructor), entity)))
      throw new VersionConflict(this.conditional)
  }
}

/** Another request wrote the row after this one read it: 412 with If-Match, otherwise 409. */
export class VersionConflict extends Problem {
  constructor(conditional: boolean) {
    if (conditional) super(412, 'The resource has changed since the ETag in If-Match was issued. Read it again.')
    else super(409, 'Another request changed the resource at the same time. Read it again, then retry.')
  }
}
