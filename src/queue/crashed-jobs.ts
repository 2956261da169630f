import type { JobHelpers } from 'graphile-worker'
import type { Pool } from 'pg'
import type { DataSource } from 'typeorm'
import { enqueue } from './enqueue.ts'

/** Crashes until a job is dead-lettered. With the pauses between them that takes an hour. */
const maxCrashes = 8

/** SQL: seconds from crash number `c` to the next attempt. None after the first crash, then a minute, then twice as long each time. */
const pauseSeconds = (c: string) => `CASE WHEN ${c} < 2 THEN 0 ELSE 60 * 2 ^ (${c} - 2) END`

/** A job whose process ended while the job ran. After several crashes in a row, the job is probably the cause. */
export interface Crash {
  task: string
  /** The key of the job, or its payload where it has none. */
  key: string
  crashes: number
  /** The time of dead-lettering; null while the job is retried. */
  deadAt: Date | null
}

/** Unlocks jobs whose lock was not renewed for so many seconds, counts a crash for each, and schedules its next attempt. */
export async function unlockStaleJobs(database: DataSource, seconds: number): Promise<Crash[]> {
  return database.query(
    `WITH "left" AS (
      SELECT "job"."id", "task"."identifier" AS "task", coalesce("job"."key", "job"."payload"::text) AS "key",
          "job"."key" IS NOT NULL AS "keyed", "job"."payload"::text AS "payload"
        FROM graphile_worker._private_jobs "job" JOIN graphile_worker._private_tasks "task" ON "task"."id" = "job"."task_id"
        WHERE "job"."locked_at" < now() - make_interval(secs => $1) FOR UPDATE OF "job" SKIP LOCKED),
    "crashed" AS (
      INSERT INTO "job_crash" AS "known" ("task", "key", "keyed", "payload", "crashes", "until")
        SELECT DISTINCT ON ("task", "key") "task", "key", "keyed", "payload", 1, now() FROM "left"
        ON CONFLICT ("task", "key") DO UPDATE SET "crashes" = "known"."crashes" + 1, "payload" = excluded."payload",
          "until" = now() + make_interval(secs => ${pauseSeconds('("known"."crashes" + 1)')}),
          "deadAt" = CASE WHEN "known"."crashes" + 1 >= ${maxCrashes} THEN coalesce("known"."deadAt", now()) END
        RETURNING "task", "key", "crashes", "until", "deadAt"),
    "unlocked" AS (
      UPDATE graphile_worker._private_jobs "job" SET "locked_at" = NULL, "locked_by" = NULL, "run_at" = "crashed"."until",
          "attempts" = CASE WHEN "deadAt" IS NULL THEN "attempts" ELSE "max_attempts" END,
          "last_error" = 'The process ended while it ran the job.', "updated_at" = now()
        FROM "left" JOIN "crashed" USING ("task", "key") WHERE "job"."id" = "left"."id")
    SELECT "task", "key", "crashes", "deadAt" FROM "crashed"`,
    [seconds],
  )
}

type Task = (payload: never, helpers: Pick<JobHelpers, 'job'>) => Promise<unknown>

/** Wraps tasks: a dead-lettered job is skipped, and a job that is enqueued during its pause is postponed to the end of it. */
export function withCrashGuard(
  pool: Pool,
  tasks: Record<string, (payload: never) => Promise<unknown>>,
): Record<string, Task> {
  const query = async (text: string, values: unknown[] = []) => (await pool.query(text, values)).rows
  const guard =
    (task: string, work: (payload: never) => Promise<unknown>): Task =>
    async (payload, { job }) => {
      const id = [task, job.key ?? JSON.stringify(payload)]
      const [crash] = await query(
        `SELECT "deadAt", extract(epoch FROM "until" - now())::float AS "wait" FROM "job_crash" WHERE "task" = $1 AND "key" = $2`,
        id,
      )
      if (crash?.deadAt) return
      if (crash?.wait > 0 && job.key)
        return enqueue({ query } as never, task, payload, { after: crash.wait, key: job.key, replace: true })
      await work(payload)
      if (crash) await query(`DELETE FROM "job_crash" WHERE "task" = $1 AND "key" = $2`, id)
    }
  return Object.fromEntries(Object.entries(tasks).map(([name, work]) => [name, guard(name, work)]))
}

/** Lists the dead-lettered jobs, oldest first. */
export function deadJobs(database: DataSource): Promise<Crash[]> {
  return database.query(
    `SELECT "task", "key", "crashes", "deadAt" FROM "job_crash" WHERE "deadAt" IS NOT NULL ORDER BY "deadAt"`,
  )
}

/** Re-enqueues the dead-lettered jobs: all, or those with one of the keys. */
export async function replayJobs(database: DataSource, keys?: string[]): Promise<Crash[]> {
  return database.transaction(async (manager) => {
    const [rows] = await manager.query(
      `DELETE FROM "job_crash" WHERE "deadAt" IS NOT NULL AND ($1::text[] IS NULL OR "key" = ANY($1)) RETURNING *`,
      [keys ?? null],
    )
    for (const { task, key, keyed, payload } of rows)
      await enqueue(manager, task, JSON.parse(payload), keyed ? { key, replace: true } : {})
    return rows
  })
}
