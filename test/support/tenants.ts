import type { EntityManager } from 'typeorm'
import { Organization, OrganizationUser, Subscription, User } from '../../entities/index.ts'
import { insertSubscription } from '../../src/billing/save-subscription.ts'
import { insertRow } from '../../src/hydra/index.ts'
import { defaultSets } from '../../src/workspace/defaults.ts'

/** An organization with one user for each role. */
export interface Tenant {
  organization: Organization
  users: Record<'owner' | 'admin' | 'member', User>
}

/** Inserts people and tenants into a database. */
export function tenantsOf(manager: EntityManager, issuer: string) {
  /** A user without a membership. */
  const person = async (subject: string, values: Partial<User> = {}): Promise<User> => {
    const user = Object.assign(new User(), { issuer, subject, name: subject, ...values })
    await insertRow(manager, user)
    return user
  }

  /** An organization with its default rows and a user for each role. */
  const foundTenant = async (name: string, slug: string, values: Partial<Organization> = {}): Promise<Tenant> => {
    const organization = Object.assign(new Organization(), { name, slug, manualBilling: true, ...values })
    await insertRow(manager, organization)
    for (const defaults of defaultSets())
      await insertRow(manager, Object.assign(defaults, { organizationId: organization.id }))
    const users = {} as Tenant['users']
    for (const role of ['owner', 'admin', 'member'] as const) {
      users[role] = await person(`${slug}-${role}`)
      const membership = { organizationId: organization.id, userId: users[role].id, name: users[role].name, role }
      await insertRow(manager, Object.assign(new OrganizationUser(), membership))
    }
    return { organization, users }
  }

  return { person, foundTenant }
}

/** Inserts a row for an organization, unless the values name another; an entity as value becomes its reference. */
export async function insertFor<E extends object>(
  manager: EntityManager,
  organization: Organization,
  type: new () => E,
  values: Partial<E> & Record<string, unknown>,
): Promise<E> {
  const entity = Object.assign(new type(), { organizationId: organization.id }, values)
  for (const [key, value] of Object.entries(values))
    if (value !== null && typeof value === 'object' && 'id' in value) Object.assign(entity, { [`${key}Id`]: value.id })
  if (entity instanceof Subscription) await insertSubscription(manager, { id: entity.organizationId }, entity)
  else await insertRow(manager, entity)
  return entity
}
