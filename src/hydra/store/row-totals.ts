import type { DataSource, EntityManager, EntityMetadata, EntityTarget } from 'typeorm'
import { withConnection } from './connection.ts'
import { statement } from './statement.ts'

/*
 * The totals of large collections are kept in "row_total", so that no query counts rows. Each write adds a row there, in its own
 * statement. So writers do not wait for each other, and a write that fails is not counted.
 */

/** The column with the tenant's id by which totals of a class are kept: its static property `totalsBy`. Undefined where none are. */
export function totalsColumn({ target }: EntityMetadata): string | undefined {
  return (target as { totalsBy?: string }).totalsBy
}

const insertInto = (column: string) => `INSERT INTO "row_total" ("relation", "${column}", "delta")`

/**
 * The SQL of a write that also counts its rows. Of a class without kept totals it is the write itself.
 * @param write an INSERT or a DELETE, without RETURNING
 * @param rows `one row` for the INSERT of exactly one, with a placeholder of the tenant's column; that is cheaper
 */
export function countedWrite(metadata: EntityMetadata, write: string, rows?: 'one row'): string {
  const column = totalsColumn(metadata)
  if (column === undefined) return write
  const { tableName } = metadata
  if (rows) return `WITH "counted" AS (${insertInto(column)} VALUES ('${tableName}', :${column}, 1)) ${write}`
  const [, verb] = /^\s*(INSERT INTO|DELETE FROM)\s/.exec(write) ?? []
  if (!verb) throw new Error(`Rows of "${tableName}" are counted in an INSERT or a DELETE only: ${write}`)
  const change = verb === 'DELETE FROM' ? '-count(*)' : 'count(*)'
  return `WITH "written" AS (${write} RETURNING "${column}")
    ${insertInto(column)} SELECT '${tableName}', "${column}", ${change} FROM "written" GROUP BY "${column}" RETURNING "delta"`
}

/**
 * Runs an INSERT or a DELETE that is written as SQL, and counts its rows. Every such write to a table with kept totals goes
 * through this function.
 * @param type the class, or the name of its table
 * @param write SQL without RETURNING, in which `:name` stands for a value
 * @returns the number of rows
 */
export async function writeRows(
  manager: EntityManager,
  type: EntityTarget<object>,
  write: string,
  values: Record<string, unknown>,
): Promise<number> {
  const metadata = manager.connection.getMetadata(type)
  const run = statement('', countedWrite(metadata, write))
  const { rows, rowCount } = await withConnection(manager, (executor) => run(executor, values))
  if (totalsColumn(metadata) === undefined) return rowCount ?? 0
  return rows.reduce((sum, { delta }) => sum + Math.abs(delta), 0)
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
