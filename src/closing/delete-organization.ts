import { type DataSource, type EntityManager, LessThanOrEqual } from 'typeorm'
import { Organization, PaymentMethod } from '../../entities/index.ts'
import { record } from '../audit/audit-log.ts'
import type { Billing } from '../billing/billing.ts'
import { detachPaymentMethod } from '../billing/stripe/payment-methods.ts'
import { copyEntity, updateRow, VersionConflict } from '../hydra/index.ts'
import { deleteUnusedImage } from '../images/image-store.ts'
import { lockCustomer, lockOrganizationIfExists, withSessionLock } from '../postgres/locks.ts'
import { enqueue } from '../queue/enqueue.ts'
import { runAll } from '../queue/run-all.ts'
import { cancelAtStripe } from './end-billing.ts'
import { forgetInSharedTables } from './shared-tables.ts'
import { deleteTenantRows } from './tenant-rows.ts'

const due = `"status" = 'closed' AND "deleteAt" <= now()`

/** Enqueues the deletion of each organization whose grace period is over, also of those whose job died. */
export async function enqueueDeletions(database: DataSource): Promise<void> {
  const found: Organization[] = await database.query(`SELECT "id" FROM "organization" WHERE ${due}`)
  await runAll(found, ({ id }) =>
    enqueue(database, 'deleteOrganization', { organization: id }, { key: `delete:${id}` }),
  )
}

/**
 * Deletes all data of an organization whose grace period is over. Every step is a short transaction and can run again, so a job
 * that dies continues where it stopped. The row of the organization stays, without its names, and the audit events of its closing
 * and deletion.
 */
export function deleteOrganization(database: DataSource, billing: Billing) {
  return async ({ organization: id }: { organization: string }): Promise<void> => {
    await withSessionLock(database, `delete ${id}`, undefined, async () => {
      const found = await findDue(database.manager, id)
      if (!found) return
      await leaveStripe(database.manager, billing, found)
      if (!(await database.transaction((manager) => begin(manager, found)))) return
      await deleteTenantRows(database, id)
      await database.transaction((manager) => finish(manager, id))
    })
  }
}

function findDue(manager: EntityManager, id: string): Promise<Organization | null> {
  return manager.findOneBy(Organization, { id, status: 'closed', deleteAt: LessThanOrEqual(new Date()) })
}

/** Cancels subscriptions, and detaches cards and accounts. The customer stays, because its invoices are tax records. */
async function leaveStripe(
  manager: EntityManager,
  billing: Billing,
  { id: organizationId, stripeCustomerId }: Organization,
): Promise<void> {
  if (!stripeCustomerId) return
  await cancelAtStripe(billing, stripeCustomerId)
  for (const { externalId } of await manager.findBy(PaymentMethod, { organizationId }))
    await detachPaymentMethod(billing, externalId)
}

/**
 * Marks the organization as deleted and unlinks its customer, so that nothing brings it back and no sync adds rows.
 * @returns whether it may be deleted: false where it was reopened meanwhile
 */
async function begin(manager: EntityManager, { id, stripeCustomerId }: Organization): Promise<boolean> {
  if (stripeCustomerId) await lockCustomer(manager, stripeCustomerId)
  const locked = await lockOrganizationIfExists(manager, id)
  if (locked?.status !== 'closed' || locked.deleteAt === null) return false
  if (locked.deletedAt) return true
  const after = Object.assign(copyEntity(locked), {
    deletedAt: new Date(),
    stripeCustomerId: null,
    databaseStatus: null,
    logoId: null,
    iconId: null,
  })
  await save(manager, locked, after)
  const images = [locked.logoId, locked.iconId].filter((image) => image !== null)
  if (images.length > 0) await deleteUnusedImage(await executorOf(manager), images)
  await forgetInSharedTables(manager, locked)
  await record({
    by: { manager, tenant: id },
    action: 'organization.delete',
    target: `/organizations/${id}`,
    changes: { deletedAt: [null, after.deletedAt], stripeCustomerId: [locked.stripeCustomerId, null] },
  })
  return true
}

/** Removes the names last: an operator who looks for an interrupted deletion still finds it by them. */
async function finish(manager: EntityManager, id: string): Promise<void> {
  const before = await lockOrganizationIfExists(manager, id)
  if (!before) return
  const slug = `deleted-${id.replaceAll('-', '')}`
  await save(manager, before, Object.assign(copyEntity(before), { name: 'Deleted organization', slug, deleteAt: null }))
  await manager.query(`DELETE FROM "change" WHERE "organizationId" = $1`, [id])
}

async function save(manager: EntityManager, before: Organization, after: Organization): Promise<void> {
  if (!(await updateRow(manager, before as object, after as object))) throw new VersionConflict(false)
}

async function executorOf({ queryRunner }: EntityManager) {
  return (queryRunner as NonNullable<EntityManager['queryRunner']>).connect()
}
