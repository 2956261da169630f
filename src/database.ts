import type { DataSource } from 'typeorm'
import type { PostgresDriver } from 'typeorm/driver/postgres/PostgresDriver.js'
import { connectTo } from '../ormconfig.ts'
import type { Config } from './config.ts'
import { StartError } from './environment/start-error.ts'
import { shown } from './environment/values.ts'
import { requireCompatible } from './migrations/compatibility.ts'
import { migrate } from './migrations/migrate.ts'
import { launch } from './postgres/launcher.ts'

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

/** Connects to the Postgres of DATABASE_URL, or to an embedded one that is started for it, and migrates it. */
export async function openDatabase(
  config: Pick<Config, 'databaseUrl' | 'dataDirectory' | 'pgbin' | 'pool' | 'workers'>,
  log: (line: string) => void,
): Promise<Opened> {
  const { dataDirectory, databaseUrl, pgbin, pool, workers } = config
  if (databaseUrl)
    return {
      ...(await connect(databaseUrl, pool, migrate).catch((error) => giveUp(error, databaseUrl))),
      embedded: undefined,
      environment: {},
    }
  const settings = { max_connections: String(Math.max(100, (workers + 1) * pool + spare)) }
  const { host, port, user, database, directory, stop } = await launch(dataDirectory, { pgbin, log, settings })
  const url = `postgres://${user}@localhost:${port}/${database}?host=${encodeURIComponent(host)}`
  const opened = await connect(url, pool, migrate).catch(async (error) => {
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
): Promise<Pick<Opened, 'database' | 'close'>> {
  const database = await connectTo({ url }, pool).initialize()
  survive(database)
  try {
    await prepare(database)
  } catch (error) {
    await database.destroy()
    throw error
  }
  return { database, close: () => database.destroy() }
}

/** Of a host with several addresses the error only lists how each of them failed. */
function giveUp(error: Error & { errors?: Error[] }, url: string): never {
  if (error instanceof StartError) throw error
  const reason = error.message || error.errors?.map(({ message }) => message).join(', ')
  const sentence = `DATABASE_URL is ${shown(url)}, which cannot be used: ${reason}.`
  throw new StartError(`${sentence} Correct it, or have that database accept connections.`, { cause: error })
}

const unheard = (): void => {}

export function survive(database: DataSource): void {
  hear((database.driver as PostgresDriver).master)
}

/**
 * A connection that is cut while nobody listens to it, as just after it was made or as it is given back, would end the
 * process. It is heard from when it is lent for the first time: the pool has one already that was made before this.
 */
export function hear(pool: NodeJS.EventEmitter): void {
  const listen = (client: NodeJS.EventEmitter): void => {
    if (!client.listeners('error').includes(unheard)) client.on('error', unheard)
  }
  pool.on('connect', listen)
  pool.on('acquire', listen)
  if (pool.listenerCount('error') === 0) pool.on('error', unheard)
}
