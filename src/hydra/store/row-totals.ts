import type { DataSource, EntityManager, EntityMetadata } from 'typeorm'

/*
 * The totals of large collections are kept in "row_total", so that no query counts rows. Each write adds a row there, in its own
 * statement. So writers do not wait for each other, and a write that fails is not counted.
 */

/** The column with the tenant's id by which totals of a class are kept: its static property `totalsBy`. Undefined where none are. */
export function totalsColumn({ target }: EntityMetadata): string | undefined {
  return (target as { totalsBy?: string }).totalsBy
}

/** Whether the totals of the class are kept in "row_total". @throws Error where they are kept by another column than the tenant's */
export function keptTotals(metadata: EntityMetadata, tenantColumn: string): boolean {
  const column = totalsColumn(metadata)
  if (column !== undefined && column !== tenantColumn)
    throw new Error(
      `${metadata.name}.totalsBy is "${column}", and the column of tenants is "${tenantColumn}": use the same.`,
    )
  return column !== undefined
}

const insertInto = (column: string) => `INSERT INTO "row_total" ("relation", "${column}", "delta")`

/** SQL that counts the one row of an INSERT, with a placeholder of the tenant's column. Undefined where no totals are kept. */
export function countOneRow(metadata: EntityMetadata): string | undefined {
  const column = totalsColumn(metadata)
  return column && `${insertInto(column)} VALUES ('${metadata.tableName}', :${column}, 1)`
}

/** SQL that counts the rows of "written", which has the tenant's column. Undefined where no totals are kept. */
export function countRows(metadata: EntityMetadata, type: 'create' | 'delete'): string | undefined {
  const column = totalsColumn(metadata)
  const change = type === 'delete' ? '-count(*)' : 'count(*)'
  return (
    column &&
    `${insertInto(column)} SELECT '${metadata.tableName}', "${column}", ${change} FROM "written" GROUP BY "${column}"`
  )
}

/** A kept total that differed from the number of rows. */
interface CorrectedTotal {
  tenant: string
  /** The number of rows minus the kept total. */
  difference: number
}

/** The maintenance of kept totals, for background jobs. */
export const rowTotals = {
  /**
   * Adds up the rows of "row_total". It is one statement, so a reader sees the old rows or their sum. Several processes may run
   * it at once.
   */
  async fold(database: Pick<DataSource, 'query' | 'entityMetadatas'>): Promise<void> {
    const column = database.entityMetadatas.map(totalsColumn).find((name) => name !== undefined)
    if (column === undefined) return
    await database.query(`
      WITH "folded" AS (
        DELETE FROM "row_total" WHERE ("relation", "${column}") IN (
          SELECT "relation", "${column}" FROM "row_total" GROUP BY 1, 2 HAVING count(*) > 1)
        RETURNING *)
      ${insertInto(column)} SELECT "relation", "${column}", sum("delta") FROM "folded" GROUP BY 1, 2`)
  },

  /**
   * Compares the kept totals of a class with the number of its rows, and adds the differences. One statement reads both on one
   * snapshot, so writers go on. Two runs at once would add a difference twice: the caller locks.
   */
  async correct(manager: Pick<EntityManager, 'query'>, metadata: EntityMetadata): Promise<CorrectedTotal[]> {
    const column = totalsColumn(metadata)
    if (column === undefined) return []
    const { tableName } = metadata
    const corrected: { tenant: string; delta: string }[] = await manager.query(`
      ${insertInto(column)} SELECT '${tableName}', "${column}", sum("rows") FROM (
          SELECT "${column}", count(*) AS "rows" FROM "${tableName}" GROUP BY "${column}"
          UNION ALL SELECT "${column}", -"delta" FROM "row_total" WHERE "relation" = '${tableName}') AS "compared"
        GROUP BY "${column}" HAVING sum("rows") <> 0
        RETURNING "${column}" AS "tenant", "delta"`)
    return corrected.map(({ tenant, delta }) => ({ tenant, difference: Number(delta) }))
  },
}
