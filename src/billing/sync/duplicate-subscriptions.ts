import type Stripe from 'stripe'
import type { EntityManager } from 'typeorm'
import type { Subscription } from '../../../entities/index.ts'
import { record } from '../../audit/audit-log.ts'
import { type Billing, hasEnded } from '../billing.ts'
import { localIdOf } from '../stripe/from-stripe.ts'

/** A subscription that Stripe has made twice for one of ours, though it has said that it had failed. */
export interface Duplicates {
  /** What Stripe has of the customer, each younger one ended and after its elder. */
  subscriptions: Stripe.Subscription[]
  /** The elder's id by that of each younger one, which a row may still have. */
  elders: Map<string, string>
}

/** Ends all but the eldest of the live subscriptions that were made for one of ours, and writes it into the audit log. */
export async function endDuplicates(
  manager: EntityManager,
  billing: Billing,
  organizationId: string,
  found: Stripe.Subscription[],
): Promise<Duplicates> {
  const eldest = new Map<string, Stripe.Subscription>()
  const elders = new Map<string, string>()
  // Stripe lists the newest first.
  for (const one of found.toReversed().sort((a, b) => a.created - b.created)) {
    const ours = localIdOf(one)
    if (!ours || hasEnded(one)) continue
    const elder = eldest.get(ours)
    if (elder) elders.set(one.id, elder.id)
    else eldest.set(ours, one)
  }
  const ended: Stripe.Subscription[] = []
  for (const one of found.filter(({ id }) => elders.has(id)))
    ended.push(await endDuplicate(manager, billing, organizationId, one, elders.get(one.id) as string))
  return { subscriptions: [...found.filter(({ id }) => !elders.has(id)), ...ended], elders }
}

/** Ends a subscription at Stripe that is one too many. */
export async function endDuplicate(
  manager: EntityManager,
  billing: Billing,
  organizationId: string,
  one: Stripe.Subscription,
  kept: Subscription['externalId'],
): Promise<Stripe.Subscription> {
  const ended = await billing.cancelSubscription(one.id, true)
  await record({
    by: { manager, tenant: organizationId },
    action: 'subscription.endDuplicate',
    target: `/subscriptions/${localIdOf(one)}`,
    changes: { externalId: [one.id, kept] },
  })
  return ended
}
