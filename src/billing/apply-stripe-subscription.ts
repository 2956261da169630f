import type Stripe from 'stripe'
import type { VerbOn } from '../../entities/audit-actions.ts'
import { Organization, PaymentMethod, Subscription } from '../../entities/index.ts'
import { type Call, copyEntity, VersionConflict } from '../hydra/index.ts'
import { type Billing, SubscriptionEnded } from './billing.ts'
import { saveSubscription } from './save-subscription.ts'
import { subscriptionFrom } from './stripe/from-stripe.ts'
import { isMissing } from './stripe/stripe-errors.ts'
import { recordSubscription } from './subscription-audit.ts'
import { handleMissingCustomer } from './sync/missing-customer.ts'
import { enqueueCustomerSync } from './sync/sync-customer-job.ts'

/**
 * Stores the state that Stripe returned for a change. When an event has written the row meanwhile, the state is fetched again:
 * an older state never replaces a newer one. A sync of the customer is enqueued, which stores the invoices too.
 */
export async function applyStripeSubscription(
  call: Call<Subscription>,
  billing: Billing,
  verb: VerbOn<'subscription'>,
  before: Subscription,
  response: Stripe.Subscription,
): Promise<Subscription> {
  const { id } = before
  let [row, found] = [before, response]
  for (;;)
    try {
      const products = await billing.prices.productsFor([found])
      return await call.unitOfWork.transaction(async () => {
        const after = copyEntity(row).applyStripeState(subscriptionFrom(found, await paymentMethodIds(call), products))
        await saveSubscription(call.manager, row, after)
        await recordSubscription(call, verb, before, after)
        await enqueueCustomerSync(call.manager, customerIdOf(found))
        return after
      })
    } catch (error) {
      if (!(error instanceof VersionConflict)) throw error
      row = await call.get(Subscription, id)
      found = await billing.retrieveSubscription(found.id)
    }
}

/**
 * Sends requests to Stripe about a subscription. When it has ended there, or Stripe does not know it, it ends here too.
 * @throws SubscriptionEnded in that case
 */
export async function whileLive<T>(
  call: Call,
  billing: Billing,
  subscription: Subscription,
  request: () => Promise<T>,
): Promise<T> {
  const { externalId, organizationId } = subscription
  try {
    return await request()
  } catch (problem) {
    const isUnknown = isMissing(problem, 'subscription', externalId as string)
    if (!isUnknown && !(problem instanceof SubscriptionEnded)) throw problem
    const { stripeCustomerId } = await call.get(Organization, organizationId)
    await handleMissingCustomer(billing, call.manager, stripeCustomerId, isUnknown ? subscription : undefined)
    throw new SubscriptionEnded()
  }
}

/** The ids of the organization's payment methods by Stripe's ids. */
async function paymentMethodIds({ manager, tenant: organizationId }: Call): Promise<Map<string, string>> {
  const found = await manager.findBy(PaymentMethod, { organizationId })
  return new Map(found.map(({ externalId, id }) => [externalId, id]))
}

/** Stripe's id of the customer of a subscription. */
export function customerIdOf({ customer }: Stripe.Subscription): string {
  return typeof customer === 'string' ? customer : customer.id
}
