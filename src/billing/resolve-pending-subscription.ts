import type Stripe from 'stripe'
import type { DataSource, EntityManager } from 'typeorm'
import { Organization, Subscription } from '../../entities/index.ts'
import { enqueue } from '../queue/enqueue.ts'
import { runAll } from '../queue/run-all.ts'
import type { Billing } from './billing.ts'
import { findLiveSubscription } from './live-subscription.ts'
import { deletePendingSubscription } from './save-subscription.ts'
import { localIdOf } from './stripe/from-stripe.ts'
import { isMissing } from './stripe/stripe-errors.ts'
import { enqueueCustomerSync } from './sync/sync-customer-job.ts'

interface ResolvePayload {
  organization: string
  subscription: string
}

/** After this time the request that inserted the row has ended, and so has every repetition of it. */
const requestTimeoutSeconds = 120

/** Enqueues the resolution of a new subscription, for the case that its process dies or Stripe's response is lost. */
export function enqueueResolve(manager: EntityManager, subscription: Subscription): Promise<void> {
  return enqueueJob(manager, subscription, requestTimeoutSeconds)
}

function enqueueJob(
  manager: Pick<EntityManager, 'query'>,
  { organizationId: organization, id: subscription }: Subscription,
  afterSeconds?: number,
): Promise<void> {
  return enqueue(
    manager,
    'settleSubscription',
    { organization, subscription },
    { after: afterSeconds, key: `settle:${subscription}` },
  )
}

/** Enqueues the resolution of subscriptions that have been pending for five minutes and may have lost their job. */
export async function enqueueUnresolved(database: DataSource): Promise<void> {
  const pending: Subscription[] = await database.query(
    `SELECT "id", "organizationId" FROM "subscription"
      WHERE "status" = 'incomplete' AND "externalId" IS NULL AND "createdAt" < now() - interval '5 minutes'
        AND "organizationId" IN (SELECT "id" FROM "organization" WHERE NOT "manualBilling")`,
  )
  await runAll(pending, (subscription) => enqueueJob(database, subscription))
}

/**
 * The job that resolves a subscription whose creation at Stripe has an unknown outcome. When Stripe has created it, a sync
 * stores it, or it is canceled at Stripe because the organization has another live subscription. Otherwise its row is deleted.
 */
export function resolvePendingSubscription(database: DataSource, billing: Billing) {
  return async ({ organization, subscription }: ResolvePayload): Promise<void> => {
    const { manager } = database
    const row = await manager.findOneBy(Subscription, { organizationId: organization, id: subscription })
    if (row?.externalId || (row && !row.live)) return
    const { stripeCustomerId: customer } = await manager.findOneByOrFail(Organization, { id: organization })
    const found = customer ? await listLiveIfKnown(billing, customer) : []
    const created = found.findLast((one) => localIdOf(one) === subscription)
    if (!created && row && (await isBeingRequested(manager, subscription))) return enqueueResolve(manager, row)
    if (!created) return deletePendingSubscription(manager, { organizationId: organization, id: subscription })
    const live = await findLiveSubscription(manager, organization)
    if (live && live.id !== subscription) await billing.cancelSubscription(created.id, true)
    await enqueueCustomerSync(manager, customer as string)
  }
}

/** A customer that Stripe has deleted or does not know has no subscriptions. */
export function listLiveIfKnown(billing: Billing, customer: string): Promise<Stripe.Subscription[]> {
  return billing.listLiveSubscriptions(customer).catch((problem) => {
    if (isMissing(problem, 'customer', customer)) return []
    throw problem
  })
}

/** Whether a request with the same Idempotency-Key is being processed, so that it may still create the subscription. */
async function isBeingRequested(manager: EntityManager, subscription: string): Promise<boolean> {
  const [{ requested }] = await manager.query(
    `SELECT EXISTS (SELECT 1 FROM "idempotency_key" WHERE "claim" = $1 AND "answer" IS NULL
      AND "claimedAt" > now() - interval '${requestTimeoutSeconds} seconds') AS "requested"`,
    [subscription],
  )
  return requested
}
