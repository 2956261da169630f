import { invalidRequest } from '../http/api-error.ts'
import type { Params } from '../http/form.ts'
import { listPage, listParameters } from '../http/list-pages.ts'
import { hash, mergeMetadata, number, text, textOrNull } from '../http/parameter-values.ts'
import { pathObject, type Route, requireObject } from '../http/route.ts'
import type { Account } from '../objects/account.ts'
import type { Subscription } from '../objects/billing-objects.ts'
import { findOrCreatePaymentMethod } from '../objects/new-payment-method.ts'
import type { Customer } from '../objects/objects.ts'
import { attachMethod } from './payment-methods.ts'

const fields = ['name', 'email', 'phone', 'description'] as const
const parameters = `${fields.join(' ')} address shipping metadata invoice_settings preferred_locales tax_exempt balance`

/** Everything of customers but the end, which takes their subscriptions along. */
export const customers: Route[] = [
  {
    method: 'POST',
    path: '/v1/customers',
    parameters: `${parameters} payment_method`,
    handle: ({ account, params }) => create(account, params),
  },
  {
    method: 'GET',
    path: '/v1/customers/{customer}',
    handle: (call) => call.account.store.find('customer', call.id) ?? deletedCustomer(call.account, call.id),
  },
  {
    method: 'POST',
    path: '/v1/customers/{customer}',
    parameters,
    handle(call) {
      const customer = pathObject(call, 'customer')
      call.account.update(customer, () => write(call.account, customer, call.params))
      return customer
    },
  },
  {
    method: 'GET',
    path: '/v1/customers',
    parameters: `${listParameters} email`,
    handle({ account, params }) {
      const email = text(params, 'email')
      return listPage(account, 'customer', params, '/v1/customers', (customer) => !email || customer.email === email)
    },
  },
]

function deletedCustomer(account: Account, id: string): object {
  if (account.store.find('local.note', `deleted ${id}`)) return { id, object: 'customer', deleted: true }
  return requireObject(account, 'customer', id)
}

function create(account: Account, params: Params): Customer {
  const customer: Customer = {
    id: account.ids.next('cus_', 14),
    object: 'customer',
    address: null,
    balance: 0,
    created: account.now(),
    currency: null,
    default_source: null,
    delinquent: false,
    description: null,
    discount: null,
    email: null,
    invoice_prefix: account.ids.letters(8).toUpperCase(),
    invoice_settings: { custom_fields: null, default_payment_method: null, footer: null, rendering_options: null },
    livemode: false,
    metadata: {},
    name: null,
    next_invoice_sequence: 1,
    phone: null,
    preferred_locales: [],
    shipping: null,
    tax_exempt: 'none',
    test_clock: null,
  }
  write(account, customer, params)
  account.add(customer, 'customer.created')
  const method = text(params, 'payment_method')
  if (method) attachMethod(account, findOrCreatePaymentMethod(account, method), customer.id)
  return customer
}

function write(account: Account, customer: Customer, params: Params): void {
  for (const name of fields) if (name in params) customer[name] = textOrNull(params, name)
  if (customer.email && !/^[^@\s]+@[^@\s]+$/.test(customer.email)) {
    throw invalidRequest(`Invalid email address: ${customer.email}`, { code: 'email_invalid', param: 'email' })
  }
  if ('address' in params) customer.address = addressOf(hash(params, 'address'))
  if ('shipping' in params) customer.shipping = shippingOf(hash(params, 'shipping'))
  if ('tax_exempt' in params) customer.tax_exempt = text(params, 'tax_exempt') || 'none'
  if ('preferred_locales' in params) customer.preferred_locales = params.preferred_locales || []
  customer.balance = number(params, 'balance') ?? customer.balance
  customer.metadata = mergeMetadata(customer.metadata, params)

  const settings = hash(params, 'invoice_settings')
  const method = text(settings, 'default_payment_method')
  if (method) requireOwnMethod(account, customer.id, method, 'invoice_settings[default_payment_method]')
  if (method !== undefined) customer.invoice_settings.default_payment_method = method || null
}

/** An address with all its members, whichever were sent. */
function addressOf(params: Params | undefined): Record<string, string | null> | null {
  const members = ['city', 'country', 'line1', 'line2', 'postal_code', 'state']
  return params ? Object.fromEntries(members.map((name) => [name, textOrNull(params, name)])) : null
}

function shippingOf(params: Params | undefined): object | null {
  if (!params) return null
  const { name, phone } = params
  return { address: addressOf(hash(params, 'address')), name, ...(phone !== undefined && { phone }) }
}

/** A method of payment serves only the customer it is attached to. */
export function requireOwnMethod(account: Account, customer: string, id: string, param: string): string {
  const method = requireObject(account, 'payment_method', id, param)
  if (method.customer === customer) return id
  throw invalidRequest(
    `The customer does not have a payment method with the ID ${id}. The payment method must be attached to the customer.`,
    { code: 'resource_missing', param },
  )
}

/** The payment method that a subscription is charged to: its own default, else its customer's. */
export function defaultMethodOf(
  account: Account,
  subscription: Pick<Subscription, 'customer' | 'default_payment_method'>,
) {
  return (
    subscription.default_payment_method ??
    account.store.find('customer', subscription.customer)?.invoice_settings.default_payment_method ??
    null
  )
}
