import type Stripe from 'stripe'
import { Organization, PaymentMethod, Subscription } from '../../entities/index.ts'
import { type Call, copyEntity, VersionConflict } from '../hydra/index.ts'
import { type Billing, SubscriptionEnded } from './billing.ts'
import { subscriptionFrom } from './stripe/from-stripe.ts'
import { isMissing } from './stripe/stripe-errors.ts'
import { recordSubscription } from './subscription-audit.ts'
import { handleMissingCustomer } from './sync/missing-customer.ts'
import { enqueueCustomerSync } from './sync/sync-customer-job.ts'

/**
 * Writes down what Stripe made of a wish. Where an event has written the row meanwhile, Stripe is asked again, so that what
 * is older never stands in the end; and a look at the whole customer follows, which brings the invoices, too.
 */
export async function applyStripeState(
  call: Call<Subscription>,
  billing: Billing,
  verb: string,
  before: Subscription,
  answer: Stripe.Subscription,
): Promise<Subscription> {
  const { id } = before
  let [standing, found] = [before, answer]
  for (;;)
    try {
      const products = await billing.prices.productsFor([found])
      return await call.transaction(async () => {
        const after = copyEntity(standing).applyStripeState(subscriptionFrom(found, await methodsOf(call), products))
        await call.save(standing, after)
        await recordSubscription(call, verb, before, after)
        await enqueueCustomerSync(call.manager, customerIdOf(found))
        return after
      })
    } catch (error) {
      if (!(error instanceof VersionConflict)) throw error
      standing = await call.get(Subscription, id)
      found = await billing.retrieveSubscription(found.id)
    }
}

/**
 * Asks Stripe something about a subscription. One that has ended at Stripe, or that Stripe does not know, ends here before
 * the client is told.
 * @throws Ended
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
    const missing = isMissing(problem, 'subscription', externalId as string)
    if (!missing && !(problem instanceof SubscriptionEnded)) throw problem
    const { stripeCustomerId } = await call.get(Organization, organizationId)
    await handleMissingCustomer(billing, call.manager, stripeCustomerId, missing ? subscription : undefined)
    throw new SubscriptionEnded()
  }
}

async function methodsOf({ manager, tenant: organizationId }: Call): Promise<Map<string, string>> {
  const found = await manager.findBy(PaymentMethod, { organizationId })
  return new Map(found.map(({ externalId, id }) => [externalId, id]))
}

/** The customer of a subscription, by Stripe's id. */
export function customerIdOf({ customer }: Stripe.Subscription): string {
  return typeof customer === 'string' ? customer : customer.id
}
