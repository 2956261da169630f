import { Pool } from 'pg'
import type { DataSource } from 'typeorm'
import type { PostgresDriver } from 'typeorm/driver/postgres/PostgresDriver.js'
import { connectTo, listPoolOptions } from '../../ormconfig.ts'
import type { Config } from '../config.ts'
import { type Api, FairPool } from '../hydra/index.ts'
import { requireCompatible } from '../migrations/compatibility.ts'
import { migrate } from '../migrations/migrate.ts'
import { requireCurrentCollation } from '../postgres/collation-check.ts'
import { closeDatabase, closePool, surviveConnectionErrors, survivePoolErrors } from '../postgres/connection-errors.ts'
import { launch } from '../postgres/launcher.ts'
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

/** The pools of a database: TypeORM's own for items and writes, and another one for lists, which ends with it. */
export function poolsOf(database: DataSource): Api['pools'] {
  const known = poolsByDatabase.get(database)
  if (known) return known
  const { master } = database.driver as PostgresDriver
  const lists = new Pool(listPoolOptions(master))
  surviveConnectionErrors(lists)
  const destroy = database.destroy.bind(database)
  database.destroy = async () => {
    poolsByDatabase.delete(database)
    database.destroy = destroy
    await closePool(lists, () => lists.end())
    await destroy()
  }
  const pools = {
    items: new FairPool(master, { name: 'items and writes', waiting: maxWaiting.items }),
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
}

/** Connects to the Postgres of DATABASE_URL, or starts an embedded one, and migrates it. */
export async function openDatabase(
  config: Pick<Config, 'databaseUrl' | 'dataDirectory' | 'pgbin' | 'pool' | 'workers'>,
  log: (line: string) => void,
  { signal, onLost }: LaunchOptions = {},
): Promise<OpenDatabase> {
  const { dataDirectory, databaseUrl, pgbin, pool, workers } = config
  if (databaseUrl)
    return {
      ...(await connect(databaseUrl, pool, migrate, signal).catch((error) => throwStartError(error, databaseUrl))),
      embedded: undefined,
      environment: {},
    }
  const settings = { max_connections: String(Math.max(100, (workers + 1) * 2 * pool + extraConnections)) }
  const launched = await launch(dataDirectory, { pgbin, log, settings, signal, onLost })
  const { host, port, user, database, directory, stop } = launched
  const url = `postgres://${user}@localhost:${port}/${database}?host=${encodeURIComponent(host)}`
  const connected = await connect(url, pool, migrate, signal).catch(async (error) => {
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
export function connectToDatabase(url: string, pool: number): ReturnType<typeof connect> {
  return connect(url, pool, async (database) => {
    await requireCompatible(database)
    await requireCurrentCollation(database)
  })
}

async function connect(
  url: string,
  pool: number,
  prepare: (database: DataSource, signal?: AbortSignal) => Promise<void>,
  signal?: AbortSignal,
): Promise<Pick<OpenDatabase, 'database' | 'close'>> {
  const database = await connectTo({ url }, pool).initialize()
  survivePoolErrors(database)
  const close = () => closeDatabase(database)
  // Closing the connection ends a migration that waits or runs.
  signal?.addEventListener('abort', close)
  try {
    signal?.throwIfAborted()
    await prepare(database, signal)
  } catch (error) {
    await close().catch(() => {})
    throw error
  } finally {
    signal?.removeEventListener('abort', close)
  }
  return { database, close }
}

/** The error of a host with several addresses has no message of its own, but one for each address. */
function throwStartError(error: Error & { errors?: Error[] }, url: string): never {
  if (error instanceof StartError) throw error
  const reason = error.message || error.errors?.map(({ message }) => message).join(', ')
  const problem = `DATABASE_URL is ${quoteWithoutSecrets(url)}, which cannot be used: ${reason}.`
  throw new StartError(`${problem} Correct it, or make that database accept connections.`, { cause: error })
}
