import { defaultMethodOf } from '../endpoints/customers.ts'
import { invalidRequest } from '../http/api-error.ts'
import type { Params } from '../http/form.ts'
import { hash, number, text } from '../http/parameter-values.ts'
import type { Account } from '../objects/account.ts'
import type { Invoice, Resumption, Subscription, SubscriptionItem } from '../objects/billing-objects.ts'
import { addInterval, day, hour } from '../objects/clock.ts'
import type { Price } from '../objects/objects.ts'
import { collectPayment, finalizeInvoice } from './collect-invoice.ts'
import { noPaymentSource } from './create-subscription.ts'
import { addInvoiceItem, draftInvoice } from './draft-invoice.ts'
import { periodLine, prorationLine } from './invoice-lines.ts'
import { periodFrom } from './item-changes.ts'
import { endPause } from './paused-status.ts'
import { addPendingUpdate } from './pending-update.ts'

/** Seconds until an unpaid resumption is dropped; without an attempt in the request Stripe waits for 23 hours. */
const lifetimes: Record<Resumption['behavior'], number> = {
  resume_on_payment_attempt: 23 * hour,
  resume_on_payment_success: 365 * day,
}

/**
 * Resumes a paused subscription: at once if there is nothing to invoice, else when the resumption invoice is paid or
 * marked uncollectible. https://docs.stripe.com/billing/subscriptions/pause#resume-subscriptions
 */
export function resumeSubscription(account: Account, subscription: Subscription, params: Params): Subscription {
  const behavior = (text(params, 'payment_behavior') ?? 'resume_on_payment_attempt') as Resumption['behavior']
  checkResumable(subscription, behavior)
  const unchanged = text(hash(params, 'billing_cycle_anchor'), 'type') === 'unchanged'
  const anchor = unchanged ? subscription.billing_cycle_anchor : account.now()
  const items = subscription.items.data.map((item) => ({ ...item, ...currentPeriod(account, item.price, anchor) }))
  const prorations = text(params, 'proration_behavior') ?? 'create_prorations'
  addPendingUpdate(account, subscription, { items, anchor, expiresAt: account.now() + lifetimes[behavior] })
  if (unchanged && prorations !== 'always_invoice') {
    const lines = prorations === 'none' ? [] : prorationsFor(account, items, params)
    for (const line of lines) addInvoiceItem(account, subscription, line)
    endPause(account, subscription, 'active')
    return subscription
  }
  const lines = unchanged ? prorationsFor(account, items, params) : items.map((item) => periodLine(account, item))
  const invoice = draftInvoice(account, subscription, 'subscription_update', lines)
  account.add<Resumption>({ id: invoice.id, object: 'local.resumption', behavior })
  finalizeInvoice(account, invoice)
  if (invoice.status === 'open') collectResumption(account, subscription, invoice, behavior)
  return subscription
}

/** Stripe publishes these rules, but not the text of their errors. */
function checkResumable(subscription: Subscription, behavior: Resumption['behavior']): void {
  const { billing_mode, collection_method, latest_invoice, pending_update, status } = subscription
  if (status !== 'paused') {
    throw invalidRequest(`Only paused subscriptions can be resumed: this one is ${status}.`)
  }
  if (collection_method !== 'charge_automatically') {
    throw invalidRequest('Only subscriptions whose collection method is `charge_automatically` can be resumed.')
  }
  if (behavior === 'resume_on_payment_success' && billing_mode.type !== 'flexible') {
    throw invalidRequest('`resume_on_payment_success` is only available in flexible billing mode.', {
      param: 'payment_behavior',
    })
  }
  if (pending_update) {
    throw invalidRequest(`Pay or void the resumption invoice \`${latest_invoice}\` before you resume again.`)
  }
}

/** The period around the present time of an item whose periods begin at an anchor. */
function currentPeriod(account: Account, price: Price, anchor: number) {
  const { interval, interval_count } = price.recurring ?? { interval: 'month' as const, interval_count: 1 }
  let start = anchor
  for (let end = start; end <= account.now(); ) {
    start = end
    end = addInterval(start, interval, interval_count, anchor)
  }
  return periodFrom(start, price, anchor)
}

function prorationsFor(account: Account, items: SubscriptionItem[], params: Params) {
  const from = number(params, 'proration_date') ?? account.now()
  return items.map((item) => prorationLine(account, item, 1, from))
}

/** By default no payment is attempted, and Stripe does not collect the invoice by itself. */
function collectResumption(
  account: Account,
  subscription: Subscription,
  invoice: Invoice,
  behavior: Resumption['behavior'],
): void {
  if (behavior === 'resume_on_payment_success') {
    if (!defaultMethodOf(account, subscription)) throw noPaymentSource()
    collectPayment(account, invoice)
    return
  }
  account.update(invoice, () => {
    invoice.auto_advance = false
  })
}
