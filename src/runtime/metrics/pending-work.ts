import type { Registry } from 'prom-client'
import type { DataSource } from 'typeorm'
import { isUnfinished } from '../../queue/unfinished-jobs.ts'
import { countsOf, registerSqlGauges, type SqlGauge, secondsSince } from './sql-gauges.ts'

const events: SqlGauge[] = [
  {
    name: 'stripe_events',
    help: 'Stripe events that are pending, or dead-lettered after failing too often.',
    // Two subqueries use the index by status; the done events of a month are many.
    sql: `SELECT ${['pending', 'failed']
      .map((status) => `(SELECT count(*)::int FROM "stripe_event" WHERE "status" = '${status}') AS "${status}"`)
      .join(', ')}`,
  },
  {
    name: 'stripe_events_oldest_pending_seconds',
    help: 'Age of the oldest pending Stripe event.',
    sql: `SELECT ${secondsSince('min("receivedAt")')} FROM "stripe_event" WHERE "status" = 'pending'`,
  },
]

const isDue = `"locked_at" IS NULL AND "run_at" <= now()`

/** The table of jobs is small, because a job that is done is deleted. */
const unfinished = `FROM graphile_worker._private_jobs "job" WHERE ${isUnfinished}`

const jobs: SqlGauge[] = [
  {
    name: 'jobs',
    help: 'Jobs that are due, that run, or that failed and wait for their next attempt.',
    sql: `SELECT ${countsOf({
      due: isDue,
      running: '"locked_at" IS NOT NULL',
      retrying: '"locked_at" IS NULL AND "run_at" > now() AND "attempts" > 0',
    })} ${unfinished}`,
  },
  {
    name: 'jobs_oldest_due_seconds',
    help: 'Time since the oldest due job should have started.',
    sql: `SELECT ${secondsSince(`min("run_at") FILTER (WHERE ${isDue})`)} ${unfinished}`,
  },
  {
    name: 'jobs_dead',
    help: 'Jobs that were dead-lettered because their process ended too often while they ran.',
    sql: `SELECT count(*)::int AS "value" FROM "job_crash" WHERE "deadAt" IS NOT NULL`,
  },
]

const dueDeliveries = `FROM "webhook_delivery" AS "delivery" JOIN "webhook_endpoint" AS "endpoint"
    ON "endpoint"."organizationId" = "delivery"."organizationId" AND "endpoint"."id" = "delivery"."endpointId"
  WHERE "delivery"."status" = 'pending' AND "nextAttemptAt" <= now() AND "failingSince" IS NULL`

/** One receiver that fails is its owner's matter; many are the operator's. */
const webhooks: SqlGauge[] = [
  {
    name: 'webhook_endpoints',
    help: 'Webhook endpoints that accept deliveries, that fail, or that are disabled.',
    sql: `SELECT ${countsOf({
      active: '"enabled" AND "failingSince" IS NULL',
      failing: '"enabled" AND "failingSince" IS NOT NULL',
      disabled: 'NOT "enabled"',
    })} FROM "webhook_endpoint"`,
  },
  {
    name: 'webhook_deliveries',
    help: 'Webhook deliveries that are due, or that run or wait for their next attempt.',
    sql: `SELECT ${countsOf({ due: '"nextAttemptAt" <= now()', retrying: '"nextAttemptAt" > now()' })}
      FROM "webhook_delivery" WHERE "status" = 'pending'`,
  },
  {
    name: 'webhook_deliveries_oldest_due_seconds',
    help: 'Time since the oldest due delivery to an endpoint that does not fail should have been sent.',
    sql: `SELECT ${secondsSince('min("nextAttemptAt")')} ${dueDeliveries}`,
  },
]

/** Counts events, jobs and deliveries that are not done. A high age shows a stuck queue; failed events and dead jobs need an operator. */
export function countPendingWork(registry: Registry, database: DataSource): void {
  registerSqlGauges(registry, database, [...events, ...jobs, ...webhooks])
}
