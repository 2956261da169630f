import type { EntityManager } from 'typeorm'

/** When a job is to be done, if not at once; of two under one key only the first is kept until it begins. */
export interface EnqueueOptions {
  /** How many seconds from now. */
  after?: number
  key?: string
  /** Whether it is done then though one that waits under the key has a time of its own. */
  replace?: boolean
}

/** Has a job done once the transaction that the manager works in is committed, and never if it is not. */
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
  // One under the same key was begun at this very moment: it is not changed any more, and by now is seen to have begun.
  if (id === null) await add()
}
