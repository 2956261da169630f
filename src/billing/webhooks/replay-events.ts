import type { DataSource } from 'typeorm'
import type { StripeEvent } from '../../../entities/index.ts'
import { runAll } from '../../queue/run-all.ts'
import { enqueueCustomerSync } from '../sync/sync-customer-job.ts'

/**
 * Enqueues a sync of customers whose events are pending but have no live job: the worker died, or Stripe was down.
 * @param age the events must be older, in seconds
 */
export async function enqueueStaleCustomers(database: DataSource, age = 30): Promise<void> {
  const stale: StripeEvent[] = await database.query(
    `SELECT DISTINCT "customerId" FROM "stripe_event"
      WHERE "status" = 'pending' AND "receivedAt" <= now() - make_interval(secs => $1)
        AND NOT EXISTS (SELECT 1 FROM graphile_worker.jobs
          WHERE "key" = 'customer:' || "customerId" AND locked_at IS NULL AND attempts < max_attempts)`,
    [age],
  )
  await runAll(stale, ({ customerId }) => enqueueCustomerSync(database, customerId as string))
}

/**
 * Processes events again: those with the given ids, or else all failed ones.
 * @returns the ids of the events that will be processed
 */
export async function replayEvents(database: DataSource, ids?: string[]): Promise<string[]> {
  return database.transaction(async (manager) => {
    const [rows]: [StripeEvent[]] = await manager.query(
      `UPDATE "stripe_event" SET "status" = 'pending', "attempts" = 0, "error" = NULL, "processedAt" = NULL
        WHERE "customerId" IS NOT NULL AND CASE WHEN $1::text[] IS NULL THEN "status" = 'failed' ELSE "id" = ANY($1) END
        RETURNING "id", "customerId"`,
      [ids ?? null],
    )
    const customers = new Set(rows.map(({ customerId }) => customerId as string))
    for (const customer of [...customers].sort()) await enqueueCustomerSync(manager, customer, { replace: true })
    return rows.map(({ id }) => id)
  })
}
