import { Organization, PaymentMethod } from '../../entities/index.ts'
import { type Call, ConstraintViolation, Problem } from '../hydra/index.ts'
import type { Billing } from './billing.ts'
import { findLiveSubscription } from './live-subscription.ts'
import { enqueueCustomerSync } from './sync/sync-customer-job.ts'
import { deletePaymentMethods } from './sync/sync-payment-methods.ts'

const remedy = 'Cancel it immediately, then change the billing of the organization.'

/**
 * Refuses a switch of billing while the current customer has a live subscription at Stripe: after the switch this API could
 * not end it. Stripe is asked, because its state may not be synced yet.
 */
export async function requireNoStripeSubscription(call: Call, billing: Billing, draft: Organization): Promise<void> {
  const before = await call.get(Organization, draft.id)
  if (!before.stripeCustomerId || !isSwitched(before, draft)) return
  const [live] = await billing.listLiveSubscriptions(before.stripeCustomerId).catch((problem) => {
    // Stripe does not know the customer, so it has no live subscription.
    if (problem instanceof ConstraintViolation) return []
    throw problem
  })
  if (live) throw new Problem(409, `Stripe bills the subscription ${live.id} of this organization. ${remedy}`)
}

/**
 * Completes a switch of billing in the transaction that writes it. The payment methods of the old customer are deleted, and
 * a sync of the new customer is enqueued.
 * @throws Problem 409 when the organization has a live subscription, which could not be synced any more
 */
export async function completeSwitch({ manager }: Call, before: Organization, after: Organization): Promise<void> {
  if (!isSwitched(before, after)) return
  const own = { organizationId: after.id }
  if (await findLiveSubscription(manager, after.id))
    throw new Problem(409, `The organization has a live subscription. ${remedy}`)
  if (before.stripeCustomerId) await deletePaymentMethods(manager, after.id, await manager.findBy(PaymentMethod, own))
  if (after.stripeCustomerId) await enqueueCustomerSync(manager, after.stripeCustomerId)
}

function isSwitched(before: Organization, after: Organization): boolean {
  return before.manualBilling !== after.manualBilling || before.stripeCustomerId !== after.stripeCustomerId
}
