import type { Pool } from 'pg'
import type { Logger } from 'pino'
import type { DataSource } from 'typeorm'
import { unlockStaleJobs } from './crashed-jobs.ts'

/** A job's lock that is not renewed for this long belongs to a process that has ended. */
const lockExpirySeconds = 60

/** Renews the locks of running jobs. Without renewal, graphile-worker would wait four hours before it retries a crashed job. */
export async function renewJobLocks(pool: Pick<Pool, 'query'>, workers: string): Promise<void> {
  await pool.query('UPDATE graphile_worker._private_jobs SET locked_at = now() WHERE locked_by = $1', [workers])
}

/** Retries jobs whose process ended while they ran; a job that keeps ending its process is dead-lettered. */
export async function retryAbandonedJobs(database: DataSource, log?: Pick<Logger, 'warn' | 'error'>): Promise<void> {
  for (const { task, key, crashes, deadAt } of await unlockStaleJobs(database, lockExpirySeconds))
    if (deadAt)
      log?.error(
        { task, key, crashes },
        'job is dead-lettered: its process ended too often while it ran. See `npm run jobs`.',
      )
    else log?.warn({ task, key, crashes }, 'job is retried: its process ended while it ran')
}
