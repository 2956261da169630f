import { methodFor } from '../endpoints/customers.ts'
import { refusal } from '../http/api-error.ts'
import type { Params } from '../http/form.ts'
import { hash, hashes, text } from '../http/parameter-values.ts'
import { existing } from '../http/route.ts'
import type { Account } from '../objects/account.ts'
import type { Invoice, Subscription } from '../objects/billing-objects.ts'
import { blank } from '../objects/blank-subscription.ts'
import { createSetupIntent } from '../objects/new-setup-intent.ts'
import { collect, finalize } from './collect-invoice.ts'
import { draft } from './draft-invoice.ts'
import { lineOf, trialLineOf } from './invoice-lines.ts'
import { changed, hasTrial, priceOf } from './item-changes.ts'
import { move } from './payment-outcome.ts'
import { onTrial, trialEnd, write } from './subscription-terms.ts'
import { declined } from './test-cards.ts'

/** Makes a subscription with its first invoice, and tries to have that paid as `payment_behavior` says. */
export function subscribe(account: Account, params: Params): Subscription {
  const subscription = begin(account, params)
  const behavior = text(params, 'payment_behavior') || 'allow_incomplete'
  const invoice = draft(account, subscription, 'subscription_create', linesOf(account, subscription))
  finalize(account, invoice)
  if (invoice.status === 'paid') return subscription
  if (subscription.collection_method === 'send_invoice') {
    move(account, subscription, 'active')
    account.tell('invoice.sent', invoice)
    return subscription
  }
  if (behavior === 'default_incomplete') return subscription
  if (!methodFor(account, subscription)) throw sourceless()
  const outcome = collect(account, invoice)
  if (!outcome.paid && behavior === 'error_if_incomplete') throw declined(outcome.reason ?? 'generic_decline')
  return subscription
}

export function sourceless() {
  return refusal(
    'This customer has no attached payment source or default payment method. Please consider adding a default payment method. ' +
      'For more information, visit https://stripe.com/docs/billing/payment-methods-setting-defaults#set-the-default-payment-method-for-a-customer.',
    { code: 'resource_missing' },
  )
}

function begin(account: Account, params: Params): Subscription {
  const customer = existing(account, 'customer', text(params, 'customer') ?? '', 'customer')
  const [first] = hashes(params, 'items')
  if (!first) throw refusal('Missing required param: items.', { code: 'parameter_missing', param: 'items' })
  const { currency } = priceOf(account, first, 'items[0]')
  if (customer.currency && customer.currency !== currency) {
    throw refusal(
      `You cannot combine currencies on a single customer. This customer has had a subscription or invoice with currency ${customer.currency}.`,
    )
  }
  const subscription = blank(account, customer.id, currency)
  subscription.billing_mode.type = text(hash(params, 'billing_mode'), 'type') ?? 'flexible'
  subscription.items.data = changed(account, subscription, params).items
  if (hasTrial(params)) startTrial(account, subscription, params)
  write(account, subscription, params)
  account.add(subscription)
  if (subscription.status === 'trialing' && !methodFor(account, subscription)) {
    const intent = createSetupIntent(account, { customer: customer.id })
    subscription.pending_setup_intent = intent.id
  }
  account.tell('customer.subscription.created', subscription)
  return subscription
}

function startTrial(account: Account, subscription: Subscription, params: Params): void {
  const end = trialEnd(account, params)
  if (end === null) return
  onTrial(subscription.items.data, account.now(), end)
  subscription.status = 'trialing'
  subscription.trial_start = account.now()
  subscription.trial_end = end
  subscription.billing_cycle_anchor = end
}

function linesOf(account: Account, { items, status }: Subscription): Invoice['lines']['data'] {
  return items.data.map((item) => (status === 'trialing' ? trialLineOf : lineOf)(account, item))
}
