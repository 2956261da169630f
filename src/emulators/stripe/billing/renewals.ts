import { defaultMethodOf } from '../endpoints/customers.ts'
import { invalidRequest } from '../http/api-error.ts'
import { requireObject } from '../http/route.ts'
import type { Account } from '../objects/account.ts'
import type { Invoice, InvoiceLine, Subscription } from '../objects/billing-objects.ts'
import { collectPayment, finalizeAutomatically, voidInvoice } from './collect-invoice.ts'
import { draftInvoice, hasInvoiceItems } from './draft-invoice.ts'
import { periodLine } from './invoice-lines.ts'
import { cancelPayment } from './invoice-payments.ts'
import { periodFrom } from './item-changes.ts'
import { pause } from './paused-status.ts'
import { endSubscription, invoiceSettled, setDelinquent, setStatus, subscriptionOf } from './payment-outcome.ts'
import { dropPendingUpdate } from './pending-update.ts'

/** Expires a subscription whose first invoice was not paid in time. */
export function expireIncomplete(account: Account, subscription: Subscription): void {
  account.update(subscription, () => {
    subscription.status = 'incomplete_expired'
    subscription.ended_at = account.now()
    subscription.canceled_at = account.now()
  })
  voidLatestInvoice(account, subscription)
}

/** Drops a pending update whose invoice was not paid in time; the subscription keeps its items. */
export function expirePendingUpdate(account: Account, subscription: Subscription): void {
  dropPendingUpdate(account, subscription)
  account.emit('customer.subscription.pending_update_expired', subscription)
  voidLatestInvoice(account, subscription)
}

export function voidLatestInvoice(account: Account, subscription: Subscription): void {
  const invoice = account.store.find('invoice', subscription.latest_invoice)
  if (invoice?.status === 'open') voidInvoice(account, invoice)
}

export function endTrial(account: Account, subscription: Subscription): void {
  const missing = subscription.trial_settings.end_behavior.missing_payment_method
  const charges = subscription.collection_method === 'charge_automatically'
  const stops = charges && missing !== 'create_invoice' && !defaultMethodOf(account, subscription)
  if (!stops) {
    setStatus(account, subscription, 'active')
    renew(account, subscription)
  } else if (missing === 'cancel') {
    endSubscription(account, subscription, 'payment_failed')
  } else {
    pause(account, subscription, 'trial_end_without_payment_method')
  }
}

/** Begins the next period of an ended one, with an invoice for it. */
export function renew(account: Account, subscription: Subscription): void {
  const now = account.now()
  const over = subscription.items.data.filter((item) => item.current_period_end <= now)
  const anchor = subscription.billing_cycle_anchor
  account.update(subscription, () => {
    for (const item of over) Object.assign(item, periodFrom(item.current_period_end, item.price, anchor))
  })
  const lines = over.map((item) => periodLine(account, item))
  billPeriod(account, subscription, lines)
}

function billPeriod(account: Account, subscription: Subscription, lines: InvoiceLine[]): void {
  const invoice = draftInvoice(account, subscription, 'subscription_cycle', lines)
  const paused = subscription.pause_collection?.behavior
  if (subscription.status === 'unpaid' || paused === 'keep_as_draft') {
    account.update(invoice, () => {
      invoice.auto_advance = false
    })
    return
  }
  if (!finalizeAutomatically(account, invoice) || invoice.status !== 'open') return
  if (paused === 'void') voidInvoice(account, invoice)
  else if (paused) markUncollectible(account, invoice)
  else if (subscription.collection_method === 'charge_automatically') collectPayment(account, invoice)
  else account.emit('invoice.sent', invoice)
}

/** Charges what waits for the next invoice, as there will be none. */
export function billInvoiceItems(account: Account, subscription: Subscription): void {
  if (!hasInvoiceItems(account, subscription)) return
  const invoice = draftInvoice(account, subscription, 'subscription_update', [])
  if (!finalizeAutomatically(account, invoice)) return
  if (invoice.status === 'open' && subscription.collection_method === 'charge_automatically')
    collectPayment(account, invoice)
}

/** Ends a subscription whose time has come; its pending prorations are collected then. */
export function cancelOnSchedule(account: Account, subscription: Subscription): void {
  billInvoiceItems(account, subscription)
  endSubscription(account, subscription, 'cancellation_requested')
}

/** Invoices are collected again; those finalized meanwhile stay. */
export function resumeCollection(account: Account, subscription: Subscription): void {
  account.update(subscription, () => {
    subscription.pause_collection = null
  })
}

export function markUncollectible(account: Account, invoice: Invoice): void {
  account.update(
    invoice,
    () => {
      invoice.status = 'uncollectible'
      invoice.status_transitions.marked_uncollectible_at = account.now()
    },
    'invoice.marked_uncollectible',
  )
  invoiceSettled(account, invoice)
}

/** Whether it has been told already, of which Stripe's object shows nothing. */
export function isOverdue(account: Account, { id }: Invoice): boolean {
  return account.store.find('local.note', `overdue ${id}`) !== undefined
}

/** An invoice that was sent and is still unpaid when it was due. */
export function markOverdue(account: Account, invoice: Invoice): void {
  account.add({ id: `overdue ${invoice.id}`, object: 'local.note' })
  account.emit('invoice.overdue', invoice)
  setDelinquent(account, invoice, true)
  const subscription = subscriptionOf(account, invoice)
  if (subscription?.status === 'active') setStatus(account, subscription, 'past_due')
}

/** Previews the invoice of the next renewal; nothing is stored. */
export function previewRenewal(account: Account, subscription: Subscription): Invoice {
  if (subscription.status === 'paused') {
    throw invalidRequest('The subscription is paused and will not generate invoices until it has been resumed.', {
      status: 404,
      code: 'invoice_upcoming_none',
    })
  }
  return account.dryRun(() => {
    const ends = Math.min(...subscription.items.data.map((item) => item.current_period_end))
    return account.clock.runAt(ends, () => {
      const over = subscription.items.data.filter((item) => item.current_period_end <= ends)
      account.store.change(subscription, () => {
        for (const item of over) Object.assign(item, periodFrom(ends, item.price, subscription.billing_cycle_anchor))
      })
      const lines = over.map((item) => periodLine(account, item))
      const invoice = draftInvoice(account, subscription, 'subscription_cycle', lines)
      return { ...invoice, id: invoice.id.replace('in_', 'upcoming_in_') }
    })
  })
}

/** A deleted customer takes its subscriptions and open invoices along. */
export function deleteCustomer(account: Account, id: string): object {
  const customer = requireObject(account, 'customer', id)
  for (const subscription of account.store.all('subscription')) {
    if (subscription.customer !== id || subscription.ended_at) continue
    endSubscription(account, subscription, 'cancellation_requested')
  }
  for (const invoice of account.store.all('invoice')) {
    if (invoice.customer === id && invoice.status === 'open') cancelPayment(account, invoice, 'abandoned')
  }
  account.emit('customer.deleted', customer)
  account.store.remove(customer)
  account.add({ id: `deleted ${id}`, object: 'local.note' })
  return { id, object: 'customer', deleted: true }
}
