import { Logger, runMigrations } from 'graphile-worker'
import type { DataSource } from 'typeorm'
import type { PostgresDriver } from 'typeorm/driver/postgres/PostgresDriver.js'
import { requireCurrentCollation } from '../postgres/collation-check.ts'
import { appliedMigrations } from './applied-migrations.ts'
import { requireCompatible } from './compatibility.ts'
import { withMigrationLock } from './migration-lock.ts'

/** graphile-worker logs each of its own migrations, which no operator needs to read. */
const silent = new Logger(() => () => {})

/**
 * Applies what is missing, however long that takes; of several processes that start at once, one does and the others wait.
 * A start with nothing to apply does not wait for a backup.
 */
export async function migrate(database: DataSource, signal?: AbortSignal): Promise<void> {
  const isCurrent = await withMigrationLock(
    database,
    'shared',
    async (unhurried) => {
      const applied = await appliedMigrations(unhurried)
      if (!unhurried.migrations.every((migration) => applied.includes(migration.constructor.name))) return false
      await applyMigrations(unhurried)
      return true
    },
    signal,
  )
  if (!isCurrent) await withMigrationLock(database, 'alone', applyMigrations, signal)
}

/** Applies the migrations of a DataSource, and those of the queue. The caller holds the lock. */
export async function applyMigrations(unhurried: DataSource): Promise<void> {
  await requireCompatible(unhurried)
  await requireCurrentCollation(unhurried)
  await unhurried.runMigrations()
  await runMigrations({ pgPool: (unhurried.driver as PostgresDriver).master, logger: silent })
}
