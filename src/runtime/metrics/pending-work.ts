import { Gauge, type Registry } from 'prom-client'
import type { DataSource } from 'typeorm'
import { isUnfinished } from '../../queue/unfinished-jobs.ts'
import { countWebhooks } from './webhook-gauges.ts'

/** Counts Stripe's events and jobs that are not done. A high age shows a stuck queue; failed events need an operator. */
export function countPendingWork(registry: Registry, database: DataSource): void {
  new Gauge({
    name: 'stripe_events',
    help: 'Stripe events that are pending, or dead-lettered after failing too often.',
    labelNames: ['status'],
    registers: [registry],
    async collect() {
      for (const status of ['pending', 'failed']) {
        const [{ count }] = await database.query(`SELECT count(*)::int FROM "stripe_event" WHERE "status" = $1`, [
          status,
        ])
        this.set({ status }, count)
      }
    },
  })
  new Gauge({
    name: 'jobs_dead',
    help: 'Jobs that were dead-lettered because their process ended too often while they ran.',
    registers: [registry],
    async collect() {
      const [{ count }] = await database.query(`SELECT count(*)::int FROM "job_crash" WHERE "deadAt" IS NOT NULL`)
      this.set(count)
    },
  })
  new Gauge({
    name: 'stripe_events_oldest_pending_seconds',
    help: 'Age of the oldest pending Stripe event.',
    registers: [registry],
    async collect() {
      const [{ age }] = await database.query(
        `SELECT coalesce(extract(epoch FROM now() - min("receivedAt")), 0)::float AS "age"
          FROM "stripe_event" WHERE "status" = 'pending'`,
      )
      this.set(age)
    },
  })
  countJobs(registry, database)
  countWebhooks(registry, database)
}

const isDue = `"locked_at" IS NULL AND "run_at" <= now()`

/** Counts jobs of the queue. Its table is small, because a job that is done is deleted. */
function countJobs(registry: Registry, database: DataSource): void {
  const read = async (columns: string) => {
    const [row] = await database.query(
      `SELECT ${columns} FROM graphile_worker._private_jobs "job" WHERE ${isUnfinished}`,
    )
    return row
  }
  new Gauge({
    name: 'jobs',
    help: 'Jobs that are due, that run, or that failed and wait for their next attempt.',
    labelNames: ['status'],
    registers: [registry],
    async collect() {
      const counts = await read(
        `count(*) FILTER (WHERE ${isDue})::int AS "due", count(*) FILTER (WHERE "locked_at" IS NOT NULL)::int AS "running",
          count(*) FILTER (WHERE "locked_at" IS NULL AND "run_at" > now() AND "attempts" > 0)::int AS "retrying"`,
      )
      for (const [status, count] of Object.entries(counts)) this.set({ status }, count as number)
    },
  })
  new Gauge({
    name: 'jobs_oldest_due_seconds',
    help: 'Time since the oldest due job should have started.',
    registers: [registry],
    async collect() {
      const { age } = await read(
        `coalesce(extract(epoch FROM now() - min("run_at") FILTER (WHERE ${isDue})), 0)::float AS "age"`,
      )
      this.set(age)
    },
  })
}
