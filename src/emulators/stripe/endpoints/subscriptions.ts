import { subscribe } from '../billing/create-subscription.ts'
import { endDiscounts } from '../billing/discounts.ts'
import { dropPending, postpone } from '../billing/draft-invoice.ts'
import { prorationOf } from '../billing/invoice-lines.ts'
import { end } from '../billing/payment-outcome.ts'
import { billPending, dropLatest } from '../billing/renewals.ts'
import { terms, write } from '../billing/subscription-terms.ts'
import { resume, update } from '../billing/update-subscription.ts'
import { missing } from '../http/api-error.ts'
import { page, paging } from '../http/list-pages.ts'
import { flag, text } from '../http/parameter-values.ts'
import { type Call, existing, named, type Route } from '../http/route.ts'
import type { Subscription } from '../objects/billing-objects.ts'

const url = '/v1/subscriptions'

export const subscriptions: Route[] = [
  {
    method: 'POST',
    path: url,
    takes: `${terms} customer trial_period_days billing_mode currency`,
    handle: ({ account, params }) => subscribe(account, params),
  },
  { method: 'GET', path: `${url}/{subscription_exposed_id}`, handle: (call) => named(call, 'subscription') },
  {
    method: 'POST',
    path: `${url}/{subscription_exposed_id}`,
    takes: `${terms} pause_collection`,
    handle: (call) => update(call.account, named(call, 'subscription'), call.params),
  },
  {
    method: 'DELETE',
    path: `${url}/{subscription_exposed_id}`,
    takes: 'invoice_now prorate cancellation_details',
    handle: cancel,
  },
  { method: 'GET', path: url, takes: `${paging} customer price status collection_method`, handle: list },
  {
    method: 'POST',
    path: `${url}/{subscription}/resume`,
    takes: 'billing_cycle_anchor proration_behavior',
    handle: (call) => resume(call.account, named(call, 'subscription')),
  },
  { method: 'DELETE', path: `${url}/{subscription_exposed_id}/discount`, handle: removeDiscount },
]

function list({ account, params }: Call): object {
  const [customer, price, status, collection] = ['customer', 'price', 'status', 'collection_method'].map((name) =>
    text(params, name),
  )
  if (customer) existing(account, 'customer', customer, 'customer')
  return page(account, 'subscription', params, url, (subscription) => {
    return (
      (!customer || subscription.customer === customer) &&
      (!price || subscription.items.data.some((item) => item.price.id === price)) &&
      (!collection || subscription.collection_method === collection) &&
      shows(subscription, status)
    )
  })
}

function shows({ status, ended_at }: Subscription, wanted: string | undefined): boolean {
  if (!wanted) return status !== 'canceled'
  if (wanted === 'ended') return ended_at !== null
  return wanted === 'all' || wanted === status
}

/**
 * Ends a subscription at once; what is left of its periods is given back only when asked. Pending prorations are charged with
 * `invoice_now`, and removed where neither that nor `prorate` is set.
 */
function cancel(call: Call): Subscription {
  const { account, params } = call
  const subscription = named(call, 'subscription')
  if (subscription.ended_at) throw missing('subscription', subscription.id)
  const credits = flag(params, 'prorate') ? subscription.items.data : []
  for (const item of credits) postpone(account, subscription, prorationOf(account, item, -1))
  const { cancellation_details } = params
  if (cancellation_details) {
    account.store.change(subscription, () => write(account, subscription, { cancellation_details }))
  }
  const incomplete = subscription.status === 'incomplete'
  if (flag(params, 'invoice_now')) billPending(account, subscription)
  else if (!flag(params, 'prorate')) dropPending(account, subscription)
  end(account, subscription, 'cancellation_requested')
  if (incomplete) dropLatest(account, subscription)
  return subscription
}

/** With several discounts this takes the newest off. */
function removeDiscount(call: Call): object {
  const { account } = call
  const subscription = named(call, 'subscription')
  const discount = account.store.find('discount', subscription.discounts.at(-1))
  if (!discount) throw missing('discount', 'current')
  endDiscounts(account, subscription, (id) => id === discount.id)
  const { end: _, ...gone } = discount
  return { ...gone, deleted: true }
}
