import { requireOwnMethod } from '../endpoints/customers.ts'
import { invalidRequest } from '../http/api-error.ts'
import type { Params } from '../http/form.ts'
import { flag, hash, mergeMetadata, number, text, textOrNull } from '../http/parameter-values.ts'
import type { Account } from '../objects/account.ts'
import type { CollectionMethod, Subscription, SubscriptionItem } from '../objects/billing-objects.ts'
import { day } from '../objects/clock.ts'
import { redeemDiscounts } from './discounts.ts'
import { endBehavior } from './item-changes.ts'

/** The parameters that creating and updating a subscription have in common. */
export const termParameters =
  'items default_payment_method payment_behavior payment_settings metadata discounts trial_end trial_settings collection_method ' +
  'automatic_tax days_until_due cancel_at_period_end cancel_at off_session proration_behavior description cancellation_details'

export function applyTerms(account: Account, subscription: Subscription, params: Params): void {
  applyTax(account, subscription, params)
  const method = text(params, 'default_payment_method')
  if (method) requireOwnMethod(account, subscription.customer, method, 'default_payment_method')
  if (method !== undefined) subscription.default_payment_method = method || null
  if ('description' in params) subscription.description = textOrNull(params, 'description')
  subscription.metadata = mergeMetadata(subscription.metadata, params)
  subscription.payment_settings = { ...subscription.payment_settings, ...hash(params, 'payment_settings') }
  const missing = endBehavior(params)
  if (missing) subscription.trial_settings.end_behavior.missing_payment_method = missing
  const { comment, feedback } = hash(params, 'cancellation_details') ?? {}
  if (comment !== undefined) subscription.cancellation_details.comment = String(comment) || null
  if (feedback !== undefined) subscription.cancellation_details.feedback = String(feedback) || null
  applyCollection(subscription, params)
  applyCancellation(account, subscription, params)
  if (params.discounts !== undefined) applyDiscounts(account, subscription, params)
}

/** Countries in which a place is not known without its postal code. */
const byPostalCode = ['CA', 'US']

/** Automatic tax needs the customer's location for every change of the billed items. */
function applyTax(account: Account, subscription: Subscription, params: Params): void {
  const enabled = flag(hash(params, 'automatic_tax'), 'enabled')
  if (enabled !== undefined) {
    subscription.automatic_tax = { disabled_reason: null, enabled, liability: enabled ? { type: 'self' } : null }
  }
  if (!subscription.automatic_tax.enabled || !('items' in params || enabled)) return
  const { country, postal_code } = account.store.find('customer', subscription.customer)?.address ?? {}
  if (country && (postal_code || !byPostalCode.includes(country))) return
  throw invalidRequest(
    "The customer's location isn't recognized. Set a valid customer address in order to automatically calculate tax.",
    { code: 'customer_tax_location_invalid', param: 'automatic_tax[enabled]' },
  )
}

/** Those that are sent take the place of those there were. */
function applyDiscounts(account: Account, subscription: Subscription, params: Params): void {
  const before = subscription.discounts
  subscription.discounts = redeemDiscounts(account, subscription, params)
  for (const id of before) {
    const discount = account.store.find('discount', id)
    if (discount && !subscription.discounts.includes(id)) account.emit('customer.discount.deleted', discount)
  }
}

function applyCollection(subscription: Subscription, params: Params): void {
  subscription.collection_method =
    (text(params, 'collection_method') as CollectionMethod) ?? subscription.collection_method
  const days = number(params, 'days_until_due')
  const sends = subscription.collection_method === 'send_invoice'
  if (days !== undefined) subscription.days_until_due = days
  if (!sends && days !== undefined) {
    throw invalidRequest('You cannot pass `days_until_due` when `collection_method` is `charge_automatically`.', {
      param: 'days_until_due',
    })
  }
  if (sends && subscription.days_until_due === null) {
    throw invalidRequest('If collection_method is `send_invoice`, `days_until_due` must be passed.', {
      code: 'parameter_missing',
      param: 'days_until_due',
    })
  }
  if (!sends) subscription.days_until_due = null
}

function applyCancellation(account: Account, subscription: Subscription, params: Params): void {
  const atEnd = flag(params, 'cancel_at_period_end')
  const at = text(params, 'cancel_at')
  if (atEnd && at)
    throw invalidRequest('You cannot set both `cancel_at` and `cancel_at_period_end`.', { param: 'cancel_at' })
  if (atEnd === undefined && at === undefined) return
  const moment = atEnd ? periodEnd(subscription) : at ? cancelTime(subscription, at) : null
  if (moment !== null && moment <= account.now()) {
    throw invalidRequest('`cancel_at` must be in the future.', { param: 'cancel_at' })
  }
  if (atEnd === false && at === undefined && !subscription.cancel_at_period_end) return
  subscription.cancel_at = moment
  subscription.cancel_at_period_end = atEnd ?? false
  subscription.canceled_at = moment === null ? null : account.now()
  subscription.cancellation_details.reason = moment === null ? null : 'cancellation_requested'
}

function cancelTime(subscription: Subscription, at: string): number {
  const ends = subscription.items.data.map((item) => item.current_period_end)
  if (at === 'min_period_end') return Math.min(...ends)
  if (at === 'max_period_end') return Math.max(...ends)
  return Number(at)
}

/** When the next of its periods ends. */
export function periodEnd({ items }: Subscription): number {
  return Math.min(...items.data.map((item) => item.current_period_end))
}

/** Until when nothing is to be paid; `now` ends a trial. */
export function trialEnd(account: Account, params: Params): number | null {
  const sent = text(params, 'trial_end')
  const days = number(params, 'trial_period_days')
  if (sent === 'now') return account.now()
  if (sent && days) {
    throw invalidRequest('You cannot pass both `trial_end` and `trial_period_days`.', { param: 'trial_period_days' })
  }
  const end = sent ? Number(sent) : days ? account.now() + days * day : null
  if (end !== null && end <= account.now()) {
    throw invalidRequest('Invalid timestamp: must be an integer Unix timestamp in the future', {
      code: 'invalid_request_error',
      param: 'trial_end',
    })
  }
  return end
}

export function setTrialPeriod(items: SubscriptionItem[], start: number, end: number): void {
  for (const item of items) {
    item.current_period_start = start
    item.current_period_end = end
  }
}
