import { DataSource, type QueryRunner } from 'typeorm'
import { appliedMigrations } from '../migrations/applied-migrations.ts'
import { applyMigrations } from '../migrations/migrate.ts'
import { survivePoolErrors } from '../postgres/connection-errors.ts'
import { filledTables } from '../postgres/table-kinds.ts'
import { StartError } from '../start/start-error.ts'
import { ownAndOtherTables } from './copied-tables.ts'
import type { Header } from './header.ts'

const remedy = 'Restore into a new database, or with a new DATA_DIR.'

/** @throws StartError where the database has rows, or tables of another application */
export async function requireEmpty(runner: QueryRunner): Promise<void> {
  const { own, others } = await ownAndOtherTables(runner)
  if (others.length > 0) throw new StartError(`The database is not empty: it has the table "${others[0]}". ${remedy}`)
  const [{ queue }] = await runner.query(`SELECT to_regclass('graphile_worker._private_jobs') IS NOT NULL AS "queue"`)
  const tables = own.filter((name) => name !== 'migrations' && !filledTables.includes(name)).map((name) => `"${name}"`)
  for (const table of queue ? [...tables, 'graphile_worker._private_jobs'] : tables)
    if ((await runner.query(`SELECT FROM ${table} LIMIT 1`)).length > 0)
      throw new StartError(`The database is not empty: it has rows in ${table}. ${remedy}`)
}

/**
 * Applies the migrations of a backup, and no later ones.
 * @throws StartError where this code lacks one of them, or the database has another
 */
export async function migrateTo(
  unhurried: DataSource,
  { migrations: names, version }: Pick<Header, 'migrations' | 'version'>,
): Promise<void> {
  const known = unhurried.options.migrations as { name: string }[]
  const unknown = names.find((name) => !known.some((migration) => migration.name === name))
  if (unknown)
    throw new StartError(
      `The backup needs the migration ${unknown}, which this version does not have. Restore it with version ${version}.`,
    )
  const later = (await appliedMigrations(unhurried)).find((name) => !names.includes(name))
  if (later) throw new StartError(`The database has the migration ${later}, which the backup lacks. ${remedy}`)
  const migrations = known.filter(({ name }) => names.includes(name))
  const older = await new DataSource({ ...unhurried.options, migrations } as DataSource['options']).initialize()
  survivePoolErrors(older)
  try {
    await applyMigrations(older)
  } finally {
    await older.destroy()
  }
}

/**
 * Loads rows without triggers, foreign keys and indexes, and creates them again after that. So tables may come in any order, and
 * an index is built at once, which is faster. Unique keys stay. All of it is part of the caller's transaction.
 */
export async function withoutChecks(runner: QueryRunner, tables: string[], load: () => Promise<void>): Promise<void> {
  const parts: { drop: string; create: string }[] = await runner.query(
    `SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname) AS "drop",
        format('ALTER TABLE %s ADD CONSTRAINT %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid)) AS "create"
      FROM pg_constraint WHERE contype = 'f' AND connamespace = 'public'::regnamespace
    UNION ALL SELECT format('DROP INDEX %s', indexrelid::regclass), pg_get_indexdef(indexrelid)
      FROM pg_index JOIN pg_class ON pg_class.oid = indrelid WHERE relnamespace = 'public'::regnamespace AND NOT indisunique
        AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid AND contype <> 'f')
        AND relname = ANY ($1)`,
    [tables],
  )
  for (const { drop } of parts) await runner.query(drop)
  for (const table of tables) await runner.query(`ALTER TABLE "${table}" DISABLE TRIGGER USER`)
  await load()
  for (const { create } of parts.toReversed()) await runner.query(create)
  for (const table of tables) await runner.query(`ALTER TABLE "${table}" ENABLE TRIGGER USER`)
}
