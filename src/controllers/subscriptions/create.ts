import { Organization, Subscription } from '../../../entities/index.ts'
import { applyStripeState } from '../../billing/apply-stripe-subscription.ts'
import type { Billing } from '../../billing/billing.ts'
import { sendCustomerProfile } from '../../billing/customer-profile.ts'
import { noPaymentDetails, subscriptionPaymentDetails } from '../../billing/open-invoices.ts'
import { enqueueResolve, giveUpSubscription } from '../../billing/resolve-pending-subscription.ts'
import { localIdOf } from '../../billing/stripe/from-stripe.ts'
import { recordSubscription } from '../../billing/subscription-audit.ts'
import { applyDefaults, requireSeats } from '../../billing/subscription-rules.ts'
import { withCustomer } from '../../billing/sync/missing-customer.ts'
import { enqueueCustomerSync } from '../../billing/sync/sync-customer-job.ts'
import { type Call, createEntity, createOperation, type Operation, Problem } from '../../hydra/index.ts'
import { externalOf, reveal } from './subscriptions.ts'

/** What the database's rule of one live subscription means, whoever finds it broken first. */
export const liveSubscriptionExists = 'The organization has a live subscription already: change it, or cancel it first.'

export const create = (billing: Billing): Operation<Subscription> => ({
  ...createOperation<Subscription>({}),
  description:
    'Everything has a default: your organization, its only billing address, monthly, a seat for every member and pending ' +
    'invitation. With a payment method it is charged at once, and 402 says that the bank refused; without one it is ' +
    'incomplete until the browser has confirmed the first payment with its secret. Billed by hand, it awaits the operator.',
  statuses: [201, 400, 402, 409, 413, 415, 422],
  callsExternalService: true,
  secrets: {
    names: ['confirmationSecret'],
    async renew(_, { awaiting, externalId }) {
      const known = awaiting && typeof externalId === 'string'
      return {
        confirmationSecret: known
          ? (await subscriptionPaymentDetails(billing, externalId).catch(() => noPaymentDetails)).secret
          : null,
      }
    },
  },
  async handle(call) {
    const begun = await call.manager.findOneBy(Subscription, { id: call.claim, organizationId: call.tenant })
    const organization = await call.get(Organization, call.tenant)
    const subscription = begun ?? (await begin(call, organization))
    if (organization.manualBilling) return subscription
    try {
      return await withCustomer(billing, call.manager, organization, (customer) =>
        atStripe(call, billing, customer, subscription),
      )
    } catch (error) {
      await giveUpSubscription(call.manager, subscription.id)
      throw error
    }
  },
})

/** The row is there before Stripe is asked: it holds the place of the one live subscription, and events find it by its id. */
async function begin(
  call: Call<Subscription>,
  { currentSubscriptionId, manualBilling, stripeCustomerId }: Organization,
): Promise<Subscription> {
  const blank = Object.assign(createEntity(Subscription), { id: call.claim, organizationId: call.tenant })
  const subscription = await call.read(blank, false, (draft) => applyDefaults(draft, call))
  if (currentSubscriptionId) throw new Problem(409, liveSubscriptionExists)
  await call.transaction(async () => {
    await requireSeats(call, subscription)
    await requireSame(call, { manualBilling, stripeCustomerId })
    await call.insert(subscription)
    if (manualBilling) await recordSubscription(call, 'create', undefined, subscription)
    else await enqueueResolve(call.manager, subscription)
  })
  return subscription
}

/** The operator may have changed how the organization is billed since it was read; by now nobody else can. */
async function requireSame(
  { manager, tenant: id }: Call,
  known: Pick<Organization, 'manualBilling' | 'stripeCustomerId'>,
): Promise<void> {
  const { manualBilling, stripeCustomerId } = await manager.findOneByOrFail(Organization, { id })
  const lost = known.stripeCustomerId !== null && stripeCustomerId !== known.stripeCustomerId
  if (manualBilling !== known.manualBilling || lost)
    throw new Problem(409, 'How the organization is billed has just changed: try again.')
}

async function atStripe(
  call: Call<Subscription>,
  billing: Billing,
  customer: string,
  subscription: Subscription,
): Promise<Subscription> {
  const live = await billing.listLiveSubscriptions(customer)
  const made = live.findLast((one) => localIdOf(one) === subscription.id)
  if (!made && live.length > 0) {
    // Nobody here may know of it yet, as when the answer to whoever began it was lost.
    await enqueueCustomerSync(call.manager, customer)
    throw new Problem(409, liveSubscriptionExists)
  }
  if (!made) await sendCustomerProfile(billing, call.manager, customer, subscription)
  const method = subscription.paymentMethodId ? await externalOf(call, subscription) : undefined
  const found = made ?? (await billing.createSubscription(customer, subscription, method))
  const followed = await applyStripeState(call, billing, 'create', subscription, found)
  return reveal(billing, followed)
}
