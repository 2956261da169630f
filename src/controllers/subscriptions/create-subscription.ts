import { Organization, Subscription } from '../../../entities/index.ts'
import { applyStripeSubscription } from '../../billing/apply-stripe-subscription.ts'
import type { Billing } from '../../billing/billing.ts'
import { sendCustomerProfile } from '../../billing/customer-profile.ts'
import { findLiveSubscription } from '../../billing/live-subscription.ts'
import { noPaymentDetails, subscriptionPaymentDetails, withPaymentDetails } from '../../billing/open-invoices.ts'
import { enqueueResolve } from '../../billing/resolve-pending-subscription.ts'
import { deletePendingSubscription, insertSubscription } from '../../billing/save-subscription.ts'
import { localIdOf } from '../../billing/stripe/from-stripe.ts'
import { recordSubscription } from '../../billing/subscription-audit.ts'
import {
  applyDefaults,
  liveSubscriptionExists,
  requirePaymentMethod,
  requireSeats,
} from '../../billing/subscription-rules.ts'
import { withCustomer } from '../../billing/sync/missing-customer.ts'
import { enqueueCustomerSync } from '../../billing/sync/sync-customer-job.ts'
import { type Call, createEntity, createOperation, type Operation, Problem } from '../../hydra/index.ts'

export const create = (billing: Billing): Operation<Subscription> => ({
  ...createOperation(),
  consequence: 'bills',
  description:
    'Every property has a default: your organization, its only billing address, monthly billing, and a seat for each member ' +
    'and pending invitation. With a payment method the subscription is charged at once; 402 means that the bank declined. ' +
    'Without one it is incomplete until the browser confirms the first payment with `confirmationSecret`. With manual ' +
    'billing it is incomplete until the operator confirms it.',
  statuses: [201, 400, 402, 409, 413, 415, 422],
  callsExternalService: true,
  secrets: {
    names: ['confirmationSecret'],
    async renew(_, { awaiting, externalId }) {
      const isKnown = awaiting && typeof externalId === 'string'
      const { secret } = isKnown
        ? await subscriptionPaymentDetails(billing, externalId).catch(() => noPaymentDetails)
        : noPaymentDetails
      return { confirmationSecret: secret }
    },
  },
  async handle(call) {
    const existing = await call.manager.findOneBy(Subscription, { id: call.request.claim, organizationId: call.tenant })
    const organization = await call.get(Organization, call.tenant)
    const subscription = existing ?? (await reserveSubscription(call, organization))
    if (organization.manualBilling) return subscription
    try {
      return await withCustomer(billing, call.manager, organization, (customer) =>
        createAtStripe(call, billing, customer, subscription),
      )
    } catch (error) {
      await deletePendingSubscription(call.manager, subscription)
      throw error
    }
  },
})

/**
 * Inserts the row before the request to Stripe: it reserves the place of the one live subscription. The metadata at Stripe
 * contains its id, by which events find it. A repeated request finds it by the claim of its Idempotency-Key.
 */
async function reserveSubscription(call: Call<Subscription>, known: Organization): Promise<Subscription> {
  const blank = Object.assign(createEntity(Subscription), { id: call.request.claim, organizationId: call.tenant })
  const subscription = await call.read(blank, false, (draft) => applyDefaults(draft, call))
  await call.unitOfWork.transaction(async () => {
    const locked = await requireSeats(call, subscription)
    if (await findLiveSubscription(call.manager, locked.id)) throw new Problem(409, liveSubscriptionExists)
    requireSameBilling(known, locked)
    await insertSubscription(call.manager, locked, subscription)
    if (locked.manualBilling) await recordSubscription(call, 'create', undefined, subscription)
    else await enqueueResolve(call.manager, subscription)
  })
  return subscription
}

/** The operator may have switched the billing since the organization was read. The lock now prevents further switches. */
function requireSameBilling(known: Organization, locked: Organization): void {
  const isReplaced = known.stripeCustomerId !== null && locked.stripeCustomerId !== known.stripeCustomerId
  if (locked.manualBilling !== known.manualBilling || isReplaced)
    throw new Problem(409, 'The billing of the organization has just changed. Send the request again.')
}

async function createAtStripe(
  call: Call<Subscription>,
  billing: Billing,
  customer: string,
  subscription: Subscription,
): Promise<Subscription> {
  const live = await billing.listLiveSubscriptions(customer)
  const existing = live.findLast((one) => localIdOf(one) === subscription.id)
  if (!existing && live.length > 0) {
    // The subscription may be unknown here, for example when Stripe's response to its creation was lost.
    await enqueueCustomerSync(call.manager, customer)
    throw new Problem(409, liveSubscriptionExists)
  }
  if (!existing) await sendCustomerProfile(billing, call.manager, customer, subscription)
  const method = subscription.paymentMethodId ? await requirePaymentMethod(call, subscription) : undefined
  const found = existing ?? (await billing.createSubscription(customer, subscription, method))
  const created = await applyStripeSubscription(call, billing, 'create', subscription, found)
  return withPaymentDetails(billing, created)
}
