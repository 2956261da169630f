import { collectPayment } from '../billing/collect-invoice.ts'
import { invoiceOf } from '../billing/invoice-payments.ts'
import { cardDeclined } from '../billing/test-cards.ts'
import { invalidRequest } from '../http/api-error.ts'
import { requireClientSecret } from '../http/client-secrets.ts'
import { listPage, listParameters } from '../http/list-pages.ts'
import { text } from '../http/parameter-values.ts'
import { type Call, pathObject, type Route } from '../http/route.ts'
import { findOrCreatePaymentMethod } from '../objects/new-payment-method.ts'
import type { PaymentIntent } from '../objects/payment-objects.ts'
import { attachMethod } from './payment-methods.ts'

export const paymentIntents: Route[] = [
  {
    method: 'GET',
    path: '/v1/payment_intents/{intent}',
    parameters: 'client_secret',
    allowsPublishableKey: true,
    handle: (call) => requireClientSecret(call, pathObject(call, 'payment_intent')),
  },
  {
    method: 'POST',
    path: '/v1/payment_intents/{intent}/confirm',
    parameters: 'client_secret payment_method return_url off_session',
    allowsPublishableKey: true,
    handle: confirm,
  },
  {
    method: 'GET',
    path: '/v1/payment_intents',
    parameters: `${listParameters} customer`,
    handle({ account, params }) {
      const customer = text(params, 'customer')
      return listPage(
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
  const intent = requireClientSecret(call, pathObject(call, 'payment_intent'))
  const invoice = invoiceOf(account, intent)
  if (!invoice || intent.status === 'succeeded' || intent.status === 'canceled') {
    throw invalidRequest(
      `You cannot confirm this PaymentIntent because it has a status of ${intent.status}. ` +
        'Only a PaymentIntent with one of the following statuses may be confirmed: requires_confirmation, requires_action.',
      { code: 'payment_intent_unexpected_state', payment_intent: structuredClone(intent) },
    )
  }
  const sent = text(params, 'payment_method')
  if (!sent && !intent.payment_method) {
    throw invalidRequest(
      "You cannot confirm this PaymentIntent because it's missing a payment method. You can either update the PaymentIntent " +
        'with a payment method and then confirm it again, or confirm it again directly with a payment method.',
      { code: 'payment_intent_unexpected_state', payment_intent: structuredClone(intent) },
    )
  }
  const authenticated = intent.status === 'requires_action' && (!sent || sent === intent.payment_method)
  const outcome = collectPayment(account, invoice, {
    method: sent ? attachIfAccepted(call, intent, sent) : intent.payment_method,
    authenticated,
    ordered: true,
  })
  if (outcome.paid || outcome.action) return intent
  throw cardDeclined(outcome.reason ?? 'generic_decline', { payment_intent: structuredClone(intent) }, true)
}

/** A method that pays for a subscription is kept for the periods to come, except one that would be refused there. */
function attachIfAccepted({ account }: Call, intent: PaymentIntent, sent: string): string {
  const method = findOrCreatePaymentMethod(account, sent)
  if (method.customer && method.customer !== intent.customer) {
    throw invalidRequest('The customer of this PaymentIntent does not have the payment method that was given.', {
      param: 'payment_method',
    })
  }
  const refused = account.declineCode ?? account.store.find('local.card', method.id)?.decline
  if (intent.customer && !method.customer && !refused) attachMethod(account, method, intent.customer)
  return method.id
}
