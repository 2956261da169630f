import { Logger, runMigrations } from 'graphile-worker'
import type { DataSource } from 'typeorm'
import type { PostgresDriver } from 'typeorm/driver/postgres/PostgresDriver.js'
import { hasOwner } from '../../ormconfig.ts'
import { requireCurrentCollation } from '../postgres/collation-check.ts'
import { grantServerRole, isGranted } from '../postgres/server-role.ts'
import { StartError } from '../start/start-error.ts'
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
  const server = hasOwner(database) ? (await database.query('SELECT session_user AS "name"'))[0].name : undefined
  const isCurrent = await withMigrationLock(
    database,
    'shared',
    async (unhurried) => {
      const applied = await appliedMigrations(unhurried)
      if (!unhurried.migrations.every((migration) => applied.includes(migration.constructor.name))) return false
      await applyMigrations(unhurried)
      return server === undefined || isGranted(unhurried, server)
    },
    signal,
  )
  if (isCurrent) return
  await withMigrationLock(
    database,
    'alone',
    async (unhurried) => {
      await requireOwner(unhurried)
      await applyMigrations(unhurried)
      if (server !== undefined) await grantServerRole(unhurried, server)
    },
    signal,
  )
}

/** @throws StartError where the role of the connection cannot change the tables */
async function requireOwner(database: DataSource): Promise<void> {
  const [{ role, owner }] = await database.query(
    `SELECT current_user AS "role", (SELECT "relowner"::regrole::text FROM pg_class
      WHERE "oid" = to_regclass('"migrations"') AND NOT pg_has_role("relowner", 'USAGE')) AS "owner"`,
  )
  if (owner !== null)
    throw new StartError(
      `The database needs migrations, and the role ${role} does not own its tables. ` +
        `Set DATABASE_OWNER_URL to the address for the role ${owner}, or run "npm run migrate" with it.`,
    )
}

/** Applies the migrations of a DataSource, and those of the queue. The caller holds the lock. */
export async function applyMigrations(unhurried: DataSource): Promise<void> {
  await requireCompatible(unhurried)
  await requireCurrentCollation(unhurried)
  await unhurried.runMigrations()
  await runMigrations({ pgPool: (unhurried.driver as PostgresDriver).master, logger: silent })
}
