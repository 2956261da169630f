import type { EntityManager } from 'typeorm'
import { Organization, Subscription } from '../../../entities/index.ts'
import { copyEntity } from '../../hydra/index.ts'
import { lockCustomer } from '../../postgres/locks.ts'
import type { Billing } from '../billing.ts'
import { findOrCreateCustomer } from '../stripe/customers.ts'
import { isMissing } from '../stripe/stripe-errors.ts'
import { recordSubscription } from '../subscription-audit.ts'
import { syncCustomer } from './sync-customer.ts'
import { write } from './write.ts'

/**
 * Asks Stripe something for the customer that an organization is. Where Stripe has deleted the customer or has never had it,
 * its subscriptions end here, and Stripe is asked once more for a new customer.
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
    const healed = await manager.findOneByOrFail(Organization, { id: organization.id })
    if (healed.stripeCustomerId === customer) throw problem
    return request(await findOrCreateCustomer(billing, manager, healed))
  }
}

/**
 * Writes down at once what Stripe has of a customer, which may be nothing. No job does so for a customer that is unknown:
 * with the keys of another account, all would be.
 * @param missing a subscription that Stripe has just said it does not know; it ends here
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
    const before = missing && (await within.findOneBy(Subscription, { id: missing.id }))
    if (!before?.live || before.externalId !== missing?.externalId) return
    const after = copyEntity(before).end()
    await write(within, before, after)
    await recordSubscription({ manager: within }, 'follow', before, after)
  })
}
