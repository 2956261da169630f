import type { DataSource } from 'typeorm'
import type { Organization } from '../../../entities/index.ts'
import { enqueue } from '../../queue/enqueue.ts'
import { runAll } from '../../queue/run-all.ts'

/** How many days events are kept, which is how long Stripe itself can tell of them. */
const kept = 30

/** Seconds from one customer to the next, so that Stripe is not asked for all at once. */
const pace = 0.2

/** Compares every customer with Stripe: all that Stripe has comes here, and its address and email go there. */
export async function reconcile(database: DataSource): Promise<void> {
  await database.query(
    `DELETE FROM "stripe_event" WHERE "status" IN ('done', 'ignored') AND "receivedAt" < now() - make_interval(days => ${kept})`,
  )
  const customers: Organization[] = await database.query(
    `SELECT "id", "stripeCustomerId" FROM "organization" WHERE "stripeCustomerId" IS NOT NULL`,
  )
  await runAll(customers.entries(), async ([place, { id: organization, stripeCustomerId: customer }]) => {
    const after = place * pace
    await enqueue(database, 'followCustomer', { customer, thorough: true }, { after, key: `reconcile:${customer}` })
    await enqueue(database, 'tellCustomer', { organization }, { after, key: `tell:${organization}` })
  })
}
