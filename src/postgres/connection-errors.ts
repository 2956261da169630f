import type { Client, Pool } from 'pg'
import type { DataSource } from 'typeorm'
import type { PostgresDriver } from 'typeorm/driver/postgres/PostgresDriver.js'
import { withTimeout } from '../start/with-timeout.ts'

/** Milliseconds that Postgres may take to close its connections. */
const patience = 1000

export function closeDatabase(database: DataSource): Promise<void> {
  return database.isInitialized
    ? closePool((database.driver as PostgresDriver).master, () => database.destroy())
    : Promise.resolve()
}

/** Ends a pool, and cuts the connections that Postgres does not close in time because it hangs. */
export async function closePool(pool: Pool, end: () => Promise<void>): Promise<void> {
  const ended = end()
  if (await withTimeout(patience, ended)) return
  for (const { connection } of clients.get(pool) ?? []) connection.stream.destroy()
  await withTimeout(patience, ended)
}

const unheard = (): void => {}

export function survivePoolErrors(database: DataSource): void {
  surviveConnectionErrors((database.driver as PostgresDriver).master)
}

/** The connections of each pool that is heard. */
const clients = new WeakMap<NodeJS.EventEmitter, Set<Client>>()

/**
 * A connection that is cut while nobody listens to it, as just after it was made or as it is given back, would end the
 * process. It is heard from when it is lent for the first time: the pool has one already that was made before this.
 */
export function surviveConnectionErrors(pool: NodeJS.EventEmitter): void {
  const heard = new Set<Client>()
  const listen = (client: Client): void => {
    if (heard.has(client)) return
    heard.add(client)
    client.on('error', unheard)
    client.once('end', () => heard.delete(client))
  }
  clients.set(pool, heard)
  pool.on('connect', listen)
  pool.on('acquire', listen)
  if (pool.listenerCount('error') === 0) pool.on('error', unheard)
}
