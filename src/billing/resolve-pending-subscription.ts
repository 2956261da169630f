import type Stripe from 'stripe'
import type { DataSource, EntityManager } from 'typeorm'
import { Organization, Subscription } from '../../entities/index.ts'
import { enqueue } from '../queue/enqueue.ts'
import { runAll } from '../queue/run-all.ts'
import type { Billing } from './billing.ts'
import { localIdOf } from './stripe/from-stripe.ts'
import { isMissing } from './stripe/stripe-errors.ts'
import { enqueueCustomerSync } from './sync/sync-customer-job.ts'

interface Settling {
  organization: string
  subscription: string
}

/** How many seconds after it was begun nobody works on it any more, nor repeats the request. */
const patience = 120

/** Has a subscription that is about to be begun at Stripe looked at later, in case whoever begins it dies or is not answered. */
export function enqueueResolve(manager: EntityManager, subscription: Subscription): Promise<void> {
  return settle(manager, subscription, patience)
}

function settle(
  manager: Pick<EntityManager, 'query'>,
  { organizationId: organization, id: subscription }: Subscription,
  after?: number,
): Promise<void> {
  return enqueue(
    manager,
    'settleSubscription',
    { organization, subscription },
    { after, key: `settle:${subscription}` },
  )
}

/** Has the subscriptions looked at that somebody began at Stripe a while ago and died, or lost the look at them. */
export async function enqueueUnresolved(database: DataSource): Promise<void> {
  const doubtful: Subscription[] = await database.query(
    `SELECT "id", "organizationId" FROM "subscription"
      WHERE "status" = 'incomplete' AND "externalId" IS NULL AND "createdAt" < now() - interval '5 minutes'
        AND "organizationId" IN (SELECT "id" FROM "organization" WHERE NOT "manualBilling")`,
  )
  await runAll(doubtful, (subscription) => settle(database, subscription))
}

/**
 * Ends the doubt about a subscription that was begun: what Stripe has made of it is taken over, or ended where the
 * organization has subscribed anew meanwhile; what Stripe has not made is given up here.
 */
export function resolvePendingSubscription(database: DataSource, billing: Billing) {
  return async ({ organization, subscription }: Settling): Promise<void> => {
    const { manager } = database
    const row = await manager.findOneBy(Subscription, { id: subscription })
    if (row?.externalId || (row && !row.live)) return
    const { stripeCustomerId: customer } = await manager.findOneByOrFail(Organization, { id: organization })
    const live = customer ? await liveOf(billing, customer) : []
    const made = live.findLast((one) => localIdOf(one) === subscription)
    if (!made && row && (await isTried(manager, subscription))) return enqueueResolve(manager, row)
    if (!made) return giveUpSubscription(manager, subscription)
    const { currentSubscriptionId } = await manager.findOneByOrFail(Organization, { id: organization })
    const replaced = currentSubscriptionId !== null && currentSubscriptionId !== subscription
    if (replaced) await billing.cancelSubscription(made.id, true)
    await enqueueCustomerSync(manager, customer as string)
  }
}

/** A customer that Stripe has deleted or does not know has no subscriptions. */
function liveOf(billing: Billing, customer: string): Promise<Stripe.Subscription[]> {
  return billing.listLiveSubscriptions(customer).catch((problem) => {
    if (isMissing(problem, 'customer', customer)) return []
    throw problem
  })
}

/** Whether somebody repeats the request that began it just now. */
async function isTried(manager: EntityManager, subscription: string): Promise<boolean> {
  const [{ tried }] = await manager.query(
    `SELECT EXISTS (SELECT 1 FROM "idempotency_key" WHERE "claim" = $1 AND "answer" IS NULL
      AND "claimedAt" > now() - interval '${patience} seconds') AS "tried"`,
    [subscription],
  )
  return tried
}

/** Takes back a subscription that Stripe has not made: no trace of it is left, and another may be begun. */
export function giveUpSubscription(manager: EntityManager, id: string): Promise<void> {
  return manager.transaction(async (within) => {
    const { affected } = await within
      .createQueryBuilder()
      .update(Subscription)
      .set({ status: 'incomplete_expired' })
      .where(`"id" = :id AND "externalId" IS NULL AND "status" = 'incomplete'`, { id })
      .execute()
    if (affected === 1) await within.delete(Subscription, { id })
  })
}
