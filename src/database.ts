import type { DataSource } from 'typeorm'
import type { PostgresDriver } from 'typeorm/driver/postgres/PostgresDriver.js'
import { connectTo } from '../ormconfig.ts'
import type { Config } from './config.ts'
import { migrate } from './migrations/migrate.ts'
import { launch } from './postgres/launcher.ts'

/** A migrated database, and how to let go of it. */
export interface Opened {
  database: DataSource
  /** What of it was started here, for the log; undefined where DATABASE_URL names another's. */
  embedded: string | undefined
  close(): Promise<void>
}

/** Connects to the Postgres of DATABASE_URL, or to an embedded one that is started for it, and migrates it. */
export async function openDatabase(
  config: Pick<Config, 'databaseUrl' | 'dataDirectory' | 'pgbin' | 'pool'>,
  log: (line: string) => void,
): Promise<Opened> {
  if (config.databaseUrl) return open(connectTo({ url: config.databaseUrl }, config.pool), undefined, async () => {})
  const { host, port, user, database, directory, stop } = await launch(config.dataDirectory, {
    pgbin: config.pgbin,
    log,
  })
  return open(connectTo({ host, port, username: user, database }, config.pool), directory, stop)
}

async function open(source: DataSource, embedded: string | undefined, stop: () => Promise<void>): Promise<Opened> {
  const database = await source.initialize()
  survive(database)
  await migrate(database)
  return {
    database,
    embedded,
    async close() {
      await database.destroy()
      await stop()
    },
  }
}

const unheard = (): void => {}

/**
 * A connection that is cut while nobody listens to it, as just after it was made or as it is given back, would end the
 * process. It is heard from when it is lent for the first time: the pool has one already that was made before this.
 */
export function survive(database: DataSource): void {
  const { master } = database.driver as PostgresDriver
  const hear = (client: NodeJS.EventEmitter): void => {
    if (!client.listeners('error').includes(unheard)) client.on('error', unheard)
  }
  master.on('connect', hear)
  master.on('acquire', hear)
}
