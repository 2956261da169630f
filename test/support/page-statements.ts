import type { Pool, PoolClient } from 'pg'
import type { DataSource } from 'typeorm'
import { poolsOf } from '../../src/runtime/database.ts'

/** A statement as it is sent. */
export interface PageStatement {
  name: string
  text: string
  values: unknown[]
  /** The tenants whose rows it may touch. */
  scope?: { readonly text: string }
  isExempt?: boolean
}

/** Calls a function with each statement that reads a page: on the connections for lists, and on those for batches. */
export function watchPages(database: DataSource, seen: (statement: PageStatement) => void): void {
  const { items, lists } = poolsOf(database)
  watch(lists.pool, seen)
  const watched = new WeakSet<PoolClient>()
  items.batches?.pool.on('acquire', (client) => {
    if (watched.has(client)) return
    watched.add(client)
    watch(client, (statement) => {
      if (/:pages:[\da-f]{16}/.test(statement.name ?? '')) seen(statement)
    })
  })
}

/** Calls a function with each statement of a connection. */
export function watch(connection: Pool | PoolClient, seen: (statement: PageStatement) => void): void {
  const query = connection.query.bind(connection) as (statement: unknown, ...rest: unknown[]) => unknown
  connection.query = ((statement: PageStatement | string, ...rest: unknown[]) => {
    // The statement of a batch has the scope of its connection.
    const sent = typeof statement === 'string' ? { name: '', text: statement, values: [] } : statement
    seen({ ...sent, scope: sent.scope ?? (connection as { scope?: PageStatement['scope'] }).scope })
    return query(statement, ...rest)
  }) as never
}
