import { collect } from '../billing/collect-invoice.ts'
import { invoiceOf } from '../billing/invoice-payments.ts'
import { declined } from '../billing/test-cards.ts'
import { refusal } from '../http/api-error.ts'
import { secretly } from '../http/client-secrets.ts'
import { page, paging } from '../http/list-pages.ts'
import { text } from '../http/parameter-values.ts'
import { type Call, named, type Route } from '../http/route.ts'
import type { PaymentIntent } from '../objects/billing-objects.ts'
import { methodNamed } from '../objects/new-payment-method.ts'
import { attach } from './payment-methods.ts'

export const paymentIntents: Route[] = [
  {
    method: 'GET',
    path: '/v1/payment_intents/{intent}',
    takes: 'client_secret',
    open: true,
    handle: (call) => secretly(call, named(call, 'payment_intent')),
  },
  {
    method: 'POST',
    path: '/v1/payment_intents/{intent}/confirm',
    takes: 'client_secret payment_method return_url off_session',
    open: true,
    handle: confirm,
  },
  {
    method: 'GET',
    path: '/v1/payment_intents',
    takes: `${paging} customer`,
    handle({ account, params }) {
      const customer = text(params, 'customer')
      return page(
        account,
        'payment_intent',
        params,
        '/v1/payment_intents',
        (intent) => !customer || intent.customer === customer,
      )
    },
  },
]

/** Pays as Stripe.js does; confirming once more, when the bank has asked, is how the card's holder says yes here. */
function confirm(call: Call): PaymentIntent {
  const { account, params } = call
  const intent = secretly(call, named(call, 'payment_intent'))
  const invoice = invoiceOf(account, intent)
  if (!invoice || intent.status === 'succeeded' || intent.status === 'canceled') {
    throw refusal(
      `You cannot confirm this PaymentIntent because it has a status of ${intent.status}. ` +
        'Only a PaymentIntent with one of the following statuses may be confirmed: requires_confirmation, requires_action.',
      { code: 'payment_intent_unexpected_state', payment_intent: structuredClone(intent) },
    )
  }
  const sent = text(params, 'payment_method')
  if (!sent && !intent.payment_method) {
    throw refusal(
      "You cannot confirm this PaymentIntent because it's missing a payment method. You can either update the PaymentIntent " +
        'with a payment method and then confirm it again, or confirm it again directly with a payment method.',
      { code: 'payment_intent_unexpected_state', payment_intent: structuredClone(intent) },
    )
  }
  const authenticated = intent.status === 'requires_action' && (!sent || sent === intent.payment_method)
  const outcome = collect(account, invoice, {
    method: sent ? use(call, intent, sent) : intent.payment_method,
    authenticated,
  })
  if (outcome.paid || outcome.action) return intent
  throw declined(outcome.reason ?? 'generic_decline', { payment_intent: structuredClone(intent) }, true)
}

/** A method that pays for a subscription is kept for the periods to come, except one that would be refused there. */
function use({ account }: Call, intent: PaymentIntent, sent: string): string {
  const method = methodNamed(account, sent)
  if (method.customer && method.customer !== intent.customer) {
    throw refusal('The customer of this PaymentIntent does not have the payment method that was given.', {
      param: 'payment_method',
    })
  }
  const refused = account.declining ?? account.store.find('local.card', method.id)?.decline
  if (intent.customer && !method.customer && !refused) attach(account, method, intent.customer)
  return method.id
}
