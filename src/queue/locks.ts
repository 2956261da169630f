import type { Pool } from 'pg'
import type { DataSource } from 'typeorm'

/** After how many seconds without a word from them the workers are held to be gone that have taken a job. */
const patience = 60

/** Says that workers are still at the jobs that they have taken: graphile-worker itself leaves those for four hours. */
export async function renew(pool: Pick<Pool, 'query'>, workers: string): Promise<void> {
  await pool.query('UPDATE graphile_worker._private_jobs SET locked_at = now() WHERE locked_by = $1', [workers])
}

/** Gives the jobs to others that were taken by workers who are gone, as when their process was killed. */
export async function release(database: DataSource): Promise<void> {
  await database.query(
    `SELECT graphile_worker.force_unlock_workers(array_agg(DISTINCT locked_by)) FROM graphile_worker.jobs
      WHERE locked_at < now() - make_interval(secs => ${patience}) HAVING count(*) > 0`,
  )
}
