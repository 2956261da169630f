import { cardDeclined, tokenOfNumber } from '../billing/test-cards.ts'
import { invalidRequest } from '../http/api-error.ts'
import type { Params } from '../http/form.ts'
import { listPage, listParameters } from '../http/list-pages.ts'
import { hash, mergeMetadata, number, text, textOrNull } from '../http/parameter-values.ts'
import { type Call, pathObject, type Route, requireObject } from '../http/route.ts'
import type { Account } from '../objects/account.ts'
import { createTestCardMethod, findOrCreatePaymentMethod } from '../objects/new-payment-method.ts'
import type { PaymentMethod } from '../objects/objects.ts'

export const paymentMethods: Route[] = [
  {
    method: 'POST',
    path: '/v1/payment_methods',
    parameters: 'type card billing_details metadata allow_redisplay',
    allowsPublishableKey: true,
    handle: ({ account, params }) => create(account, params),
  },
  {
    method: 'GET',
    path: '/v1/payment_methods',
    parameters: `${listParameters} customer type`,
    handle: ({ account, params }) => listOwned(account, textOrNull(params, 'customer'), params, '/v1/payment_methods'),
  },
  {
    method: 'GET',
    path: '/v1/customers/{customer}/payment_methods',
    parameters: `${listParameters} type`,
    handle(call) {
      const { id } = pathObject(call, 'customer')
      return listOwned(call.account, id, call.params, `/v1/customers/${id}/payment_methods`)
    },
  },
  {
    method: 'GET',
    path: '/v1/payment_methods/{payment_method}',
    handle: (call) => pathObject(call, 'payment_method'),
  },
  {
    method: 'POST',
    path: '/v1/payment_methods/{payment_method}',
    parameters: 'metadata billing_details card allow_redisplay',
    handle: update,
  },
  {
    method: 'POST',
    path: '/v1/payment_methods/{payment_method}/attach',
    parameters: 'customer',
    handle({ account, params, id }) {
      return attachMethod(account, findOrCreatePaymentMethod(account, id, 'id'), text(params, 'customer') ?? '')
    },
  },
  { method: 'POST', path: '/v1/payment_methods/{payment_method}/detach', handle: detach },
]

function create(account: Account, params: Params): PaymentMethod {
  const card = hash(params, 'card')
  const token = text(card, 'token')
  const method = createTestCardMethod(
    account,
    token ? token.replace(/^tok_/, 'pm_card_') : tokenOfNumber(text(card, 'number') ?? ''),
  )
  applyDetails(method, params)
  return method
}

/** Attaching asks the bank: a card that declines everything is not attached. */
export function attachMethod(account: Account, method: PaymentMethod, customer: string): PaymentMethod {
  requireObject(account, 'customer', customer, 'customer')
  if (method.customer === customer) return method
  if (method.customer || account.store.find('local.note', `detached ${method.id}`)) {
    throw invalidRequest(
      method.customer
        ? 'The payment method you provided has already been attached to a customer.'
        : 'This PaymentMethod was previously used without being attached to a Customer or was detached from a Customer, and may not be used again.',
    )
  }
  const refused = account.declineCode ?? account.store.find('local.card', method.id)?.refused
  if (typeof refused === 'string') throw cardDeclined(refused)
  account.update(
    method,
    () => {
      method.customer = customer
    },
    'payment_method.attached',
  )
  return method
}

function listOwned(account: Account, customer: string | null, params: Params, url: string): object {
  if (customer) requireObject(account, 'customer', customer, 'customer')
  const type = text(params, 'type')
  return listPage(
    account,
    'payment_method',
    params,
    url,
    (method) =>
      method.customer !== null && method.customer === (customer ?? method.customer) && (!type || method.type === type),
  )
}

function update(call: Call): PaymentMethod {
  const method = pathObject(call, 'payment_method')
  if (!method.customer) {
    throw invalidRequest('You must save this PaymentMethod to a customer before you can update it.')
  }
  call.account.update(method, () => applyDetails(method, call.params))
  return method
}

function applyDetails(method: PaymentMethod, params: Params): void {
  const card = hash(params, 'card')
  const [exp_month, exp_year] = [number(card, 'exp_month'), number(card, 'exp_year')]
  method.card = { ...(method.card as object), ...(exp_month && { exp_month }), ...(exp_year && { exp_year }) }
  method.billing_details = { ...(method.billing_details as object), ...hash(params, 'billing_details') }
  method.metadata = mergeMetadata(method.metadata, params)
}

function detach(call: Call): PaymentMethod {
  const { account } = call
  const method = pathObject(call, 'payment_method')
  const customer = account.store.find('customer', method.customer)
  if (!customer) {
    throw invalidRequest('The payment method you provided is not attached to a customer so detachment is impossible.')
  }
  if (customer.invoice_settings.default_payment_method === method.id) {
    account.update(customer, () => {
      customer.invoice_settings.default_payment_method = null
    })
  }
  for (const subscription of account.store.all('subscription')) {
    if (subscription.default_payment_method !== method.id || subscription.ended_at) continue
    account.update(subscription, () => {
      subscription.default_payment_method = null
    })
  }
  account.add({ id: `detached ${method.id}`, object: 'local.note' })
  account.update(
    method,
    () => {
      method.customer = null
    },
    'payment_method.detached',
  )
  return method
}
