import type { Account } from '../objects/account.ts'
import type { Invoice, PauseReason, Resumption, Subscription } from '../objects/billing-objects.ts'
import { applyPendingUpdate } from './pending-update.ts'

/** Pauses a subscription: its periods end now, and a pending update is dropped. */
export function pause(account: Account, subscription: Subscription, reason: PauseReason): void {
  const now = account.now()
  account.update(subscription, () => {
    subscription.status = 'paused'
    subscription.status_details = {
      paused: { subscription: { type: reason }, transitioned_at: now, type: 'subscription' },
    }
    subscription.pending_update = null
    for (const item of subscription.items.data) item.current_period_end = Math.min(item.current_period_end, now)
  })
  account.emit('customer.subscription.paused', subscription)
}

/** Ends a pause; the pending update of the resumption begins the new periods. */
export function endPause(account: Account, subscription: Subscription, status: 'active' | 'past_due'): void {
  applyPendingUpdate(account, subscription)
  account.update(subscription, () => {
    subscription.status = status
    Reflect.deleteProperty(subscription, 'status_details')
  })
  account.emit('customer.subscription.resumed', subscription)
}

/** The request to resume a paused subscription that made this invoice, if one did. */
export function resumptionOf(account: Account, invoice: Invoice): Resumption | undefined {
  return account.store.find('local.resumption', invoice.id)
}
