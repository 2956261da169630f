import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DataSource } from 'typeorm'
import { withoutTimeouts } from '../../ormconfig.ts'
import { backUp } from '../../src/backup/backup.ts'
import { restore, withBackup } from '../../src/backup/restore.ts'
import { shortLivedTables } from '../../src/postgres/table-kinds.ts'
import { survivePoolErrors } from '../../src/runtime/database.ts'
import { openWorld } from '../support/world.ts'

const { database, databaseName, directUrl, ending } = await openWorld()

export const passphrase = 'correct horse battery staple'

/** A cheap guess, so that tests are quick. */
export const cost = 8

/** A folder for the backups of a test file. */
export const folder = await mkdtemp(join(tmpdir(), 'backup-'))
ending.push(() => rm(folder, { recursive: true, force: true }))

let count = 0

/** A new database without a schema, beside that of the world. */
export function emptyDatabase(): Promise<DataSource> {
  return newDatabase('template1')
}

/** A new database with the newest schema and no rows of tenants. */
export function migratedDatabase(): Promise<DataSource> {
  return newDatabase('template')
}

async function newDatabase(template: string): Promise<DataSource> {
  const name = `${databaseName}_${count++}`
  await database.query(`CREATE DATABASE "${name}" TEMPLATE "${template}"`)
  const empty = await new DataSource({ ...database.options, database: name } as DataSource['options']).initialize()
  survivePoolErrors(empty)
  ending.push(() => empty.destroy())
  return empty
}

/** The address of such a database. */
export function urlOf({ options }: DataSource): string {
  return directUrl.replace(databaseName, String(options.database))
}

/** Backs the database up into a new file. */
export async function backUpTo(name: string, source = database): Promise<string> {
  const path = join(folder, name)
  await backUp(source, { path, passphrase, cost })
  return path
}

export async function restoreFrom(path: string, target: DataSource): Promise<DataSource> {
  await withBackup(path, passphrase, (backup) => restore(target, backup))
  return target
}

/** The rows of each table as one digest, but for the table of migrations and for rows that a backup leaves out. */
export async function contentOf(source: DataSource): Promise<Record<string, string>> {
  const unhurried = await withoutTimeouts(source).initialize()
  survivePoolErrors(unhurried)
  try {
    return await digestsOf(unhurried)
  } finally {
    await unhurried.destroy()
  }
}

async function digestsOf(source: DataSource): Promise<Record<string, string>> {
  const tables: { name: string }[] = await source.query(
    `SELECT tablename AS "name" FROM pg_tables WHERE schemaname = 'public' AND tablename <> ALL ($1)`,
    [['migrations', ...shortLivedTables]],
  )
  const parts = tables.map(
    ({ name }) =>
      `SELECT '${name}' AS "name", count(*) || ' ' || coalesce(md5(string_agg(md5(t::text), '' ORDER BY md5(t::text))), '') AS "content" FROM "${name}" t`,
  )
  const found: { name: string; content: string }[] = await source.query(parts.join(' UNION ALL '))
  return Object.fromEntries(found.map(({ name, content }) => [name, content]))
}

/** Kept totals that differ from the number of rows. */
export async function wrongTotals(source: DataSource): Promise<unknown[]> {
  const counted = ['audit_event', 'bank_transaction', 'employee', 'invoice', 'location', 'meeting', 'webhook_delivery']
  // An older schema lacks some.
  const found = await source.query('SELECT "tablename" FROM pg_tables WHERE "tablename" = ANY ($1)', [counted])
  const counts = found.map(
    ({ tablename: table }: { tablename: string }) =>
      `SELECT '${table}' AS "relation", "organizationId", count(*) FROM "${table}" GROUP BY "organizationId"`,
  )
  return source.query(
    `WITH "kept" AS (SELECT "relation", "organizationId", sum("delta") AS "count" FROM "row_total" GROUP BY 1, 2),
      "real" AS (${counts.join(' UNION ALL ')})
    SELECT * FROM "kept" FULL JOIN "real" USING ("relation", "organizationId")
      WHERE coalesce("kept"."count", 0) <> coalesce("real"."count", 0)`,
  )
}
