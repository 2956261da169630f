import type { Organization, OrganizationAddress } from '../../../entities/index.ts'
import { type Agent, openWorld, type Tenant } from '../world.ts'

const { as, foundTenant, givenAddress, operator } = await openWorld()

export interface Customer {
  tenant: Tenant
  api: Agent
  address: OrganizationAddress
}

let customers = 0

/** An organization of three people with manual billing and one billing address. */
export async function customer(values: Partial<Organization> = {}): Promise<Customer> {
  const tenant = await foundTenant('Customer', `customer-${++customers}`, values)
  return { tenant, api: as(tenant.users.owner), address: await givenAddress(ownedBy(tenant)) }
}

/** A customer with a subscription that awaits the operator. */
export async function subscriber(body: object = {}): Promise<Customer & { path: string }> {
  const made = await customer()
  return { ...made, path: (await made.api.post('/subscriptions', body)).body['@id'] }
}

/** A customer with a confirmed subscription. */
export async function confirmedSubscriber(body: object = {}): Promise<Customer & { path: string }> {
  const made = await subscriber(body)
  await as(operator).post(`${made.path}/confirm`)
  return made
}

export function ownedBy({ organization }: Pick<Tenant, 'organization'>): { organizationId: string } {
  return { organizationId: organization.id }
}

export async function modulesOf({ api }: Pick<Customer, 'api'>): Promise<string[]> {
  const { body } = await api.get('/organization-modules')
  const enabled = body.member.filter(({ enabled }: { enabled: boolean }) => enabled)
  return enabled.map(({ name }: { name: string }) => name).sort()
}

/** The codes of the violations by their properties. */
export function violationsOf({ violations = [] }: { violations?: { propertyPath: string; code: string }[] }): object {
  return Object.fromEntries(violations.map(({ propertyPath, code }) => [propertyPath, code]))
}
