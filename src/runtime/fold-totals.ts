import type { Logger } from 'pino'
import type { DataSource } from 'typeorm'

const every = 10_000

/** Folds, every ten seconds, what has been counted since; gives back how to stop that. */
export function startFoldingTotals(database: DataSource, log: Logger): () => void {
  const timer = setInterval(() => {
    foldTotals(database).catch((error) => log.error({ err: error }, 'totals could not be folded'))
  }, every)
  return () => clearInterval(timer)
}

/**
 * Makes one row of the many that writers have left in "row_total", each of their own so that none waits for another.
 * One statement, so that a reader sees either the many or the one; several processes may do it at once.
 */
export async function foldTotals(database: DataSource): Promise<void> {
  await database.query(`
    WITH "folded" AS (
      DELETE FROM "row_total" WHERE ("relation", "organizationId") IN (
        SELECT "relation", "organizationId" FROM "row_total" GROUP BY 1, 2 HAVING count(*) > 1)
      RETURNING *)
    INSERT INTO "row_total" SELECT "relation", "organizationId", sum("delta") FROM "folded" GROUP BY 1, 2`)
}
