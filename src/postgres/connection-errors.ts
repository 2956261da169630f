import type { Client, Pool } from 'pg'
import type { DataSource } from 'typeorm'
import type { PostgresDriver } from 'typeorm/driver/postgres/PostgresDriver.js'
import { withTimeout } from '../start/with-timeout.ts'

/** The limit for Postgres to close its connections. */
const closeTimeoutMs = 1000

export function closeDatabase(database: DataSource): Promise<void> {
  return database.isInitialized
    ? closePool((database.driver as PostgresDriver).master, () => database.destroy())
    : Promise.resolve()
}

/** Ends a pool, and destroys the connections that Postgres does not close in time. */
export async function closePool(pool: Pool, end: () => Promise<void>): Promise<void> {
  const ended = end()
  if (await withTimeout(closeTimeoutMs, ended)) return
  for (const { connection } of clients.get(pool) ?? []) connection.stream.destroy()
  await withTimeout(closeTimeoutMs, ended)
}

const ignore = (): void => {}

/** Keeps errors of a database's connections from ending the process; queries still fail with them. */
export function survivePoolErrors(database: DataSource): void {
  surviveConnectionErrors((database.driver as PostgresDriver).master)
}

/** The open connections of each pool, which `closePool` can destroy. */
const clients = new WeakMap<NodeJS.EventEmitter, Set<Client>>()

/**
 * Handles the errors of a pool's connections. Without a handler, a connection that is cut between two uses would end the process.
 * The handler is added when a connection is made, and also when one is lent: the pool may have made one before this call.
 */
export function surviveConnectionErrors(pool: NodeJS.EventEmitter): void {
  const handled = new Set<Client>()
  const handle = (client: Client): void => {
    if (handled.has(client)) return
    handled.add(client)
    client.on('error', ignore)
    client.once('end', () => handled.delete(client))
  }
  clients.set(pool, handled)
  pool.on('connect', handle)
  pool.on('acquire', handle)
  if (pool.listenerCount('error') === 0) pool.on('error', ignore)
}
