import { makeWorkerUtils } from 'graphile-worker'
import type { DataSource } from 'typeorm'
import type { PostgresDriver } from 'typeorm/driver/postgres/PostgresDriver.js'

/** Removes jobs that nobody will do any more: what they were for has been enqueued anew, or waits where it is seen. */
export async function cleanUpQueue(database: DataSource): Promise<void> {
  const utilities = await makeWorkerUtils({ pgPool: (database.driver as PostgresDriver).master })
  try {
    await utilities.cleanup({ tasks: ['DELETE_PERMAFAILED_JOBS', 'GC_TASK_IDENTIFIERS'] })
  } finally {
    await utilities.release()
  }
}
