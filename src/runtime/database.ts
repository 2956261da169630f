import { Pool } from 'pg'
import type { DataSource } from 'typeorm'
import type { PostgresDriver } from 'typeorm/driver/postgres/PostgresDriver.js'
import { batchPoolOptions, connectTo, listPoolOptions, pooledOptions, rowSecurityOf } from '../../ormconfig.ts'
import type { Config } from '../config.ts'
import { type Api, FairPool } from '../hydra/index.ts'
import { requireCompatible } from '../migrations/compatibility.ts'
import { migrate } from '../migrations/migrate.ts'
import { requireCurrentCollation } from '../postgres/collation-check.ts'
import { closeDatabase, closePool, surviveConnectionErrors, survivePoolErrors } from '../postgres/connection-errors.ts'
import { launch } from '../postgres/launcher.ts'
import { readRowSecurity } from '../postgres/row-security.ts'
import { requireNamedStatements, SharedSessionsError } from '../postgres/session-check.ts'
import { quoteWithoutSecrets } from '../start/quote.ts'
import { StartError } from '../start/start-error.ts'

export { closeDatabase, survivePoolErrors }

/** A migrated database, and how to close it. */
export interface OpenDatabase {
  database: DataSource
  /** The folder of the embedded Postgres's data; undefined with DATABASE_URL. */
  embedded: string | undefined
  /** Variables that tell workers where the embedded Postgres listens. */
  environment: Record<string, string>
  close(): Promise<void>
}

/** Requests of one tenant that may wait. A browser sends more requests for items at once than for lists, and each is short. */
const maxWaiting = { items: 256, lists: 32 }

const poolsByDatabase = new WeakMap<DataSource, Api['pools']>()

/** The pools of a database: TypeORM's own for items and writes, and others for lists and batches, which end with it. */
export function poolsOf(database: DataSource): Api['pools'] {
  const known = poolsByDatabase.get(database)
  if (known) return known
  const { master } = database.driver as PostgresDriver
  const lists = new Pool(listPoolOptions(master))
  const batches = new Pool(batchPoolOptions(master))
  for (const pool of [lists, batches]) surviveConnectionErrors(pool)
  const destroy = database.destroy.bind(database)
  database.destroy = async () => {
    poolsByDatabase.delete(database)
    database.destroy = destroy
    await Promise.all([lists, batches].map((pool) => closePool(pool, () => pool.end())))
    await destroy()
  }
  const pools = {
    items: new FairPool(master, { name: 'items and writes', waiting: maxWaiting.items }, batches),
    lists: new FairPool(lists, { name: 'lists', waiting: maxWaiting.lists }),
  }
  poolsByDatabase.set(database, pools)
  return pools
}

/** Connections of the embedded Postgres beyond those of requests: for jobs, and for commands beside the server. */
const extraConnections = 30

export interface LaunchOptions {
  /** Cancels a start that is not complete. */
  signal?: AbortSignal
  /** Turns on restarts of the embedded Postgres. It is called when too many restarts have failed. */
  onLost?: (error: Error) => void
  /** The work on the schema before the database is used. The default migrates it. */
  prepare?: (database: DataSource, signal?: AbortSignal) => Promise<void>
}

/** Connects to the Postgres of DATABASE_URL and DATABASE_DIRECT_URL, or starts an embedded one, and migrates it. */
export async function openDatabase(
  config: Pick<Config, 'databaseUrl' | 'directUrl' | 'ownerUrl' | 'dataDirectory' | 'pgbin' | 'pool' | 'workers'>,
  log: (line: string) => void,
  { signal, onLost, prepare = migrate }: LaunchOptions = {},
): Promise<OpenDatabase> {
  const { dataDirectory, databaseUrl, directUrl, ownerUrl, pgbin, pool, workers } = config
  if (databaseUrl) {
    const prepareDirectly = (database: DataSource) =>
      prepare(database, signal).catch((error) =>
        directUrl ? throwStartError(error, 'DATABASE_DIRECT_URL', directUrl) : Promise.reject(error),
      )
    const connected = async () => {
      if (directUrl) await requireNamedStatements(pooledOptions(databaseUrl))
      return connect({ url: databaseUrl, direct: directUrl, owner: ownerUrl, pool }, prepareDirectly, signal)
    }
    const opened = await connected().catch((error) => throwStartError(error, 'DATABASE_URL', databaseUrl))
    return { ...opened, embedded: undefined, environment: {} }
  }
  const settings = { max_connections: String(Math.max(100, (workers + 1) * 2 * pool + extraConnections)) }
  const launched = await launch(dataDirectory, { pgbin, log, settings, signal, onLost })
  const { host, port, user, serverRole, database, directory, stop } = launched
  const [url, owner] = [serverRole, user].map(
    (role) => `postgres://${role}@localhost:${port}/${database}?host=${encodeURIComponent(host)}`,
  )
  const prepareEmbedded = (opened: DataSource) => prepare(opened, signal)
  const connected = await connect({ url, owner, pool }, prepareEmbedded, signal).catch(async (error) => {
    await stop()
    throw error
  })
  return {
    database: connected.database,
    embedded: directory,
    environment: { DATABASE_URL: url },
    async close() {
      await connected.close()
      await stop()
    },
  }
}

/** Connects to a database that another process has migrated. */
export function connectToDatabase(url: string, pool: number, directUrl?: string): ReturnType<typeof connect> {
  return connect({ url, direct: directUrl, pool }, async (database) => {
    await requireCompatible(database)
    await requireCurrentCollation(database)
  })
}

/** Lets the connections of a database send their tenants where row-level security is on. */
export async function applyRowSecurity(database: DataSource): Promise<void> {
  Object.assign(rowSecurityOf(database), await readRowSecurity(database))
}

interface Addresses {
  url: string
  /** Postgres itself where `url` leads to a pooler. */
  direct?: string
  /** Postgres itself for the owner of the tables, where `url` is for another role. */
  owner?: string
  pool: number
}

async function connect(
  { url, pool, ...others }: Addresses,
  prepare: (database: DataSource) => Promise<void>,
  signal?: AbortSignal,
): Promise<Pick<OpenDatabase, 'database' | 'close'>> {
  const database = await connectTo({ url }, pool, others).initialize()
  survivePoolErrors(database)
  const close = () => closeDatabase(database)
  // Closing the connection ends a migration that waits or runs.
  signal?.addEventListener('abort', close)
  try {
    signal?.throwIfAborted()
    await prepare(database)
    await applyRowSecurity(database)
  } catch (error) {
    await close().catch(() => {})
    throw error
  } finally {
    signal?.removeEventListener('abort', close)
  }
  return { database, close }
}

/** The error of a host with several addresses has no message of its own, but one for each address. */
function throwStartError(error: Error & { errors?: Error[] }, name: string, url: string): never {
  if (error instanceof StartError) throw error
  const reason = error.message || error.errors?.map(({ message }) => message).join(', ')
  const problem = `${name} is ${quoteWithoutSecrets(url)}, which cannot be used: ${reason}.`
  // PgBouncer refuses the time limits of a session.
  const isShared = error instanceof SharedSessionsError || /unsupported startup parameter/.test(error.message)
  const remedy = isShared
    ? 'Migrations, jobs and locks need sessions of Postgres. Set DATABASE_DIRECT_URL to the address of Postgres itself.'
    : 'Correct it, or make that database accept connections.'
  throw new StartError(`${problem} ${remedy}`, { cause: error })
}
