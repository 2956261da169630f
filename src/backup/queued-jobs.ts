import type { QueryRunner } from 'typeorm'
import { isUnfinished } from '../queue/unfinished-jobs.ts'

/**
 * The jobs that have not ended. A running job is among them: a restore repeats it, like a crash. The queue's own tables are not
 * copied, because another version of graphile-worker has others. A job that used up its attempts is none: other code enqueues it.
 */
export const queuedJobs = {
  name: 'queued_job',
  columns: ['task', 'payload', 'queue', 'runAt', 'maxAttempts', 'key', 'priority', 'flags'],
  from: `(SELECT "task"."identifier" AS "task", "job"."payload"::text AS "payload", "queue"."queue_name" AS "queue",
      "job"."run_at" AS "runAt", "job"."max_attempts" AS "maxAttempts", "job"."key", "job"."priority", "job"."flags"
    FROM graphile_worker._private_jobs "job" JOIN graphile_worker._private_tasks "task" ON "task"."id" = "job"."task_id"
      LEFT JOIN graphile_worker._private_job_queues "queue" ON "queue"."id" = "job"."job_queue_id"
    WHERE ${isUnfinished} ORDER BY "job"."id") AS "queued_job"`,
}

/** Makes a temporary table for the jobs of a backup. */
export async function createJobTable(runner: QueryRunner): Promise<void> {
  await runner.query(`CREATE TEMP TABLE "queued_job" ON COMMIT DROP AS SELECT * FROM ${queuedJobs.from} LIMIT 0`)
}

/** Enqueues the jobs of that table, each with all its attempts, in their order. */
export async function enqueueJobs(runner: QueryRunner): Promise<void> {
  await runner.query(
    `SELECT graphile_worker.add_job("task", "payload"::json, "queue", "runAt", "maxAttempts", "key", "priority",
      CASE WHEN "flags" IS NOT NULL THEN ARRAY(SELECT jsonb_object_keys("flags")) END) FROM "queued_job"`,
  )
}
