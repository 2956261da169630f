import type Stripe from 'stripe'
import type { EntityManager } from 'typeorm'
import type { Subscription } from '../../../entities/index.ts'
import { record } from '../../audit/audit-log.ts'
import { type Billing, hasEnded } from '../billing.ts'
import { localIdOf } from '../stripe/from-stripe.ts'
import { refundDuplicate } from '../stripe/refunds.ts'
import type { PartialSync } from './partial-sync.ts'

interface DuplicateSync {
  manager: EntityManager
  billing: Billing
  organizationId: string
  sync: PartialSync
}

/** The subscriptions of a customer, without duplicates: Stripe may answer an error and create the subscription all the same. */
export interface Duplicates {
  /** All subscriptions, with duplicates ended and at the end of the list. */
  subscriptions: Stripe.Subscription[]
  /** The id of the kept subscription by the id of each duplicate, which a row may still contain. */
  keptIds: Map<string, string>
}

/** Of several live subscriptions with the same local id, keeps the oldest and ends the others. */
export async function endDuplicates(context: DuplicateSync, found: Stripe.Subscription[]): Promise<Duplicates> {
  const oldest = new Map<string, Stripe.Subscription>()
  const keptIds = new Map<string, string>()
  // Stripe lists the newest first. The sort is stable, so subscriptions of one second keep their order.
  for (const one of found.toReversed().sort((a, b) => a.created - b.created)) {
    const localId = localIdOf(one)
    if (!localId || hasEnded(one)) continue
    const kept = oldest.get(localId)
    if (kept) keptIds.set(one.id, kept.id)
    else oldest.set(localId, one)
  }
  const ended: Stripe.Subscription[] = []
  for (const one of found.filter(({ id }) => keptIds.has(id)))
    ended.push(await endDuplicate(context, one, keptIds.get(one.id) as string))
  return { subscriptions: [...found.filter(({ id }) => !keptIds.has(id)), ...ended], keptIds }
}

/**
 * Refunds a duplicate, ends it at Stripe, and records both in the audit log. The refund comes first: after a crash between the
 * two, the next sync finds the duplicate live and repeats both.
 */
export async function endDuplicate(
  { manager, billing, organizationId, sync }: DuplicateSync,
  one: Stripe.Subscription,
  kept: Subscription['externalId'],
): Promise<Stripe.Subscription> {
  const { amount, refusals } = await refundDuplicate(billing.stripe, one.id)
  for (const refusal of refusals) sync.missingData.push(`Stripe does not refund the duplicate ${one.id}: ${refusal}`)
  const ended = await billing.cancelSubscription(one.id, true)
  await record({
    by: { manager, tenant: organizationId },
    action: 'subscription.endDuplicate',
    target: `/subscriptions/${localIdOf(one)}`,
    changes: {
      externalId: [one.id, kept],
      ...(amount > 0 && { refunded: [null, amount] }),
      ...(refusals.length > 0 && { refundRefused: [null, refusals] }),
    },
  })
  return ended
}
