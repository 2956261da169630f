import type { EntityManager } from 'typeorm'

/** Options of a job. Of two pending jobs with one key, only the first is kept. */
export interface EnqueueOptions {
  /** Seconds until the job may start. */
  after?: number
  key?: string
  /** Whether a pending job with this key takes the new start time; without it, the pending job keeps its own. */
  replace?: boolean
}

/** Enqueues a job in the manager's transaction: it runs after the commit, and never after a rollback. */
export async function enqueue(
  manager: Pick<EntityManager, 'query'>,
  task: string,
  payload: object,
  { after = 0, key, replace = false }: EnqueueOptions = {},
): Promise<void> {
  const add = () =>
    manager.query(
      `SELECT (graphile_worker.add_job($1, $2::json, run_at := now() + make_interval(secs => $3), job_key := $4,
        job_key_mode := $5))."id"`,
      [task, JSON.stringify(payload), after, key ?? null, replace ? 'replace' : 'preserve_run_at'],
    )
  const [{ id }] = await add()
  // Null: a job with this key started at this moment and cannot be changed. A second call adds a new job.
  if (id === null) await add()
}
