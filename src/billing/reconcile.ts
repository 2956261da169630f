import type { DataSource } from 'typeorm'

/** How many days events are kept, which is how long Stripe itself can tell of them. */
const kept = 30

/** Has every customer looked at, all it has, five a second: what no event has told of comes here so. */
export async function reconcile(database: DataSource): Promise<void> {
  await database.query(
    `SELECT count(graphile_worker.add_job('followCustomer', json_build_object('customer', "stripeCustomerId", 'thorough', true),
        run_at := now() + "place" * interval '200 milliseconds', job_key := 'reconcile:' || "stripeCustomerId",
        job_key_mode := 'preserve_run_at'))
      FROM (SELECT "stripeCustomerId", row_number() OVER () AS "place" FROM "organization"
        WHERE "stripeCustomerId" IS NOT NULL) AS "customers"`,
  )
  await database.query(
    `DELETE FROM "stripe_event" WHERE "status" IN ('done', 'ignored') AND "receivedAt" < now() - make_interval(days => ${kept})`,
  )
}

/**
 * Has the customers looked at whose events wait though nobody is at them, as when the process that was has died, nor will
 * be, as where Stripe is given time; and subscriptions that somebody began at Stripe and died.
 * Everybody goes by the same order, so that two at once wait for each other and not in a circle.
 * @param age in seconds, of the events that should have been done by now
 */
export async function ringAgain(database: DataSource, age = 30): Promise<void> {
  await database.query(
    `SELECT graphile_worker.add_job('followCustomer', json_build_object('customer', "customerId"), job_key := 'customer:' || "customerId",
        job_key_mode := 'preserve_run_at')
      FROM (SELECT DISTINCT "customerId" FROM "stripe_event"
        WHERE "status" = 'pending' AND "receivedAt" <= now() - make_interval(secs => $1)) AS "waiting"
      WHERE NOT EXISTS (SELECT 1 FROM graphile_worker.jobs
        WHERE "key" = 'customer:' || "customerId" AND locked_at IS NULL AND attempts < max_attempts)
      ORDER BY "customerId"`,
    [age],
  )
  await database.query(
    `SELECT graphile_worker.add_job('settleSubscription', json_build_object('organization', "organizationId", 'subscription', "id"),
        job_key := 'settle:' || "id", job_key_mode := 'preserve_run_at')
      FROM "subscription" WHERE "status" = 'incomplete' AND "externalId" IS NULL AND "createdAt" < now() - interval '5 minutes'
        AND "organizationId" IN (SELECT "id" FROM "organization" WHERE NOT "manualBilling")`,
  )
}

/** Has events applied anew, by their ids; all that failed when none is named. Gives back those that are. */
export async function replay(database: DataSource, ids?: string[]): Promise<string[]> {
  return database.transaction(async (manager) => {
    const [rows] = await manager.query(
      `UPDATE "stripe_event" SET "status" = 'pending', "attempts" = 0, "error" = NULL, "processedAt" = NULL
        WHERE "customerId" IS NOT NULL AND CASE WHEN $1::text[] IS NULL THEN "status" = 'failed' ELSE "id" = ANY($1) END
        RETURNING "id", "customerId"`,
      [ids ?? null],
    )
    for (const customer of new Set(rows.map((row: { customerId: string }) => row.customerId)))
      await manager.query(
        `SELECT graphile_worker.add_job('followCustomer', json_build_object('customer', $1::text), job_key := 'customer:' || $1)`,
        [customer],
      )
    return rows.map(({ id }: { id: string }) => id)
  })
}
