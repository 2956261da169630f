import { Pool } from 'pg'
import type { DataSource } from 'typeorm'
import type { PostgresDriver } from 'typeorm/driver/postgres/PostgresDriver.js'
import { connectTo, listPoolOptions } from '../../ormconfig.ts'
import type { Config } from '../config.ts'
import { FairPool, type Pools } from '../hydra/store/fair-pool.ts'
import { requireCompatible } from '../migrations/compatibility.ts'
import { migrate } from '../migrations/migrate.ts'
import { requireCurrentCollation } from '../postgres/collation-check.ts'
import { closeDatabase, closePool, surviveConnectionErrors, survivePoolErrors } from '../postgres/connection-errors.ts'
import { launch } from '../postgres/launcher.ts'
import { quoteWithoutSecrets } from '../start/quote.ts'
import { StartError } from '../start/start-error.ts'

export { closeDatabase, survivePoolErrors }

/** A migrated database, and how to let go of it. */
export interface OpenDatabase {
  database: DataSource
  /** What of it was started here, for the log; undefined where DATABASE_URL names another's. */
  embedded: string | undefined
  /** The variables by which another process reaches what was started here. */
  environment: Record<string, string>
  close(): Promise<void>
}

/** How many requests of one tenant may wait. A browser's burst of items is larger than that of lists, and each is short. */
const waiting = { items: 256, lists: 32 }

const opened = new WeakMap<DataSource, Pools>()

/** The pools of a database: TypeORM's own, and another for lists, which ends with it. */
export function poolsOf(database: DataSource): Pools {
  const known = opened.get(database)
  if (known) return known
  const { master } = database.driver as PostgresDriver
  const lists = new Pool(listPoolOptions(master))
  surviveConnectionErrors(lists)
  const destroy = database.destroy.bind(database)
  database.destroy = async () => {
    opened.delete(database)
    database.destroy = destroy
    await closePool(lists, () => lists.end())
    await destroy()
  }
  const pools = {
    items: new FairPool(master, { name: 'items and writes', waiting: waiting.items }),
    lists: new FairPool(lists, { name: 'lists', waiting: waiting.lists }),
  }
  opened.set(database, pools)
  return pools
}

/** What the embedded Postgres has connections for besides those of requests: jobs, and commands beside the server. */
const spare = 30

/** What the embedded Postgres does beyond serving. */
export interface LaunchOptions {
  /** Gives up a start that is not complete. */
  signal?: AbortSignal
  /** Has Postgres started again when it ends, and is called once that has failed too often. */
  onLost?: (error: Error) => void
}

/** Connects to the Postgres of DATABASE_URL, or to an embedded one that is started for it, and migrates it. */
export async function openDatabase(
  config: Pick<Config, 'databaseUrl' | 'dataDirectory' | 'pgbin' | 'pool' | 'workers'>,
  log: (line: string) => void,
  { signal, onLost }: LaunchOptions = {},
): Promise<OpenDatabase> {
  const { dataDirectory, databaseUrl, pgbin, pool, workers } = config
  if (databaseUrl)
    return {
      ...(await connect(databaseUrl, pool, migrate, signal).catch((error) => giveUp(error, databaseUrl))),
      embedded: undefined,
      environment: {},
    }
  const settings = { max_connections: String(Math.max(100, (workers + 1) * 2 * pool + spare)) }
  const launched = await launch(dataDirectory, { pgbin, log, settings, signal, onLost })
  const { host, port, user, database, directory, stop } = launched
  const url = `postgres://${user}@localhost:${port}/${database}?host=${encodeURIComponent(host)}`
  const opened = await connect(url, pool, migrate, signal).catch(async (error) => {
    await stop()
    throw error
  })
  return {
    database: opened.database,
    embedded: directory,
    environment: { DATABASE_URL: url },
    async close() {
      await opened.close()
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
  // A migration that waits or runs ends with its connection.
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

/** Of a host with several addresses the error only lists how each of them failed. */
function giveUp(error: Error & { errors?: Error[] }, url: string): never {
  if (error instanceof StartError) throw error
  const reason = error.message || error.errors?.map(({ message }) => message).join(', ')
  const sentence = `DATABASE_URL is ${quoteWithoutSecrets(url)}, which cannot be used: ${reason}.`
  throw new StartError(`${sentence} Correct it, or have that database accept connections.`, { cause: error })
}
