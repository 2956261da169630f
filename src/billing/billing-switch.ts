import { In, Not } from 'typeorm'
import { Organization, PaymentMethod, Subscription } from '../../entities/index.ts'
import { endedStatuses } from '../../entities/subscription.ts'
import type { Call } from '../hydra/model/operation.ts'
import { ConstraintViolation, Problem } from '../hydra/model/problem.ts'
import type { Billing } from './billing.ts'
import { enqueueCustomerSync } from './sync/sync-customer-job.ts'
import { deletePaymentMethods } from './sync/sync-payment-methods.ts'

const remedy = 'cancel it immediately, then change how the organization is billed.'

/**
 * Refuses another way of billing while Stripe bills the customer that the organization is there now: nobody here could end
 * that any more. Stripe knows best, so it is asked.
 */
export async function requireNoStripeSubscription(call: Call, billing: Billing, draft: Organization): Promise<void> {
  const before = await call.get(Organization, draft.id)
  if (!before.stripeCustomerId || !isSwitched(before, draft)) return
  const [live] = await billing.listLiveSubscriptions(before.stripeCustomerId).catch((problem) => {
    // Where Stripe has no such customer it bills none.
    if (problem instanceof ConstraintViolation) return []
    throw problem
  })
  if (live) throw new Problem(409, `Stripe bills the subscription ${live.id} of this organization: ${remedy}`)
}

/**
 * Completes another way of billing, in the transaction that writes it: what could be paid with by the customer of before is
 * removed, and Stripe's state of the new customer is fetched.
 * @throws Problem 409 when there is a live subscription, which could not be followed any more
 */
export async function completeSwitch({ manager }: Call, before: Organization, after: Organization): Promise<void> {
  if (!isSwitched(before, after)) return
  const own = { organizationId: after.id }
  if (await manager.existsBy(Subscription, { ...own, status: Not(In(endedStatuses)) }))
    throw new Problem(409, `The organization has a live subscription: ${remedy}`)
  if (before.stripeCustomerId) await deletePaymentMethods(manager, after.id, await manager.findBy(PaymentMethod, own))
  if (after.stripeCustomerId) await enqueueCustomerSync(manager, after.stripeCustomerId)
}

function isSwitched(before: Organization, after: Organization): boolean {
  return before.manualBilling !== after.manualBilling || before.stripeCustomerId !== after.stripeCustomerId
}
