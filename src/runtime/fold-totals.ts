import type { Logger } from 'pino'
import type { DataSource } from 'typeorm'
import { rowTotals, TenantScope } from '../hydra/index.ts'

const intervalMs = 10_000

/**
 * Folds row totals every ten seconds.
 * @returns a function that stops it
 */
export function startFoldingTotals(database: DataSource, log: Logger): () => void {
  const timer = setInterval(() => {
    rowTotals
      .fold(TenantScope.every.view(database))
      .catch((error) => log.error({ err: error }, 'could not fold row totals'))
  }, intervalMs)
  return () => clearInterval(timer)
}
