import type { Pool, PoolConfig } from 'pg'
import { DataSource } from 'typeorm'
import * as entities from './entities/index.ts'
import { migrations } from './src/migrations/index.ts'
import { batchesThroughPooler, listsThroughPooler, throughPooler } from './src/postgres/client/pooled-client.ts'
import { direct } from './src/postgres/client/statement-client.ts'
import type { RowSecurity } from './src/postgres/row-security.ts'

/** The application's DataSource. `connectTo` sets its address at boot. */
export const database = new DataSource({
  type: 'postgres',
  entities: Object.values(entities),
  migrations,
  synchronize: false,
  installExtensions: false,
  uuidExtension: 'pgcrypto',
  migrationsTransactionMode: 'each',
})

/** Time limits of a connection, in milliseconds. Postgres's own limits end a statement before `query_timeout` does. */
const limits = {
  connectionTimeoutMillis: 3000,
  idleTimeoutMillis: 30_000,
  statement_timeout: 5000,
  lock_timeout: 2000,
  idle_in_transaction_session_timeout: 10_000,
  query_timeout: 8000,
}

const applicationName = 'organization-api'

/** Times have one zone in every session. */
const utc = '-c timezone=UTC'

/** The address of a Postgres: a URL, or the folder of its unix socket. */
export type DatabaseAddress = { url: string } | { host: string; port: number; username: string; database: string }

/** Statements of lists are short. One that waits for a lock fails with the lock's own error before its time is up. */
const listLimits = { statement_timeout: 1000, lock_timeout: 500, query_timeout: 2000 }

/** Lists get half as many connections as items and writes, because their statements keep Postgres's processors busy. */
const listPoolSize = (poolSize: number) => Math.ceil(poolSize / 2)

/**
 * Pages are read in the order of an index. The default of 4 is for disks that spin: a plan that is kept then sorts all rows of a
 * tenant after a cursor.
 */
const indexPlans = '-c random_page_cost=1.1'

/** Behind a policy, Postgres would start further processes for a count that one process finishes sooner. */
const listPlans = `${indexPlans} -c max_parallel_workers_per_gather=0`

/** Options of a second pool to the same Postgres, for lists only. */
export function listPoolOptions({ options }: Pool): PoolConfig {
  const { password, ssl, max = 10, Client } = options
  const sessions = listSessions(Client === throughPooler.Client)
  return { ...options, password, ssl, max: listPoolSize(max), ...listLimits, ...sessions }
}

function listSessions(isPooled: boolean): PoolConfig {
  return isPooled ? listsThroughPooler : { ...direct, options: `${utc} ${listPlans}` }
}

/** A batch of reads may last two seconds with the time that its reads have waited. */
const batchLimits = { statement_timeout: 1900, lock_timeout: 1500, query_timeout: 2000, connectionTimeoutMillis: 2000 }

/** The plan of a batch must not depend on its size: a custom plan for many keys of a small table reads all of it. Pages are batched, too. */
const batchPlans = `${indexPlans} -c plan_cache_mode=force_generic_plan -c jit=off`

/** Options of a pool to the same Postgres, for batches of reads only. They never use more than half as many connections. */
export function batchPoolOptions({ options }: Pool): PoolConfig {
  const { password, ssl, max = 10, Client } = options
  const own = options as unknown as Record<string, unknown>
  const shortest = Object.entries(batchLimits).map(([name, limit]) => [
    name,
    Math.min(limit, Number(own[name]) || limit),
  ])
  const sessions =
    Client === throughPooler.Client ? batchesThroughPooler : { ...direct, options: `${utc} ${batchPlans}` }
  return {
    ...options,
    password,
    ssl,
    max: Math.max(1, Math.floor(max / 2)),
    ...Object.fromEntries(shortest),
    ...sessions,
  }
}

/** Jobs have higher limits: they wait for outside services while they hold a lock, and no client waits for them. */
const backgroundLimits = {
  ...limits,
  statement_timeout: 60_000,
  idle_in_transaction_session_timeout: 60_000,
  query_timeout: 70_000,
}

/** A DataSource with its own connections to Postgres itself, for jobs: requests never wait for them. */
export function backgroundSource(source: DataSource, poolSize: number): DataSource {
  return new DataSource({ ...directOptions(source, { ...backgroundLimits, max: poolSize }), migrations: [] })
}

/** A DataSource with one session of Postgres itself and no entities, to listen for notifications. */
export function sessionSource(source: DataSource): DataSource {
  return new DataSource({
    ...directOptions(source, { ...limits, max: 1, keepAlive: true }),
    entities: [],
    migrations: [],
  })
}

/** A DataSource of the owner, with the limits of requests. */
export function ownerSource(source: DataSource): DataSource {
  return new DataSource(directOptions(source, { ...limits, max: 10 }, otherUrls.get(source.options)?.owner))
}

/** A DataSource of the owner, for migrations: one of a large table takes minutes, and other starting processes wait for it. */
export function withoutTimeouts(source: DataSource): DataSource {
  const none = { statement_timeout: 0, lock_timeout: 0, idle_in_transaction_session_timeout: 0, query_timeout: 0 }
  return new DataSource(directOptions(source, { ...none, max: 2 }, otherUrls.get(source.options)?.owner))
}

/** Whether a DataSource connects as another role than the owner of its tables. */
export function hasOwner(source: DataSource): boolean {
  return otherUrls.get(source.options)?.owner !== undefined
}

/** Further URLs of Postgres itself. */
interface OtherUrls {
  /** For a DataSource whose own address leads to a pooler. */
  direct?: string
  /** For the owner of the tables, where the DataSource connects as another role. */
  owner?: string
}

/** By the options of a DataSource, which its views share. */
const otherUrls = new WeakMap<object, OtherUrls>()

type SecuredOptions = PoolConfig & { rowSecurity?: RowSecurity }

/** The state of row-level security that the connections of a DataSource share. */
export function rowSecurityOf(source: DataSource): RowSecurity {
  return (source.options as { extra: { rowSecurity: RowSecurity } }).extra.rowSecurity
}

/** Whether the address of a DataSource leads to a pooler. */
export function isPooled(source: DataSource): boolean {
  return otherUrls.get(source.options)?.direct !== undefined
}

/** The options of a DataSource, with sessions of Postgres itself: a pooler would lose their locks and notifications. */
function directOptions(source: DataSource, settings: PoolConfig, ownerUrl?: string): DataSource['options'] {
  const { extra, ...options } = source.options as { extra: PoolConfig } & DataSource['options']
  const url = ownerUrl ?? otherUrls.get(source.options)?.direct
  const sessions = isPooled(source) ? { ...direct, options: utc } : {}
  const owned = ownerUrl ? { rowSecurity: { isOn: false } } : {}
  return {
    ...options,
    ...(url && { url }),
    extra: { ...extra, ...sessions, ...settings, ...owned },
  } as DataSource['options']
}

/**
 * Points the DataSource at a Postgres. The caller initializes it.
 * @param others further URLs of the same database
 */
export function connectTo(address: DatabaseAddress, poolSize: number, others: OtherUrls = {}): DataSource {
  otherUrls.set(database.options, others)
  const rowSecurity: RowSecurity = { isOn: false }
  return database.setOptions({
    ...address,
    applicationName,
    poolErrorHandler: () => {},
    extra: { ...limits, max: poolSize, rowSecurity, ...sessionsOf(others.direct !== undefined) },
  } as Parameters<DataSource['setOptions']>[0])
}

/** Options of a pool to a replica. Its timeouts are short, because the primary can answer instead. */
export function replicaPoolOptions(
  url: string,
  poolSize: number,
  isPooled: boolean,
  rowSecurity?: RowSecurity,
): SecuredOptions {
  return {
    ...limits,
    ...listLimits,
    connectionString: url,
    connectionTimeoutMillis: 500,
    application_name: applicationName,
    max: listPoolSize(poolSize),
    rowSecurity,
    ...listSessions(isPooled),
  }
}

/** Options of a pool to the address of a pooler. */
export function pooledOptions(url: string): PoolConfig {
  return { ...limits, connectionString: url, application_name: applicationName, ...throughPooler }
}

/** How a connection gets its time zone and its limits: as a session, or with each transaction. */
function sessionsOf(isPooled: boolean): PoolConfig {
  return isPooled ? throughPooler : { ...direct, options: utc }
}
