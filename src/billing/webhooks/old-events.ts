import type { DataSource } from 'typeorm'

/** Longer than Stripe sends an event again, which is three days. An event names people: the address of an owner, or of a card. */
const retentionDays = 30

const batchSize = 2000

/** Deletes events that were applied or ignored, in batches that hold no lock for long. Failed ones wait for an operator. */
export async function deleteOldEvents(database: Pick<DataSource, 'query'>): Promise<void> {
  for (let rows = batchSize; rows === batchSize; )
    [, rows] = await database.query(
      `DELETE FROM "stripe_event" WHERE "id" IN (SELECT "id" FROM "stripe_event" WHERE "status" IN ('done', 'ignored')
        AND "receivedAt" < now() - make_interval(days => ${retentionDays}) ORDER BY "receivedAt" LIMIT ${batchSize})`,
    )
}
