import { type EntityManager, In } from 'typeorm'
import { type OrganizationAddress, Subscription } from '../../entities/index.ts'
import { endedStatuses } from '../../entities/subscription.ts'

/** Copies an address that is about to be deleted into the ended subscriptions that were billed to it. */
export async function keepBilledTo(manager: EntityManager, address: OrganizationAddress): Promise<void> {
  const { id, organizationId, name, street, houseNumber, postalCode, city, countryId: country, vatNumber } = address
  const billedTo = { name, street, houseNumber, postalCode, city, country, vatNumber }
  await manager.update(
    Subscription,
    { organizationId, organizationAddressId: id, status: In(endedStatuses) },
    { organizationAddressId: null, billedTo, updatedAt: new Date() },
  )
}
