import type { Account } from '../objects/account.ts'
import type { Invoice, Subscription } from '../objects/billing-objects.ts'
import { day } from '../objects/clock.ts'
import { endPause, resumptionOf } from './paused-status.ts'
import { applyPendingUpdate, dropPendingUpdate } from './pending-update.ts'

/** Days from one failed attempt to the next. */
const retryDays = [3, 5, 7]

export function subscriptionOf(account: Account, invoice: Invoice): Subscription | undefined {
  return account.store.find('subscription', invoice.parent.subscription_details.subscription)
}

/**
 * The invoice that decides the status of a subscription: the newest one that is not void.
 * https://docs.stripe.com/billing/subscriptions/overview#handle-unpaid-subscriptions
 */
function decidingInvoice(account: Account, { id, latest_invoice }: Subscription): Invoice | undefined {
  const latest = account.store.find('invoice', latest_invoice)
  if (latest && latest.status !== 'void') return latest
  return account.store.newest('invoice').find(({ parent, status }) => {
    return status !== 'void' && parent.subscription_details.subscription === id
  })
}

/** Updates the customer and the subscription of a paid invoice. */
export function invoicePaid(account: Account, invoice: Invoice, method: string | null): void {
  setDelinquent(account, invoice, false)
  invoiceSettled(account, invoice, method)
}

/** Activates the subscription whose status this invoice decides; one that is uncollectible counts as paid. */
export function invoiceSettled(account: Account, invoice: Invoice, method: string | null = null): void {
  const subscription = subscriptionOf(account, invoice)
  if (!subscription || subscription.ended_at) return
  if (decidingInvoice(account, subscription) !== invoice) return
  if (subscription.status === 'paused') {
    // Earlier invoices of a paused subscription leave it paused.
    if (!resumptionOf(account, invoice)) return
    endPause(account, subscription, 'active')
  } else if (invoice.status === 'paid') applyPendingUpdate(account, subscription)
  account.update(subscription, () => {
    if (subscription.status !== 'trialing') subscription.status = 'active'
    const saves = subscription.payment_settings.save_default_payment_method === 'on_subscription'
    if (saves && method) subscription.default_payment_method = method
  })
}

/** Drops the pending update that this invoice was for; without it an earlier invoice decides the status. */
export function invoiceVoided(account: Account, invoice: Invoice): void {
  const subscription = subscriptionOf(account, invoice)
  if (!subscription || subscription.ended_at) return
  if (subscription.latest_invoice === invoice.id) dropPendingUpdate(account, subscription)
  if (subscription.status !== 'past_due' && subscription.status !== 'unpaid') return
  const decides = decidingInvoice(account, subscription)?.status ?? 'paid'
  if (decides === 'paid' || decides === 'uncollectible') setStatus(account, subscription, 'active')
}

/**
 * Updates the customer and the subscription after a failed payment attempt, and schedules the next attempt.
 * The first invoice, the invoice of a pending update, and a resumption without an attempt of its own have no retries.
 */
export function paymentFailed(account: Account, invoice: Invoice, automatic: boolean): void {
  if (automatic) setDelinquent(account, invoice, true)
  const subscription = subscriptionOf(account, invoice)
  if (!subscription || subscription.ended_at || subscription.status === 'incomplete') return
  const resumption = resumptionOf(account, invoice)
  const paused = subscription.status === 'paused'
  if (resumption?.behavior === 'resume_on_payment_attempt') {
    if (paused) endPause(account, subscription, 'past_due')
    return
  }
  if (subscription.pending_update && !resumption) return
  const days = retryDays[invoice.attempt_count - 1]
  account.update(invoice, () => {
    invoice.next_payment_attempt = days === undefined ? null : account.now() + days * day
  })
  if (paused) return
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
      Reflect.deleteProperty(subscription, 'status_details')
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

/** Tracks the last change of any invoice: a failed automatic attempt or a missed due date, or a payment. */
export function setDelinquent(account: Account, invoice: Invoice, late: boolean): void {
  const customer = account.store.find('customer', invoice.customer)
  if (!customer || customer.delinquent === late) return
  account.update(customer, () => {
    customer.delinquent = late
  })
}
