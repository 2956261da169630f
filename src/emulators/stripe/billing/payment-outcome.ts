import type { Account } from '../objects/account.ts'
import type { Invoice, Subscription } from '../objects/billing-objects.ts'
import { day } from '../objects/clock.ts'

/** Days from one failed attempt to the next. */
const retryDays = [3, 5, 7]

export function subscriptionOf(account: Account, invoice: Invoice): Subscription | undefined {
  return account.store.find('subscription', invoice.parent.subscription_details.subscription)
}

/** Updates the customer and the subscription of a paid invoice; only the latest invoice changes a subscription. */
export function invoicePaid(account: Account, invoice: Invoice, method: string | null): void {
  setDelinquent(account, invoice, false)
  const subscription = subscriptionOf(account, invoice)
  if (!subscription || subscription.latest_invoice !== invoice.id || subscription.ended_at) return
  const resumes = subscription.status === 'paused'
  applyPendingUpdate(account, subscription)
  account.update(subscription, () => {
    if (subscription.status !== 'trialing') subscription.status = 'active'
    const saves = subscription.payment_settings.save_default_payment_method === 'on_subscription'
    if (saves && method) subscription.default_payment_method = method
  })
  if (resumes) account.emit('customer.subscription.resumed', subscription)
}

function applyPendingUpdate(account: Account, subscription: Subscription): void {
  const pending = subscription.pending_update
  if (!pending) return
  account.update(subscription, () => {
    subscription.items.data = pending.subscription_items
    subscription.pending_update = null
  })
  account.emit('customer.subscription.pending_update_applied', subscription)
}

/**
 * Updates the customer and the subscription after a failed payment attempt, and schedules the next attempt.
 * The first invoice, the invoice of a pending update and one that resumes a subscription have no retries.
 */
export function paymentFailed(account: Account, invoice: Invoice): void {
  const subscription = subscriptionOf(account, invoice)
  if (!subscription || subscription.ended_at) return
  if (subscription.status === 'incomplete' || subscription.status === 'paused') return
  if (subscription.pending_update) return
  setDelinquent(account, invoice, true)
  const days = retryDays[invoice.attempt_count - 1]
  account.update(invoice, () => {
    invoice.next_payment_attempt = days === undefined ? null : account.now() + days * day
  })
  if (days !== undefined) {
    if (subscription.status !== 'unpaid') setStatus(account, subscription, 'past_due')
  } else if (account.afterRetries === 'canceled') endSubscription(account, subscription, 'payment_failed')
  else setStatus(account, subscription, account.afterRetries)
}

export function setStatus(account: Account, subscription: Subscription, status: Subscription['status']): void {
  account.update(subscription, () => {
    subscription.status = status
  })
}

/** The end of a subscription; invoices that are open stay open, but are no longer charged. */
export function endSubscription(account: Account, subscription: Subscription, reason: string): void {
  account.update(
    subscription,
    () => {
      subscription.status = 'canceled'
      subscription.ended_at = account.now()
      subscription.canceled_at ??= account.now()
      subscription.cancellation_details.reason ??= reason
      subscription.pending_update = null
    },
    'customer.subscription.deleted',
  )
  for (const invoice of account.store.all('invoice')) {
    const open = invoice.status === 'open' || invoice.status === 'draft'
    if (!open || invoice.parent.subscription_details.subscription !== subscription.id) continue
    account.update(invoice, () => {
      invoice.auto_advance = false
      invoice.next_payment_attempt = null
    })
  }
}

function setDelinquent(account: Account, invoice: Invoice, late: boolean): void {
  const customer = account.store.find('customer', invoice.customer)
  if (!customer || customer.delinquent === late) return
  account.update(customer, () => {
    customer.delinquent = late
  })
}
