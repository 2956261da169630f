import { createSubscription } from '../billing/create-subscription.ts'
import { endDiscounts } from '../billing/discounts.ts'
import { addInvoiceItem, removeInvoiceItems } from '../billing/draft-invoice.ts'
import { prorationLine } from '../billing/invoice-lines.ts'
import { pauseSubscription } from '../billing/pause-subscription.ts'
import { endSubscription } from '../billing/payment-outcome.ts'
import { billInvoiceItems, voidLatestInvoice } from '../billing/renewals.ts'
import { resumeSubscription } from '../billing/resume-subscription.ts'
import { applyTerms, termParameters } from '../billing/subscription-terms.ts'
import { updateSubscription } from '../billing/update-subscription.ts'
import { resourceMissing } from '../http/api-error.ts'
import { listPage, listParameters } from '../http/list-pages.ts'
import { flag, text } from '../http/parameter-values.ts'
import { type Call, pathObject, type Route, requireObject } from '../http/route.ts'
import type { Subscription } from '../objects/billing-objects.ts'

const url = '/v1/subscriptions'

export const subscriptions: Route[] = [
  {
    method: 'POST',
    path: url,
    parameters: `${termParameters} customer trial_period_days billing_mode currency`,
    handle: ({ account, params }) => createSubscription(account, params),
  },
  { method: 'GET', path: `${url}/{subscription_exposed_id}`, handle: (call) => pathObject(call, 'subscription') },
  {
    method: 'POST',
    path: `${url}/{subscription_exposed_id}`,
    parameters: `${termParameters} pause_collection`,
    handle: (call) => updateSubscription(call.account, pathObject(call, 'subscription'), call.params),
  },
  {
    method: 'DELETE',
    path: `${url}/{subscription_exposed_id}`,
    parameters: 'invoice_now prorate cancellation_details',
    handle: cancel,
  },
  { method: 'GET', path: url, parameters: `${listParameters} customer price status collection_method`, handle: list },
  {
    method: 'POST',
    path: `${url}/{subscription}/pause`,
    parameters: 'bill_for invoicing_behavior type',
    handle: (call) => pauseSubscription(call.account, pathObject(call, 'subscription'), call.params),
  },
  {
    method: 'POST',
    path: `${url}/{subscription}/resume`,
    parameters: 'billing_cycle_anchor payment_behavior proration_behavior proration_date',
    handle: (call) => resumeSubscription(call.account, pathObject(call, 'subscription'), call.params),
  },
  { method: 'DELETE', path: `${url}/{subscription_exposed_id}/discount`, handle: removeDiscount },
]

function list({ account, params }: Call): object {
  const [customer, price, status, collection] = ['customer', 'price', 'status', 'collection_method'].map((name) =>
    text(params, name),
  )
  if (customer) requireObject(account, 'customer', customer, 'customer')
  return listPage(account, 'subscription', params, url, (subscription) => {
    return (
      (!customer || subscription.customer === customer) &&
      (!price || subscription.items.data.some((item) => item.price.id === price)) &&
      (!collection || subscription.collection_method === collection) &&
      matchesStatus(subscription, status)
    )
  })
}

function matchesStatus({ status, ended_at }: Subscription, wanted: string | undefined): boolean {
  if (!wanted) return status !== 'canceled'
  if (wanted === 'ended') return ended_at !== null
  return wanted === 'all' || wanted === status
}

/**
 * Ends a subscription at once; the rest of its period is refunded only on request. Pending prorations are charged with
 * `invoice_now`, and removed where neither that nor `prorate` is set.
 */
function cancel(call: Call): Subscription {
  const { account, params } = call
  const subscription = pathObject(call, 'subscription')
  if (subscription.ended_at) throw resourceMissing('subscription', subscription.id)
  const credits = flag(params, 'prorate') ? subscription.items.data : []
  for (const item of credits) addInvoiceItem(account, subscription, prorationLine(account, item, -1))
  const { cancellation_details } = params
  if (cancellation_details) {
    account.store.change(subscription, () => applyTerms(account, subscription, { cancellation_details }))
  }
  const incomplete = subscription.status === 'incomplete'
  if (flag(params, 'invoice_now')) billInvoiceItems(account, subscription)
  else if (!flag(params, 'prorate')) removeInvoiceItems(account, subscription)
  endSubscription(account, subscription, 'cancellation_requested')
  if (incomplete) voidLatestInvoice(account, subscription)
  return subscription
}

/** With several discounts this takes the newest off. */
function removeDiscount(call: Call): object {
  const { account } = call
  const subscription = pathObject(call, 'subscription')
  const discount = account.store.find('discount', subscription.discounts.at(-1))
  if (!discount) throw resourceMissing('discount', 'current')
  endDiscounts(account, subscription, (id) => id === discount.id)
  const { end: _, ...gone } = discount
  return { ...gone, deleted: true }
}
