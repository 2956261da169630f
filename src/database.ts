import type { Client, Pool } from 'pg'
import type { DataSource } from 'typeorm'
import type { PostgresDriver } from 'typeorm/driver/postgres/PostgresDriver.js'
import { connectTo } from '../ormconfig.ts'
import type { Config } from './config.ts'
import { StartError } from './environment/start-error.ts'
import { shown } from './environment/values.ts'
import { requireCompatible } from './migrations/compatibility.ts'
import { migrate } from './migrations/migrate.ts'
import { launch } from './postgres/launcher.ts'
import { within } from './within.ts'

/** A migrated database, and how to let go of it. */
export interface Opened {
  database: DataSource
  /** What of it was started here, for the log; undefined where DATABASE_URL names another's. */
  embedded: string | undefined
  /** The variables by which another process reaches what was started here. */
  environment: Record<string, string>
  close(): Promise<void>
}

/** What the embedded Postgres has connections for besides those of requests: jobs, and commands beside the server. */
const spare = 30

/** What the embedded Postgres does beyond serving. */
export interface Watch {
  /** Gives up a start that is not complete. */
  signal?: AbortSignal
  /** Has Postgres started again when it ends, and is called once that has failed too often. */
  lost?: (error: Error) => void
}

/** Connects to the Postgres of DATABASE_URL, or to an embedded one that is started for it, and migrates it. */
export async function openDatabase(
  config: Pick<Config, 'databaseUrl' | 'dataDirectory' | 'pgbin' | 'pool' | 'workers'>,
  log: (line: string) => void,
  { signal, lost }: Watch = {},
): Promise<Opened> {
  const { dataDirectory, databaseUrl, pgbin, pool, workers } = config
  if (databaseUrl)
    return {
      ...(await connect(databaseUrl, pool, migrate, signal).catch((error) => giveUp(error, databaseUrl))),
      embedded: undefined,
      environment: {},
    }
  const settings = { max_connections: String(Math.max(100, (workers + 1) * pool + spare)) }
  const launched = await launch(dataDirectory, { pgbin, log, settings, signal, lost })
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
export function reachDatabase(url: string, pool: number): ReturnType<typeof connect> {
  return connect(url, pool, requireCompatible)
}

async function connect(
  url: string,
  pool: number,
  prepare: (database: DataSource) => Promise<void>,
  signal?: AbortSignal,
): Promise<Pick<Opened, 'database' | 'close'>> {
  const database = await connectTo({ url }, pool).initialize()
  survive(database)
  const close = () => closeDatabase(database)
  // A migration that waits or runs ends with its connection.
  signal?.addEventListener('abort', close)
  try {
    signal?.throwIfAborted()
    await prepare(database)
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
  const sentence = `DATABASE_URL is ${shown(url)}, which cannot be used: ${reason}.`
  throw new StartError(`${sentence} Correct it, or have that database accept connections.`, { cause: error })
}

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
  if (await within(patience, ended)) return
  for (const { connection } of clients.get(pool) ?? []) connection.stream.destroy()
  await within(patience, ended)
}

const unheard = (): void => {}

export function survive(database: DataSource): void {
  hear((database.driver as PostgresDriver).master)
}

/** The connections of each pool that is heard. */
const clients = new WeakMap<NodeJS.EventEmitter, Set<Client>>()

/**
 * A connection that is cut while nobody listens to it, as just after it was made or as it is given back, would end the
 * process. It is heard from when it is lent for the first time: the pool has one already that was made before this.
 */
export function hear(pool: NodeJS.EventEmitter): void {
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
