import type { DataSource } from 'typeorm'
import type { StripeEvent } from '../../../entities/index.ts'
import { runAll } from '../../queue/run-all.ts'
import { enqueueCustomerSync } from '../sync/sync-customer-job.ts'

/**
 * Has the customers looked at whose events wait though nobody is at them, as when the process that was has died, nor will
 * be, as where Stripe is given time.
 * @param age in seconds, of the events that should have been done by now
 */
export async function enqueueStaleCustomers(database: DataSource, age = 30): Promise<void> {
  const waiting: StripeEvent[] = await database.query(
    `SELECT DISTINCT "customerId" FROM "stripe_event"
      WHERE "status" = 'pending' AND "receivedAt" <= now() - make_interval(secs => $1)
        AND NOT EXISTS (SELECT 1 FROM graphile_worker.jobs
          WHERE "key" = 'customer:' || "customerId" AND locked_at IS NULL AND attempts < max_attempts)`,
    [age],
  )
  await runAll(waiting, ({ customerId }) => enqueueCustomerSync(database, customerId as string))
}

/** Has events applied anew, by their ids; all that failed when none is named. Gives back those that are. */
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
