import type Stripe from 'stripe'
import { type EntityManager, IsNull } from 'typeorm'
import { Organization } from '../../../entities/index.ts'
import { writeRows } from '../../hydra/index.ts'
import type { Billing } from '../billing.ts'
import { isMissing } from './stripe-errors.ts'
import { requestStripe, withIdempotencyKeys } from './stripe-request.ts'

/**
 * The customer of an organization, created when it is first needed. Simultaneous calls create one customer: they use the same
 * idempotency key, and only the first id is stored.
 */
export async function findOrCreateCustomer(
  billing: Billing,
  manager: EntityManager,
  organization: Organization,
): Promise<string> {
  const { id } = organization
  if (organization.stripeCustomerId) return organization.stripeCustomerId
  const customer = await createCustomer(billing, id, `customer:${id}`)
  const update = manager
    .createQueryBuilder()
    .update(Organization)
    .set({ stripeCustomerId: customer.id, updatedAt: new Date() })
  await writeRows(manager, update.where({ id, stripeCustomerId: IsNull(), manualBilling: false }))
  const { stripeCustomerId } = await manager.findOneByOrFail(Organization, { id })
  return stripeCustomerId ?? customer.id
}

/** Stripe replays the response to a used key, though the customer may be deleted since. Then the next key creates another. */
async function createCustomer(
  billing: Billing,
  organization: string,
  idempotencyKey: string,
): Promise<Stripe.Customer> {
  const { customers } = billing.stripe
  const created = await withIdempotencyKeys(idempotencyKey, (options) =>
    requestStripe('customer', customers.create({ metadata: { organization } }, options)),
  )
  if (!created.lastResponse?.headers['idempotent-replayed']) return created
  const found = await requestStripe(
    'customer',
    customers.retrieve(created.id) as Promise<Stripe.Customer | Stripe.DeletedCustomer>,
  ).catch((problem) => {
    if (isMissing(problem, 'customer', created.id)) return { ...created, deleted: true as const }
    throw problem
  })
  return found.deleted ? createCustomer(billing, organization, `customer:${organization}:after:${created.id}`) : created
}
