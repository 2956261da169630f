import { cardDeclined, declineDetails } from '../billing/test-cards.ts'
import { invalidRequest } from '../http/api-error.ts'
import { requireClientSecret } from '../http/client-secrets.ts'
import { listPage, listParameters } from '../http/list-pages.ts'
import { flag, mergeMetadata, text, textOrNull } from '../http/parameter-values.ts'
import { type Call, pathObject, type Route, requireObject } from '../http/route.ts'
import type { Account } from '../objects/account.ts'
import { findOrCreatePaymentMethod } from '../objects/new-payment-method.ts'
import { createSetupIntent } from '../objects/new-setup-intent.ts'
import type { SetupIntent } from '../objects/payment-objects.ts'
import { attachMethod } from './payment-methods.ts'

export const setupIntents: Route[] = [
  {
    method: 'POST',
    path: '/v1/setup_intents',
    parameters: 'customer payment_method confirm metadata usage description automatic_payment_methods',
    handle(call) {
      const { account, params } = call
      const customer = textOrNull(params, 'customer')
      if (customer) requireObject(account, 'customer', customer, 'customer')
      const intent = createSetupIntent(account, { customer })
      intent.metadata = mergeMetadata({}, params)
      intent.description = textOrNull(params, 'description')
      const method = text(params, 'payment_method')
      if (method) {
        intent.payment_method = findOrCreatePaymentMethod(account, method).id
        intent.status = 'requires_confirmation'
      }
      return flag(params, 'confirm') ? confirm({ ...call, id: intent.id }) : intent
    },
  },
  {
    method: 'GET',
    path: '/v1/setup_intents/{intent}',
    parameters: 'client_secret',
    allowsPublishableKey: true,
    handle: (call) => requireClientSecret(call, pathObject(call, 'setup_intent')),
  },
  {
    method: 'POST',
    path: '/v1/setup_intents/{intent}/confirm',
    parameters: 'client_secret payment_method return_url',
    allowsPublishableKey: true,
    handle: confirm,
  },
  {
    method: 'GET',
    path: '/v1/setup_intents',
    parameters: `${listParameters} customer`,
    handle({ account, params }) {
      const customer = text(params, 'customer')
      return listPage(
        account,
        'setup_intent',
        params,
        '/v1/setup_intents',
        (intent) => !customer || intent.customer === customer,
      )
    },
  },
]

/** Confirming once more, when the bank has asked, is how its holder says yes here. */
function confirm(call: Call): SetupIntent {
  const { account, params } = call
  const intent = requireClientSecret(call, pathObject(call, 'setup_intent'))
  if (intent.status === 'succeeded' || intent.status === 'canceled') {
    throw invalidRequest(`You cannot confirm this SetupIntent because it has a status of ${intent.status}.`, {
      code: 'setup_intent_unexpected_state',
    })
  }
  const authenticated = intent.status === 'requires_action'
  const sent = text(params, 'payment_method') ?? intent.payment_method
  if (!sent) {
    throw invalidRequest("You cannot confirm this SetupIntent because it's missing a payment method.", {
      code: 'setup_intent_unexpected_state',
    })
  }
  const method = findOrCreatePaymentMethod(account, sent)
  const card = account.store.find('local.card', method.id)
  const refused = account.declineCode ?? card?.refused
  if (typeof refused === 'string') return failSetup(account, intent, refused)
  if (card?.authenticates && !authenticated) {
    account.update(
      intent,
      () => {
        intent.status = 'requires_action'
        intent.payment_method = method.id
        intent.next_action = { type: 'use_stripe_sdk', use_stripe_sdk: { type: 'three_d_secure_redirect' } }
      },
      'setup_intent.requires_action',
    )
    return intent
  }
  if (intent.customer && method.customer !== intent.customer) attachMethod(account, method, intent.customer)
  account.update(
    intent,
    () => {
      intent.status = 'succeeded'
      intent.payment_method = method.id
      intent.next_action = null
    },
    'setup_intent.succeeded',
  )
  return intent
}

function failSetup(account: Account, intent: SetupIntent, reason: string): never {
  account.update(
    intent,
    () => {
      intent.last_setup_error = declineDetails(reason)
      intent.status = 'requires_payment_method'
    },
    'setup_intent.setup_failed',
  )
  throw cardDeclined(reason, { setup_intent: structuredClone(intent) }, true)
}
