import { Logger, runMigrations } from 'graphile-worker'
import type { DataSource } from 'typeorm'
import type { PostgresDriver } from 'typeorm/driver/postgres/PostgresDriver.js'
import { requireCompatible } from './compatibility.ts'

/** It tells of each of its migrations; that they are done is all that matters. */
const silent = new Logger(() => () => {})

/** Any number will do, as long as every process takes the same. */
const lock = 7_305_811

/** Applies what is missing; of several processes that start at once, one does and the others wait. */
export async function migrate(database: DataSource): Promise<void> {
  const runner = database.createQueryRunner()
  try {
    await runner.query('SET statement_timeout = 0')
    await runner.query('SET lock_timeout = 0')
    await runner.query('SELECT pg_advisory_lock($1)', [lock])
    await requireCompatible(database)
    await database.runMigrations()
    await runMigrations({ pgPool: (database.driver as PostgresDriver).master, logger: silent })
  } finally {
    await runner.query('SELECT pg_advisory_unlock($1)', [lock])
    await runner.query('RESET statement_timeout')
    await runner.query('RESET lock_timeout')
    await runner.release()
  }
}
