import type { EntityManager } from 'typeorm'
import { Organization, PaymentMethod, Subscription } from '../../../entities/index.ts'
import { record } from '../../audit/audit-log.ts'
import { copyEntity, Problem } from '../../hydra/index.ts'
import type { Billing } from '../billing.ts'
import { saveSubscription } from '../save-subscription.ts'
import { recordSubscription } from '../subscription-audit.ts'
import { type FetchOptions, fetchState } from './fetch-state.ts'
import { PartialSync } from './partial-sync.ts'
import { saveRow } from './save-row.ts'
import { syncInvoices } from './sync-invoices.ts'
import { deletePaymentMethods, syncPaymentMethods } from './sync-payment-methods.ts'
import { syncSubscriptions } from './sync-subscriptions.ts'

/**
 * Fetches the state of a customer from Stripe and stores it. No other function stores Stripe's state of a whole customer.
 * The caller locks the customer before the fetch and commits before it releases the lock: no older state replaces a newer one.
 * @returns undefined when no organization has this customer
 * @throws VersionConflict when a request wrote a row during the fetch; the caller repeats the sync
 */
export async function syncCustomer(
  manager: EntityManager,
  billing: Billing,
  customer: string,
  options: FetchOptions = {},
): Promise<PartialSync | undefined> {
  const organization = await manager.findOneBy(Organization, { stripeCustomerId: customer })
  if (!organization) return undefined
  const sync = new PartialSync()
  const own = { organizationId: organization.id }
  const subscriptions = await manager.find(Subscription, { where: own })
  const methodsBefore = await manager.find(PaymentMethod, { where: own })
  const state = await fetchState(billing, customer, options)
  if (!state) {
    await unlinkCustomer(manager, organization, subscriptions)
    await deletePaymentMethods(manager, organization.id, methodsBefore)
    return sync
  }
  if (state.skipped > 0)
    sync.failures.push(new Problem(502, `Stripe returned ${state.skipped} malformed objects. They were not stored.`))
  const paymentMethodIds = await syncPaymentMethods(manager, organization.id, state, sync)
  await syncSubscriptions(
    { manager, billing, organizationId: organization.id, state, paymentMethodIds, sync },
    subscriptions,
  )
  const attached = new Set(state.paymentMethods.map(({ id }) => id))
  const detached = state.hasAllPaymentMethods ? methodsBefore.filter(({ externalId }) => !attached.has(externalId)) : []
  await deletePaymentMethods(manager, organization.id, detached)
  const all = await sync.attempt(manager, (within) => syncInvoices(within, organization.id, state.invoices))
  if (all) return sync
  // One invoice failed, so each is stored on its own, and the failure names that invoice's reason.
  sync.failures.pop()
  for (const found of state.invoices)
    await sync.attempt(manager, (within) => syncInvoices(within, organization.id, [found]))
  return sync
}

/** Ends the subscriptions of a customer that Stripe has deleted, and removes the customer's id from the organization. */
async function unlinkCustomer(
  manager: EntityManager,
  organization: Organization,
  subscriptions: Subscription[],
): Promise<void> {
  // A subscription without an external id is being created right now, for another customer.
  for (const before of subscriptions.filter(({ live, externalId }) => live && externalId)) {
    const after = copyEntity(before).end()
    await saveSubscription(manager, before, after)
    await recordSubscription({ manager }, 'follow', before, after)
  }
  await saveRow(manager, organization, Object.assign(copyEntity(organization), { stripeCustomerId: null }))
  const { id, stripeCustomerId } = organization
  await record({
    by: { manager, tenant: id },
    action: 'organization.follow',
    target: `/organizations/${id}`,
    changes: { stripeCustomerId: [stripeCustomerId, null] },
  })
}
