import type { Account } from '../objects/account.ts'
import type { Subscription, SubscriptionItem } from '../objects/billing-objects.ts'

interface PendingChange {
  items: SubscriptionItem[]
  expiresAt: number
  anchor?: number
}

/** Keeps a change back until its invoice is paid. */
export function addPendingUpdate(
  account: Account,
  subscription: Subscription,
  { items, expiresAt, anchor }: PendingChange,
): void {
  account.update(subscription, () => {
    subscription.pending_update = {
      billing_cycle_anchor: anchor ?? null,
      cancel_at_period_end: null,
      discount: null,
      discounts: null,
      expires_at: expiresAt,
      metadata: null,
      subscription_items: items,
      trial_end: null,
      trial_from_plan: null,
    }
  })
}

export function applyPendingUpdate(account: Account, subscription: Subscription): void {
  const pending = subscription.pending_update
  if (!pending) return
  account.update(subscription, () => {
    subscription.items.data = pending.subscription_items
    subscription.billing_cycle_anchor = pending.billing_cycle_anchor ?? subscription.billing_cycle_anchor
    subscription.pending_update = null
  })
  account.emit('customer.subscription.pending_update_applied', subscription)
}

export function dropPendingUpdate(account: Account, subscription: Subscription): void {
  account.update(subscription, () => {
    subscription.pending_update = null
  })
}
