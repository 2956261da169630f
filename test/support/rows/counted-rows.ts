import type { DataSource } from 'typeorm'
import { trackedWrite } from '../../../src/hydra/store/tracked-write.ts'

/** The SQL of an INSERT or a DELETE that a test writes by hand, with its rows counted. */
export function counted(database: DataSource, table: string, write: string): string {
  return trackedWrite(database.getMetadata(table), write)
}

/** Deletes rows by a condition, and counts them. */
export async function deleteRows(
  database: DataSource,
  table: string,
  condition: string,
  values: unknown[] = [],
): Promise<void> {
  await database.query(counted(database, table, `DELETE FROM "${table}" WHERE ${condition}`), values)
}

/** The totals that differ from the number of rows, with the difference: none, if every writer counts. */
export async function wrongTotals(
  database: DataSource,
): Promise<{ table: string; organization: string; off: number }[]> {
  const tables = database.entityMetadatas.filter(({ target }) => 'totalsBy' in (target as object))
  const all = tables.map(
    ({ tableName }) => `SELECT '${tableName}' AS "table", "organizationId", 1 AS "off" FROM "${tableName}"`,
  )
  return database.query(
    `SELECT "table", "organizationId" AS "organization", sum("off")::int AS "off" FROM (
        ${all.join(' UNION ALL ')} UNION ALL SELECT "relation", "organizationId", -"delta" FROM "row_total") AS "compared"
      GROUP BY 1, 2 HAVING sum("off") <> 0 ORDER BY 1, 2`,
  )
}
