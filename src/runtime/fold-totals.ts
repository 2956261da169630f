import type { Logger } from 'pino'
import type { DataSource } from 'typeorm'

const intervalMs = 10_000

/**
 * Folds row totals every ten seconds.
 * @returns a function that stops it
 */
export function startFoldingTotals(database: DataSource, log: Logger): () => void {
  const timer = setInterval(() => {
    foldTotals(database).catch((error) => log.error({ err: error }, 'could not fold row totals'))
  }, intervalMs)
  return () => clearInterval(timer)
}

/**
 * Adds up the rows of "row_total": each writer inserts its own row there, so that writers do not wait for each other.
 * It is one statement, so a reader sees the old rows or their sum. Several processes may run it at once.
 */
export async function foldTotals(database: DataSource): Promise<void> {
  await database.query(`
    WITH "folded" AS (
      DELETE FROM "row_total" WHERE ("relation", "organizationId") IN (
        SELECT "relation", "organizationId" FROM "row_total" GROUP BY 1, 2 HAVING count(*) > 1)
      RETURNING *)
    INSERT INTO "row_total" SELECT "relation", "organizationId", sum("delta") FROM "folded" GROUP BY 1, 2`)
}
