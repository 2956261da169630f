import type { Pool, PoolConfig } from 'pg'
import { DataSource } from 'typeorm'
import * as entities from './entities/index.ts'
import { migrations } from './src/migrations/index.ts'

/** The one DataSource; where it connects to is told at boot, by `connectTo`. */
export const database = new DataSource({
  type: 'postgres',
  entities: Object.values(entities),
  migrations,
  synchronize: false,
  installExtensions: false,
  uuidExtension: 'pgcrypto',
  migrationsTransactionMode: 'each',
})

/** What a connection may take before it is given up, in milliseconds; the server's own limits come first. */
const limits = {
  connectionTimeoutMillis: 3000,
  idleTimeoutMillis: 30_000,
  statement_timeout: 5000,
  lock_timeout: 2000,
  idle_in_transaction_session_timeout: 10_000,
  query_timeout: 8000,
}

const applicationName = 'organization-api'

/** Where a Postgres is: a URL, or the directory of its unix socket. */
export type DatabaseAddress = { url: string } | { host: string; port: number; username: string; database: string }

/** A list is read by statements that are short or not worth waiting for; what it waits for is told before it is too slow. */
const listLimits = { statement_timeout: 1000, lock_timeout: 500, query_timeout: 2000 }

/** How many connections lists have where items and writes have so many: lists keep the processors of Postgres busy. */
const listPoolSize = (pool: number) => Math.ceil(pool / 2)

/** Connections to the same Postgres for lists alone. */
export function listPoolOptions({ options }: Pool): PoolConfig {
  const { password, ssl, max = 10 } = options
  return { ...options, password, ssl, max: listPoolSize(max), ...listLimits }
}

/** Jobs wait for others while they hold a lock, and nobody waits for them. */
const backgroundLimits = {
  ...limits,
  statement_timeout: 60_000,
  idle_in_transaction_session_timeout: 60_000,
  query_timeout: 70_000,
}

/** A few more connections to the same Postgres, for what is done in the background: requests never wait for those. */
export function backgroundSource(source: DataSource, pool: number): DataSource {
  const { extra, ...options } = source.options as { extra: object } & DataSource['options']
  return new DataSource({
    ...options,
    migrations: [],
    extra: { ...extra, ...backgroundLimits, max: pool },
  } as DataSource['options'])
}

/** A large table takes a migration minutes, and another process that starts waits for it. */
export function withoutTimeouts(source: DataSource): DataSource {
  const { extra, ...options } = source.options as { extra: object } & DataSource['options']
  const none = { statement_timeout: 0, lock_timeout: 0, idle_in_transaction_session_timeout: 0, query_timeout: 0 }
  return new DataSource({ ...options, extra: { ...extra, ...none, max: 2 } } as DataSource['options'])
}

/** Points the DataSource at a Postgres, with so many connections to it. */
export function connectTo(address: DatabaseAddress, pool: number): DataSource {
  return database.setOptions({
    ...address,
    applicationName,
    poolErrorHandler: () => {},
    extra: { ...limits, max: pool, options: '-c timezone=UTC' },
  } as Parameters<DataSource['setOptions']>[0])
}

/** The same for a replica, which is not waited for long: there is the primary. */
export function replicaPoolOptions(url: string, pool: number): PoolConfig {
  return {
    ...limits,
    ...listLimits,
    connectionString: url,
    connectionTimeoutMillis: 500,
    application_name: applicationName,
    max: listPoolSize(pool),
    options: '-c timezone=UTC',
  }
}
