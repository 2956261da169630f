import { Gauge, type Registry } from 'prom-client'
import type { DataSource } from 'typeorm'

const endpoints = {
  active: '"enabled" AND "failingSince" IS NULL',
  failing: '"enabled" AND "failingSince" IS NOT NULL',
  disabled: 'NOT "enabled"',
}

/** Counts deliveries that are not done, and endpoints. One receiver that fails is its owner's matter; many are the operator's. */
export function countWebhooks(registry: Registry, database: DataSource): void {
  new Gauge({
    name: 'webhook_endpoints',
    help: 'Webhook endpoints that accept deliveries, that fail, or that are disabled.',
    labelNames: ['status'],
    registers: [registry],
    async collect() {
      const columns = Object.entries(endpoints).map(([name, is]) => `count(*) FILTER (WHERE ${is})::int AS "${name}"`)
      const [counts] = await database.query(`SELECT ${columns} FROM "webhook_endpoint"`)
      for (const [status, count] of Object.entries(counts)) this.set({ status }, count as number)
    },
  })
  new Gauge({
    name: 'webhook_deliveries',
    help: 'Webhook deliveries that are due, or that run or wait for their next attempt.',
    labelNames: ['status'],
    registers: [registry],
    async collect() {
      const [counts] = await database.query(
        `SELECT count(*) FILTER (WHERE "nextAttemptAt" <= now())::int AS "due",
          count(*) FILTER (WHERE "nextAttemptAt" > now())::int AS "retrying" FROM "webhook_delivery" WHERE "status" = 'pending'`,
      )
      for (const [status, count] of Object.entries(counts)) this.set({ status }, count as number)
    },
  })
  new Gauge({
    name: 'webhook_deliveries_oldest_due_seconds',
    help: 'Time since the oldest due delivery to an endpoint that does not fail should have been sent.',
    registers: [registry],
    async collect() {
      const [{ age }] = await database.query(
        `SELECT coalesce(extract(epoch FROM now() - min("nextAttemptAt")), 0)::float AS "age"
          FROM "webhook_delivery" AS "delivery" JOIN "webhook_endpoint" AS "endpoint"
            ON "endpoint"."organizationId" = "delivery"."organizationId" AND "endpoint"."id" = "delivery"."endpointId"
          WHERE "delivery"."status" = 'pending' AND "nextAttemptAt" <= now() AND "failingSince" IS NULL`,
      )
      this.set(age)
    },
  })
}
