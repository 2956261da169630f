import type { Logger } from 'pino'
import type { DataSource } from 'typeorm'
import type { PostgresDriver } from 'typeorm/driver/postgres/PostgresDriver.js'
import { expire } from './hydra/claims.ts'

const hour = 60 * 60 * 1000

/** Removes, every hour, the answers that are too old to be given again; gives back how to stop that. */
export function expireKeys(database: DataSource, log: Logger): () => void {
  const timer = setInterval(() => {
    expire((database.driver as PostgresDriver).master).catch((error) =>
      log.error({ err: error }, 'old idempotency keys could not be removed'),
    )
  }, hour)
  return () => clearInterval(timer)
}
