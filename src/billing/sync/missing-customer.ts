import type { EntityManager } from 'typeorm'
import { Organization, Subscription } from '../../../entities/index.ts'
import { copyEntity } from '../../hydra/index.ts'
import { lockCustomer } from '../../postgres/locks.ts'
import type { Billing } from '../billing.ts'
import { saveSubscription } from '../save-subscription.ts'
import { findOrCreateCustomer } from '../stripe/customers.ts'
import { isMissing } from '../stripe/stripe-errors.ts'
import { recordSubscription } from '../subscription-audit.ts'
import { syncCustomer } from './sync-customer.ts'

/**
 * Sends a request for the customer of an organization. Stripe may have deleted the customer or not know it. Then its
 * subscriptions end here, and the request is sent once more for a new customer.
 */
export async function withCustomer<T>(
  billing: Billing,
  manager: EntityManager,
  organization: Organization,
  request: (customer: string) => Promise<T>,
): Promise<T> {
  const customer = await findOrCreateCustomer(billing, manager, organization)
  try {
    return await request(customer)
  } catch (problem) {
    if (!isMissing(problem, 'customer', customer)) throw problem
    await handleMissingCustomer(billing, manager, customer)
    const unlinked = await manager.findOneByOrFail(Organization, { id: organization.id })
    if (unlinked.stripeCustomerId === customer) throw problem
    return request(await findOrCreateCustomer(billing, manager, unlinked))
  }
}

/**
 * Syncs a customer at once, and treats one that Stripe does not know as deleted. Only a request does that: with the keys of
 * another account a job would find every customer missing.
 * @param missing a subscription that Stripe has just reported as missing; it ends here
 */
export function handleMissingCustomer(
  billing: Billing,
  manager: EntityManager,
  customer: string | null,
  missing?: Subscription,
): Promise<void> {
  return manager.connection.transaction(async (within) => {
    if (customer) {
      await lockCustomer(within, customer)
      await syncCustomer(within, billing, customer, { unknown: true })
    }
    const { organizationId, id } = missing ?? {}
    const before = missing && (await within.findOneBy(Subscription, { organizationId, id }))
    if (!before?.live || before.externalId !== missing?.externalId) return
    const after = copyEntity(before).end()
    await saveSubscription(within, before, after)
    await recordSubscription({ manager: within }, 'follow', before, after)
  })
}
