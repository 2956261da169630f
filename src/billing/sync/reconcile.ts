import type { DataSource } from 'typeorm'
import type { Organization } from '../../../entities/index.ts'
import { enqueue } from '../../queue/enqueue.ts'
import { runAll } from '../../queue/run-all.ts'
import { enqueueCustomerProfile } from '../enqueue-customer-profile.ts'

/** Processed events are deleted after 30 days, as at Stripe. */
const retentionDays = 30

/** Spreads the requests to Stripe over time. */
const secondsBetweenCustomers = 0.2

/** Enqueues a thorough sync of every customer, and an update of its name, email and address at Stripe. */
export async function reconcile(database: DataSource): Promise<void> {
  await database.query(
    `DELETE FROM "stripe_event" WHERE "status" IN ('done', 'ignored') AND "receivedAt" < now() - make_interval(days => ${retentionDays})`,
  )
  const customers: Organization[] = await database.query(
    `SELECT "id", "stripeCustomerId" FROM "organization" WHERE "stripeCustomerId" IS NOT NULL`,
  )
  await runAll(customers.entries(), async ([position, { id: organization, stripeCustomerId: customer }]) => {
    const after = position * secondsBetweenCustomers
    await enqueue(database, 'followCustomer', { customer, thorough: true }, { after, key: `reconcile:${customer}` })
    await enqueueCustomerProfile(database, organization, { after })
  })
}
