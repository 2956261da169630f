import type { Pool } from 'pg'
import type { Logger } from 'pino'
import type { DataSource } from 'typeorm'
import { unlockCrashed } from './crashed-jobs.ts'

/** After how many seconds without a renewal a lock is taken for that of a process that has ended. */
const patience = 60

/** Says that workers are still at the jobs that they have taken: graphile-worker itself leaves those for four hours. */
export async function renew(pool: Pick<Pool, 'query'>, workers: string): Promise<void> {
  await pool.query('UPDATE graphile_worker._private_jobs SET locked_at = now() WHERE locked_by = $1', [workers])
}

/** Has jobs tried again whose process ended while it ran them; a job that goes on to end its process is dead-lettered. */
export async function release(database: DataSource, log?: Pick<Logger, 'warn' | 'error'>): Promise<void> {
  for (const { task, key, crashes, deadAt } of await unlockCrashed(database, patience))
    if (deadAt)
      log?.error(
        { task, key, crashes },
        'A job has ended its process too often and is dead-lettered: see `npm run jobs`.',
      )
    else log?.warn({ task, key, crashes }, 'The process of a job ended while it ran, so the job is tried again.')
}
