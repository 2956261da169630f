import { type DataSource, type EntityManager, IsNull, Not } from 'typeorm'
import { Organization } from '../../entities/index.ts'
import { liveCondition } from '../../entities/subscription.ts'
import type { Billing } from '../billing/billing.ts'
import { listLiveIfKnown } from '../billing/resolve-pending-subscription.ts'
import { enqueueCustomerSync } from '../billing/sync/sync-customer-job.ts'
import { enqueue } from '../queue/enqueue.ts'
import { runAll } from '../queue/run-all.ts'

/** Enqueues the job in the manager's transaction, so that an organization can be closed while Stripe is down. */
export function enqueueEndOfBilling(manager: Pick<EntityManager, 'query'>, organization: string): Promise<void> {
  return enqueue(manager, 'endBilling', { organization }, { key: `endBilling:${organization}` })
}

/** The job that cancels the subscription of a closed organization. One that was reopened meanwhile keeps it. */
export function endBilling({ manager }: DataSource, billing: Billing) {
  return async ({ organization: id }: { organization: string }): Promise<void> => {
    const closed = await manager.findOneBy(Organization, { id, status: 'closed', deleteAt: Not(IsNull()) })
    if (!closed?.stripeCustomerId) return
    await cancelAtStripe(billing, closed.stripeCustomerId)
    await enqueueCustomerSync(manager, closed.stripeCustomerId)
  }
}

/** Ends all live subscriptions of a customer at once. The last invoice charges pending differences. */
export async function cancelAtStripe(billing: Billing, customer: string): Promise<void> {
  for (const { id, status } of await listLiveIfKnown(billing, customer))
    await billing.cancelSubscription(id, true, status !== 'incomplete')
}

/** Enqueues the job for closed organizations that still pay, for example after an outage of Stripe. */
export async function enqueueUnendedBilling(database: DataSource): Promise<void> {
  const paying: Organization[] = await database.query(
    `SELECT "id" FROM "organization" WHERE "deleteAt" IS NOT NULL AND "status" = 'closed' AND NOT "manualBilling" AND EXISTS (
      SELECT FROM "subscription" WHERE "organizationId" = "organization"."id" AND ${liveCondition} AND "externalId" IS NOT NULL)`,
  )
  await runAll(paying, ({ id }) => enqueueEndOfBilling(database, id))
}
