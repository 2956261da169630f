import { type DataSource, EntityManager, type QueryRunner } from 'typeorm'
import type { Caller, Roles } from '../model/caller.ts'
import type { Executor } from '../model/store.ts'
import { isUuid } from '../model/text.ts'

/**
 * The tenants whose rows statements may touch. A client of the pool that knows row-level security sends them with each transaction;
 * other clients ignore them. Without a scope, such a client reads and writes no row of any tenant.
 */
export class TenantScope {
  /** Every tenant: for sweeps, and for rows that are found by something else than their tenant. */
  static readonly every = new TenantScope('*')

  /** @param text the ids, with commas between them, or `*` for every tenant */
  private constructor(readonly text: string) {}

  /** Ids that are no UUIDs are left out: their tenants have no rows. */
  static of(...tenants: (string | null)[]): TenantScope {
    return new TenantScope(tenants.filter((id) => id !== null && isUuid(id)).join())
  }

  /** The scope of a request. A caller without a tenant touches only what its operation admits. */
  static for({ role, tenant }: Caller, roles: Roles): TenantScope {
    return role === roles.everyTenant ? TenantScope.every : TenantScope.of(tenant)
  }

  /** The tenants of several scopes. */
  static union(scopes: Iterable<TenantScope | undefined>): TenantScope {
    const texts = new Set<string>()
    for (const scope of scopes) if (scope?.text) texts.add(scope.text)
    return texts.has('*') ? TenantScope.every : new TenantScope([...texts].join())
  }

  /** A view of a database whose statements and transactions have this scope. */
  view(database: DataSource): DataSource {
    return viewOf(database, (runner) => withScope(runner, this))
  }

  /** Runs work of a manager in this scope; in a transaction, the former scope holds again after it. */
  async run<T>({ queryRunner, connection }: EntityManager, work: (manager: EntityManager) => Promise<T>): Promise<T> {
    if (!queryRunner) return work(this.view(connection).manager)
    const connected: ScopedConnection = await queryRunner.connect()
    const former = connected.scope
    connected.scope = this
    try {
      return await work(queryRunner.manager)
    } finally {
      connected.scope = former
    }
  }

  /** This scope and one more tenant. */
  with(tenant: string): TenantScope {
    return TenantScope.union([this, TenantScope.of(tenant)])
  }

  /** An executor whose statements have this scope, unless they name their own. */
  limit(executor: Executor): Executor {
    return {
      query: (query) => {
        query.scope ??= this
        return executor.query(query)
      },
    }
  }
}

/** The connection of a runner, whose statements have this scope unless they name their own. */
interface ScopedConnection {
  scope?: TenantScope
}

/** A view of a database whose query runners are changed. */
export function viewOf(database: DataSource, change: (runner: QueryRunner) => QueryRunner): DataSource {
  const view: DataSource = Object.create(database, {
    createQueryRunner: { value: (mode: 'master' | 'slave') => change(database.createQueryRunner(mode)) },
  })
  Object.defineProperty(view, 'manager', { value: new EntityManager(view) })
  return view
}

/** Gives a scope to the connection of a runner, and takes it back before the next borrower gets the connection. */
export function withScope(runner: QueryRunner, scope: TenantScope): QueryRunner {
  const connect = runner.connect.bind(runner)
  const release = runner.release.bind(runner)
  let connection: ScopedConnection | undefined
  runner.connect = async () => {
    const connected = await connect()
    if (!connection) {
      connection = connected as ScopedConnection
      connection.scope = scope
    }
    return connected
  }
  runner.release = async () => {
    if (connection) connection.scope = undefined
    connection = undefined
    await release()
  }
  return runner
}

/** Runs work on the connection of the manager's transaction, or else on a connection of its own. */
export async function withConnection<T>(
  { queryRunner, connection }: EntityManager,
  work: (executor: Executor) => Promise<T>,
): Promise<T> {
  if (queryRunner) return work(await queryRunner.connect())
  const runner = connection.createQueryRunner('master')
  try {
    return await work(await runner.connect())
  } finally {
    await runner.release()
  }
}
