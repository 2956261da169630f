import type { Logger } from 'pino'
import type { DataSource } from 'typeorm'
import { rowTotals } from '../hydra/index.ts'
import { lockTotals } from '../postgres/locks.ts'

/**
 * Compares the kept totals with the number of rows, and corrects those that differ. A total differs after a write by hand, or
 * by a process of an older version.
 */
export async function correctTotals(database: DataSource, log: Logger): Promise<void> {
  for (const metadata of database.entityMetadatas) {
    const corrected = await database.transaction(async (manager) => {
      await lockTotals(manager)
      return rowTotals.correct(manager, metadata)
    })
    for (const { tenant: organization, difference } of corrected)
      log.warn({ table: metadata.tableName, organization, difference }, 'corrected a kept total')
  }
  await rowTotals.fold(database)
}
