import type Stripe from 'stripe'
import type { EntityManager } from 'typeorm'
import { v7 as uuid, validate } from 'uuid'
import { OrganizationAddress, Subscription } from '../../../entities/index.ts'
import { copyEntity, TenantScope } from '../../hydra/index.ts'
import { lockOrganization } from '../../postgres/locks.ts'
import { type Billing, hasEnded } from '../billing.ts'
import { insertSubscription, saveSubscription } from '../save-subscription.ts'
import { localIdOf, subscriptionFrom } from '../stripe/from-stripe.ts'
import { recordSubscription } from '../subscription-audit.ts'
import { endDuplicate, endDuplicates } from './duplicate-subscriptions.ts'
import type { StripeState } from './fetch-state.ts'
import type { PartialSync } from './partial-sync.ts'

interface SubscriptionSync {
  manager: EntityManager
  billing: Billing
  organizationId: string
  state: StripeState
  /** The ids of the organization's payment methods by Stripe's ids. */
  paymentMethodIds: Map<string, string>
  sync: PartialSync
}

/** The sync of one subscription, among the rows as the subscriptions before it have left them. */
interface OneSubscription extends SubscriptionSync {
  rows: Subscription[]
  /** The id of the kept subscription by the id of each duplicate. */
  keptIds: Map<string, string>
}

/**
 * Stores the subscriptions of a customer.
 * @param rows the organization's subscriptions as they were before the fetch
 */
export async function syncSubscriptions(context: SubscriptionSync, rows: Subscription[]): Promise<void> {
  const { manager, state, sync } = context
  const { subscriptions, keptIds } = await endDuplicates(context, endedFirst(state.subscriptions))
  let stored = rows
  for (const found of subscriptions) {
    const attempted = [...stored]
    const succeeded = await sync.attempt(manager, (within) =>
      syncSubscription({ ...context, manager: within, rows: attempted, keptIds }, found),
    )
    if (succeeded) stored = attempted
  }
}

/** An organization has at most one live subscription, so ended ones are stored before a new live one. */
function endedFirst(subscriptions: Stripe.Subscription[]): Stripe.Subscription[] {
  return subscriptions.toSorted((one, other) => Number(hasEnded(other)) - Number(hasEnded(one)))
}

async function syncSubscription(context: OneSubscription, found: Stripe.Subscription): Promise<void> {
  const { manager, rows, paymentMethodIds, state, keptIds } = context
  const localId = localIdOf(found)
  const before =
    rows.find(({ externalId }) => externalId === found.id) ??
    rows.find(({ id, externalId }) => id === localId && (externalId === null || keptIds.get(externalId) === found.id))
  if (!before) return adoptSubscription(context, found)
  const after = copyEntity(before).applyStripeState(subscriptionFrom(found, paymentMethodIds, state.products))
  if (after.live) after.organizationAddressId ??= await billingAddressId(context, found)
  await saveSubscription(manager, before, after)
  await recordSubscription({ manager }, 'follow', before, after)
  rows.splice(rows.indexOf(before), 1, after)
}

/**
 * Inserts a subscription that has no row: it was created in Stripe's dashboard, or its row was deleted as not created at Stripe.
 * When another subscription is live, one whose row was deleted is ended at Stripe, and one from the dashboard is skipped.
 * Then the operator must end one of the two at Stripe.
 */
async function adoptSubscription(context: OneSubscription, found: Stripe.Subscription): Promise<void> {
  const { manager, organizationId, rows, paymentMethodIds, state } = context
  const localId = localIdOf(found)
  const isTaken = (id: string) =>
    TenantScope.every.run(manager, (everywhere) => everywhere.existsBy(Subscription, { id }))
  const isFree = localId && validate(localId) && !(await isTaken(localId))
  const values = subscriptionFrom(found, paymentMethodIds, state.products)
  const created = Object.assign(new Subscription(), { organizationId }, values)
  const live = created.live && rows.find((row) => row.live)
  if (live) {
    const isOwn = isFree && live.externalId && found.metadata.organization === organizationId
    if (isOwn) await endDuplicate(context, found, live.externalId)
    return
  }
  const organizationAddressId = await billingAddressId(context, found)
  Object.assign(created, { organizationAddressId, seats: created.seats ?? 1, id: isFree ? localId : uuid() })
  await insertSubscription(manager, await lockOrganization(manager, organizationId), created)
  await recordSubscription({ manager }, 'follow', undefined, created)
  rows.push(created)
}

/** The first billing address of the organization. Without one it is null, and the sync reports that. */
async function billingAddressId(
  { manager, organizationId, sync }: OneSubscription,
  { id }: Stripe.Subscription,
): Promise<string | null> {
  const address = await manager.findOne(OrganizationAddress, {
    where: { organizationId, kind: 'billing' },
    order: { id: 'ASC' },
  })
  if (!address) sync.missingData.push(`The organization ${organizationId} has no billing address for ${id}.`)
  return address?.id ?? null
}
