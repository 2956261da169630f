import type { DataSource } from 'typeorm'
import { nameCollation } from '../../entities/collation.ts'
import { StartError } from '../start/start-error.ts'

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
  const indexes: { name: string }[] = await database.query(
    `SELECT "indexrelid"::regclass::text AS "name" FROM pg_index
      WHERE (SELECT "oid" FROM pg_collation WHERE "collname" = $1) = ANY ("indcollation") ORDER BY 1`,
    [nameCollation],
  )
  throw new StartError(
    `The indexes of names were built with version ${changed.known} of the collation "${nameCollation}". ` +
      `Postgres now has version ${changed.actual}. Run this in the database, then start again: ` +
      `${indexes.map(({ name }) => `REINDEX INDEX ${name};`).join(' ')} ` +
      `ALTER COLLATION "${nameCollation}" REFRESH VERSION;`,
  )
}
