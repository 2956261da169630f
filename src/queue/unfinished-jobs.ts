/**
 * SQL: whether a job has not ended, for queries with the alias "job" of graphile_worker._private_jobs. A job that runs its last
 * attempt has used up all of them.
 */
export const isUnfinished = `("job"."attempts" < "job"."max_attempts" OR "job"."locked_at" IS NOT NULL)`
