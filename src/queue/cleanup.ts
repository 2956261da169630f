import { makeWorkerUtils } from 'graphile-worker'
import type { DataSource } from 'typeorm'
import type { PostgresDriver } from 'typeorm/driver/postgres/PostgresDriver.js'

/** Deletes jobs that have used up their attempts: their work is enqueued again elsewhere, or listed as dead-lettered. */
export async function cleanUpQueue(database: DataSource): Promise<void> {
  const utilities = await makeWorkerUtils({ pgPool: (database.driver as PostgresDriver).master })
  try {
    await utilities.cleanup({ tasks: ['DELETE_PERMAFAILED_JOBS', 'GC_TASK_IDENTIFIERS'] })
  } finally {
    await utilities.release()
  }
}
