import type { DataSource, EntityManager } from 'typeorm'
import { Problem } from '../model/problem.ts'
import type { Executor } from '../model/store.ts'
import { isConflict } from './database-problem.ts'
import type { FairPool } from './fair-pool.ts'
import { deleteRow, insertRow, updateRow } from './write-row.ts'

/** What one request reads and writes: in one transaction where it needs one, and once more where it lost a race. */
export class UnitOfWork {
  private transactional: EntityManager | undefined
  private readonly afterwards: (() => void)[] = []
  private readonly single: Executor
  private shared: DataSource | undefined

  /** @param conditional whether the client has said which state it means to change, so that no other will do */
  constructor(
    private readonly whole: DataSource,
    private readonly pool: FairPool,
    private readonly tenant: string,
    private readonly conditional: boolean,
  ) {
    this.single = pool.of(tenant)
  }

  /** The database, of whose connections the tenant has a share. */
  get database(): DataSource {
    this.shared ??= this.pool.within(this.whole, this.tenant)
    return this.shared
  }

  get manager(): EntityManager {
    return this.transactional ?? this.database.manager
  }

  /** Where compiled statements run: in the transaction when there is one. */
  get executor(): Executor {
    const runner = this.transactional?.queryRunner as { databaseConnection?: Executor } | undefined
    return runner?.databaseConnection ?? this.single
  }

  get inTransaction(): boolean {
    return this.transactional !== undefined
  }

  /** Runs work in one transaction, again when it lost a race against another. */
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

  /** Runs work that writes with one statement, again when it lost a race; within a transaction that is run again as a whole. */
  async statement<T>(work: () => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries++)
      try {
        return await work()
      } catch (error) {
        if (this.transactional || tries === 3 || !isConflict(error)) throw error
      }
  }

  /** Has something done once all that is written here is committed. */
  after(work: () => void): void {
    this.afterwards.push(work)
  }

  /**
   * Runs the work of an operation, and then what waited for its end. Without If-Match the client does not care which state it
   * changes, so a race lost against another client is simply run again.
   */
  async run<T>(work: () => Promise<T>): Promise<T> {
    for (let left = this.conditional ? 0 : 10; ; left--)
      try {
        const outcome = await work()
        for (const afterwards of this.afterwards) afterwards()
        return outcome
      } catch (error) {
        this.afterwards.length = 0
        if (left === 0 || !(error instanceof VersionConflict)) throw error
      }
  }

  async insert<T extends object>(entity: T): Promise<T> {
    await insertRow(this.manager, entity)
    return entity
  }

  /** Writes the difference between two states of an entity; Problem 409 when somebody else has written it since. */
  async save<T extends object>(before: T, after: T): Promise<T> {
    if (await updateRow(this.manager, before, after)) return after
    throw new VersionConflict(this.conditional)
  }

  async remove(entity: object): Promise<void> {
    if (!(await deleteRow(this.manager, entity))) throw new VersionConflict(this.conditional)
  }
}

/** Somebody else wrote the row between reading and writing it. */
export class VersionConflict extends Problem {
  constructor(conditional: boolean) {
    if (conditional) super(412, 'The resource has changed since the ETag in If-Match was given: read it again.')
    else super(409, 'Somebody else changed it at the same moment: read it again, then decide.')
  }
}
