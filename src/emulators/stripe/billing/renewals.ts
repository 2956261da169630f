import { methodFor } from '../endpoints/customers.ts'
import { existing } from '../http/route.ts'
import type { Account } from '../objects/account.ts'
import type { Invoice, Line, Subscription } from '../objects/billing-objects.ts'
import { collect, finalizeByItself, voidInvoice } from './collect-invoice.ts'
import { draft, hasPending } from './draft-invoice.ts'
import { lineOf } from './invoice-lines.ts'
import { dropPayment } from './invoice-payments.ts'
import { period } from './item-changes.ts'
import { end, move, subscriptionOf } from './payment-outcome.ts'

/** Nobody has paid the first invoice in time. */
export function expire(account: Account, subscription: Subscription): void {
  account.update(subscription, () => {
    subscription.status = 'incomplete_expired'
    subscription.ended_at = account.now()
    subscription.canceled_at = account.now()
  })
  dropLatest(account, subscription)
}

/** Nobody has paid for an update in time: all stays as it is. */
export function expireUpdate(account: Account, subscription: Subscription): void {
  account.update(subscription, () => {
    subscription.pending_update = null
  })
  account.tell('customer.subscription.pending_update_expired', subscription)
  dropLatest(account, subscription)
}

export function dropLatest(account: Account, subscription: Subscription): void {
  const invoice = account.store.find('invoice', subscription.latest_invoice)
  if (invoice?.status === 'open') voidInvoice(account, invoice)
}

export function endTrial(account: Account, subscription: Subscription): void {
  const missing = subscription.trial_settings.end_behavior.missing_payment_method
  const charges = subscription.collection_method === 'charge_automatically'
  const stops = charges && missing !== 'create_invoice' && !methodFor(account, subscription)
  if (!stops) {
    move(account, subscription, 'active')
    renew(account, subscription)
  } else if (missing === 'cancel') {
    end(account, subscription, 'payment_failed')
  } else {
    move(account, subscription, 'paused')
    account.tell('customer.subscription.paused', subscription)
  }
}

/** Begins the next period of what is over, with an invoice for it. */
export function renew(account: Account, subscription: Subscription): void {
  const now = account.now()
  const over = subscription.items.data.filter((item) => item.current_period_end <= now)
  const anchor = subscription.billing_cycle_anchor
  account.update(subscription, () => {
    for (const item of over) Object.assign(item, period(item.current_period_end, item.price, anchor))
  })
  const lines = over.map((item) => lineOf(account, item))
  bill(account, subscription, lines)
}

function bill(account: Account, subscription: Subscription, lines: Line[]): void {
  const invoice = draft(account, subscription, 'subscription_cycle', lines)
  const paused = subscription.pause_collection?.behavior
  if (subscription.status === 'unpaid' || paused === 'keep_as_draft') {
    account.update(invoice, () => {
      invoice.auto_advance = false
    })
    return
  }
  if (!finalizeByItself(account, invoice) || invoice.status !== 'open') return
  if (paused === 'void') voidInvoice(account, invoice)
  else if (paused) giveUp(account, invoice)
  else if (subscription.collection_method === 'charge_automatically') collect(account, invoice)
  else account.tell('invoice.sent', invoice)
}

/** Charges what waits for the next invoice, as there will be none. */
export function billPending(account: Account, subscription: Subscription): void {
  if (!hasPending(account, subscription)) return
  const invoice = draft(account, subscription, 'subscription_update', [])
  if (!finalizeByItself(account, invoice)) return
  if (invoice.status === 'open' && subscription.collection_method === 'charge_automatically') collect(account, invoice)
}

/** Ends a subscription whose time has come; its pending prorations are collected then. */
export function expireAt(account: Account, subscription: Subscription): void {
  billPending(account, subscription)
  end(account, subscription, 'cancellation_requested')
}

/** Invoices are collected again; what became of those meanwhile stays. */
export function unpause(account: Account, subscription: Subscription): void {
  account.update(subscription, () => {
    subscription.pause_collection = null
  })
}

export function giveUp(account: Account, invoice: Invoice): void {
  account.update(
    invoice,
    () => {
      invoice.status = 'uncollectible'
      invoice.status_transitions.marked_uncollectible_at = account.now()
    },
    'invoice.marked_uncollectible',
  )
}

/** Whether it has been told already, of which Stripe's object shows nothing. */
export function isOverdue(account: Account, { id }: Invoice): boolean {
  return account.store.find('local.note', `overdue ${id}`) !== undefined
}

/** An invoice that was sent and is still unpaid when it was due. */
export function overdue(account: Account, invoice: Invoice): void {
  account.add({ id: `overdue ${invoice.id}`, object: 'local.note' })
  account.tell('invoice.overdue', invoice)
  const subscription = subscriptionOf(account, invoice)
  if (subscription?.status === 'active') move(account, subscription, 'past_due')
}

/** What the next renewal would cost. */
export function preview(account: Account, subscription: Subscription): Invoice {
  return account.pretend(() => {
    const ends = Math.min(...subscription.items.data.map((item) => item.current_period_end))
    return account.clock.at(ends, () => {
      const over = subscription.items.data.filter((item) => item.current_period_end <= ends)
      account.store.change(subscription, () => {
        for (const item of over) Object.assign(item, period(ends, item.price, subscription.billing_cycle_anchor))
      })
      const lines = over.map((item) => lineOf(account, item))
      const invoice = draft(account, subscription, 'subscription_cycle', lines)
      return { ...invoice, id: invoice.id.replace('in_', 'upcoming_in_') }
    })
  })
}

/** A customer who goes takes subscriptions and what is still asked for along. */
export function leave(account: Account, id: string): object {
  const customer = existing(account, 'customer', id)
  for (const subscription of account.store.all('subscription')) {
    if (subscription.customer !== id || subscription.ended_at) continue
    end(account, subscription, 'cancellation_requested')
  }
  for (const invoice of account.store.all('invoice')) {
    if (invoice.customer === id && invoice.status === 'open') dropPayment(account, invoice, 'abandoned')
  }
  account.tell('customer.deleted', customer)
  account.store.remove(customer)
  account.add({ id: `deleted ${id}`, object: 'local.note' })
  return { id, object: 'customer', deleted: true }
}
