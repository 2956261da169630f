import type Stripe from 'stripe'
import { type EntityManager, IsNull } from 'typeorm'
import { Organization } from '../../../entities/index.ts'
import type { Billing } from '../billing.ts'
import { isMissing } from './stripe-errors.ts'
import { requestStripe, withIdempotencyKeys } from './stripe-request.ts'

/**
 * The customer that an organization is at Stripe, made when it is needed for the first time. The key under which it is made,
 * and that only one id can be written, see to it that there is one, however often this is tried.
 */
export async function findOrCreateCustomer(
  billing: Billing,
  manager: EntityManager,
  organization: Organization,
): Promise<string> {
  const { id } = organization
  if (organization.stripeCustomerId) return organization.stripeCustomerId
  const customer = await make(billing, id, `customer:${id}`)
  await manager.update(Organization, { id, stripeCustomerId: IsNull(), manualBilling: false }, {
    stripeCustomerId: customer.id,
    updatedAt: new Date(),
    version: () => '"version" + 1',
  } as never)
  const { stripeCustomerId } = await manager.findOneByOrFail(Organization, { id })
  return stripeCustomerId ?? customer.id
}

/** What is told once more may have been deleted at Stripe since: another is made then, under a key that follows from it. */
async function make(billing: Billing, organization: string, idempotencyKey: string): Promise<Stripe.Customer> {
  const { customers } = billing.stripe
  const made = await withIdempotencyKeys(idempotencyKey, (options) =>
    requestStripe('customer', customers.create({ metadata: { organization } }, options)),
  )
  if (!made.lastResponse?.headers['idempotent-replayed']) return made
  const found = await requestStripe(
    'customer',
    customers.retrieve(made.id) as Promise<Stripe.Customer | Stripe.DeletedCustomer>,
  ).catch((problem) => {
    if (isMissing(problem, 'customer', made.id)) return { ...made, deleted: true as const }
    throw problem
  })
  return found.deleted ? make(billing, organization, `customer:${organization}:after:${made.id}`) : made
}
