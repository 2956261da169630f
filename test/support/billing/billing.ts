import { type Organization, OrganizationAddress } from '../../../entities/index.ts'
import { type Agent, openWorld, type Tenant } from '../world.ts'

const { as, foundTenant, given } = await openWorld()

/** An organization with billing by Stripe and a billing address. */
export interface Customer {
  tenant: Tenant
  api: Agent
  address: OrganizationAddress
}

let customers = 0

export async function stripeCustomer(values: Partial<Organization> = {}): Promise<Customer> {
  customers += 1
  const tenant = await foundTenant('Subscriber', `subscriber-${customers}`, { manualBilling: false, ...values })
  const street = {
    kind: 'billing',
    name: 'Subscriber',
    street: 'Damrak',
    houseNumber: '1',
    city: 'Amsterdam',
    countryId: 'NL',
  }
  const address = await given(OrganizationAddress, { organizationId: tenant.organization.id, ...street })
  return { tenant, api: as(tenant.users.owner), address }
}

/** The same with a test card, such as `pm_card_visa`; `card` is its IRI. */
export async function payingCustomer(token = 'pm_card_visa'): Promise<Customer & { card: string }> {
  const customer = await stripeCustomer()
  const { body } = await customer.api.post('/payment-methods', { externalId: token })
  return { ...customer, card: body['@id'] }
}
