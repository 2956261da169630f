import type { DataSource } from 'typeorm'
import { nameCollation } from '../../entities/collation.ts'
import { withoutTimeouts } from '../../ormconfig.ts'
import { StartError } from '../start/start-error.ts'
import { closeDatabase, survivePoolErrors } from './connection-errors.ts'

/** Whether names sort as they did when their indexes were built, in SQL. Another version of ICU may sort them differently. */
export const isCollationCurrent = `NOT EXISTS (SELECT FROM pg_collation WHERE "collname" = '${nameCollation}'
  AND "collversion" IS DISTINCT FROM pg_collation_actual_version("oid"))`

/** @throws StartError with the statements to run, after an upgrade of Postgres or ICU that may have changed the order of names */
export async function requireCurrentCollation(database: DataSource): Promise<void> {
  const [changed] = await database.query(
    `SELECT "collversion" AS "known", pg_collation_actual_version("oid") AS "actual" FROM pg_collation
      WHERE "collname" = $1 AND NOT ${isCollationCurrent}`,
    [nameCollation],
  )
  if (!changed) return
  throw new StartError(
    `The indexes of names were built with version ${changed.known} of the collation "${nameCollation}". ` +
      `Postgres now has version ${changed.actual}. Run "npm run reindex", or this in the database, then start again: ` +
      `${(await rebuildStatements(database)).map((statement) => `${statement};`).join(' ')}`,
  )
}

/** Rebuilds the indexes of names with the current version of the collation, however long that takes. Writers wait. */
export async function rebuildNameIndexes(database: DataSource, log: (line: string) => void): Promise<void> {
  const unhurried = await withoutTimeouts(database).initialize()
  survivePoolErrors(unhurried)
  try {
    const statements = await rebuildStatements(unhurried)
    await unhurried.transaction(async (manager) => {
      for (const statement of statements) await manager.query(statement)
    })
    for (const statement of statements) log(`${statement};`)
  } finally {
    await closeDatabase(unhurried)
  }
}

async function rebuildStatements(database: DataSource): Promise<string[]> {
  const indexes: { name: string }[] = await database.query(
    `SELECT "indexrelid"::regclass::text AS "name" FROM pg_index
      WHERE (SELECT "oid" FROM pg_collation WHERE "collname" = $1) = ANY ("indcollation") ORDER BY 1`,
    [nameCollation],
  )
  const rebuild = indexes.map(({ name }) => `REINDEX INDEX ${name}`)
  return indexes.length > 0 ? [...rebuild, `ALTER COLLATION "${nameCollation}" REFRESH VERSION`] : []
}
