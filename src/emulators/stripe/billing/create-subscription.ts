import { defaultMethodOf } from '../endpoints/customers.ts'
import { invalidRequest } from '../http/api-error.ts'
import type { Params } from '../http/form.ts'
import { hash, hashes, text } from '../http/parameter-values.ts'
import { requireObject } from '../http/route.ts'
import type { Account } from '../objects/account.ts'
import type { Invoice, Subscription } from '../objects/billing-objects.ts'
import { newSubscription } from '../objects/blank-subscription.ts'
import { createSetupIntent } from '../objects/new-setup-intent.ts'
import { collectPayment, finalizeInvoice } from './collect-invoice.ts'
import { draftInvoice } from './draft-invoice.ts'
import { periodLine, trialLine } from './invoice-lines.ts'
import { changeItems, hasTrial, priceOf } from './item-changes.ts'
import { setStatus } from './payment-outcome.ts'
import { applyTerms, setTrialPeriod, trialEnd } from './subscription-terms.ts'
import { cardDeclined } from './test-cards.ts'

/** Makes a subscription with its first invoice, and tries to have that paid as `payment_behavior` says. */
export function createSubscription(account: Account, params: Params): Subscription {
  const subscription = addSubscription(account, params)
  const behavior = text(params, 'payment_behavior') || 'allow_incomplete'
  const invoice = draftInvoice(account, subscription, 'subscription_create', firstLines(account, subscription))
  finalizeInvoice(account, invoice)
  if (invoice.status === 'paid') return subscription
  if (subscription.collection_method === 'send_invoice') {
    setStatus(account, subscription, 'active')
    account.emit('invoice.sent', invoice)
    return subscription
  }
  if (behavior === 'default_incomplete') return subscription
  if (!defaultMethodOf(account, subscription)) throw noPaymentSource()
  const outcome = collectPayment(account, invoice)
  if (!outcome.paid && behavior === 'error_if_incomplete') throw cardDeclined(outcome.reason ?? 'generic_decline')
  return subscription
}

export function noPaymentSource() {
  return invalidRequest(
    'This customer has no attached payment source or default payment method. Please consider adding a default payment method. ' +
      'For more information, visit https://stripe.com/docs/billing/payment-methods-setting-defaults#set-the-default-payment-method-for-a-customer.',
    { code: 'resource_missing' },
  )
}

function addSubscription(account: Account, params: Params): Subscription {
  const customer = requireObject(account, 'customer', text(params, 'customer') ?? '', 'customer')
  const [first] = hashes(params, 'items')
  if (!first) throw invalidRequest('Missing required param: items.', { code: 'parameter_missing', param: 'items' })
  const { currency } = priceOf(account, first, 'items[0]')
  if (customer.currency && customer.currency !== currency) {
    throw invalidRequest(
      `You cannot combine currencies on a single customer. This customer has had a subscription or invoice with currency ${customer.currency}.`,
    )
  }
  const subscription = newSubscription(account, customer.id, currency)
  subscription.billing_mode.type = text(hash(params, 'billing_mode'), 'type') ?? 'flexible'
  subscription.items.data = changeItems(account, subscription, params).items
  if (hasTrial(params)) startTrial(account, subscription, params)
  applyTerms(account, subscription, params)
  account.add(subscription)
  if (subscription.status === 'trialing' && !defaultMethodOf(account, subscription)) {
    const intent = createSetupIntent(account, { customer: customer.id })
    subscription.pending_setup_intent = intent.id
  }
  account.emit('customer.subscription.created', subscription)
  return subscription
}

function startTrial(account: Account, subscription: Subscription, params: Params): void {
  const end = trialEnd(account, params)
  if (end === null) return
  setTrialPeriod(subscription.items.data, account.now(), end)
  subscription.status = 'trialing'
  subscription.trial_start = account.now()
  subscription.trial_end = end
  subscription.billing_cycle_anchor = end
}

function firstLines(account: Account, { items, status }: Subscription): Invoice['lines']['data'] {
  return items.data.map((item) => (status === 'trialing' ? trialLine : periodLine)(account, item))
}
