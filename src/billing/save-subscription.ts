import { type EntityManager, In, IsNull } from 'typeorm'
import { type Organization, type OrganizationAddress, Subscription } from '../../entities/index.ts'
import { endedStatuses } from '../../entities/subscription.ts'
import { insertRow, updateRow, VersionConflict, writeRows } from '../hydra/index.ts'
import { lockOrganization } from '../postgres/locks.ts'
import { setGrantedModules } from '../workspace/modules.ts'

// All writes of subscriptions. The modules of the organization follow in the same transaction.

/**
 * Inserts a subscription.
 * @param locked the organization, which the caller has locked in this transaction or has just inserted
 */
export async function insertSubscription(
  manager: EntityManager,
  locked: Pick<Organization, 'id'>,
  subscription: Subscription,
): Promise<void> {
  await insertRow(manager, subscription as object)
  if (subscription.grantedModules.length > 0) await setGrantedModules(manager, locked.id, subscription.grantedModules)
}

/**
 * Writes the columns that differ between two states of a subscription. When it ends, or its modules change, the organization is
 * locked first: of two such writes, the second sees the result of the first.
 * @throws VersionConflict when another transaction has written the row since `before` was read
 */
export async function saveSubscription(
  manager: EntityManager,
  before: Subscription,
  after: Subscription,
): Promise<void> {
  const { organizationId, grantedModules } = after
  const changesModules = grantedModules.join() !== before.grantedModules.join()
  if (changesModules || after.live !== before.live) await lockOrganization(manager, organizationId)
  if (!(await updateRow(manager, before as object, after as object))) throw new VersionConflict(false)
  if (changesModules) await setGrantedModules(manager, organizationId, grantedModules)
}

/** Deletes a subscription that Stripe has not created, so that another one can be created. It has granted no modules yet. */
export async function deletePendingSubscription(
  manager: EntityManager,
  { organizationId, id }: Pick<Subscription, 'organizationId' | 'id'>,
): Promise<void> {
  const pending = { organizationId, id, externalId: IsNull(), status: 'incomplete' as const }
  await writeRows(manager, manager.createQueryBuilder().delete().from(Subscription).where(pending))
}

/** Removes the references to payment methods that are about to be deleted. */
export async function clearPaymentMethods(
  manager: EntityManager,
  organizationId: string,
  ids: string[],
): Promise<void> {
  const paid = { organizationId, paymentMethodId: In(ids) }
  const update = manager.createQueryBuilder().update(Subscription).set({ paymentMethodId: null })
  await writeRows(manager, update.where(paid))
}

/** Copies an address that is about to be deleted into the ended subscriptions that were billed to it. */
export async function keepBilledTo(manager: EntityManager, address: OrganizationAddress): Promise<void> {
  const { id, organizationId, name, street, houseNumber, postalCode, city, countryId: country, vatNumber } = address
  const billedTo = { name, street, houseNumber, postalCode, city, country, vatNumber }
  const update = manager
    .createQueryBuilder()
    .update(Subscription)
    .set({ organizationAddressId: null, billedTo, updatedAt: new Date() })
  const ended = { organizationId, organizationAddressId: id, status: In(endedStatuses) }
  await writeRows(manager, update.where(ended))
}
