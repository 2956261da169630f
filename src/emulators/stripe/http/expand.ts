import { invoicePaymentOf, paymentIntentOf } from '../billing/invoice-payments.ts'
import type { Account } from '../objects/account.ts'
import type { Invoice, ObjectsByType } from '../objects/billing-objects.ts'
import { clone } from '../objects/store.ts'
import { invalidRequest } from './api-error.ts'

/** Which members of an object name another one; those of a hash inside it have a dot. */
const references: Record<string, Record<string, keyof ObjectsByType | null>> = {
  customer: { default_source: null, 'invoice_settings.default_payment_method': 'payment_method', test_clock: null },
  payment_method: { customer: 'customer' },
  product: { default_price: 'price', tax_code: null },
  price: { product: 'product' },
  promotion_code: { customer: 'customer', 'promotion.coupon': 'coupon' },
  discount: { customer: 'customer', promotion_code: 'promotion_code', 'source.coupon': 'coupon' },
  subscription: {
    customer: 'customer',
    default_payment_method: 'payment_method',
    default_source: null,
    discounts: 'discount',
    latest_invoice: 'invoice',
    pending_setup_intent: 'setup_intent',
    schedule: 'subscription_schedule',
    test_clock: null,
  },
  subscription_item: { discounts: 'discount' },
  invoice: {
    customer: 'customer',
    default_payment_method: 'payment_method',
    default_source: null,
    discounts: 'discount',
    'parent.subscription_details.subscription': 'subscription',
    test_clock: null,
    'total_discount_amounts.discount': 'discount',
  },
  line_item: { discounts: 'discount', subscription: 'subscription', 'pricing.price_details.price': 'price' },
  invoice_payment: { invoice: 'invoice', 'payment.payment_intent': 'payment_intent' },
  payment_intent: { customer: 'customer', latest_charge: null, payment_method: 'payment_method' },
  refund: { charge: null, customer: 'customer', payment_intent: 'payment_intent', payment_method: 'payment_method' },
  setup_intent: { customer: 'customer', payment_method: 'payment_method', latest_attempt: null },
}

/** Members that are not there unless they are asked for. */
const onDemand: Record<string, (account: Account, holder: Hash) => unknown> = {
  'invoice.payments': (account, holder) => {
    const payment = invoicePaymentOf(account, holder as unknown as Invoice)
    return {
      object: 'list',
      data: payment ? [payment] : [],
      has_more: false,
      url: `/v1/invoice_payments?invoice=${holder.id}`,
    }
  },
  'invoice.confirmation_secret': (account, holder) => {
    const intent = paymentIntentOf(account, holder as unknown as Invoice)
    return intent ? { client_secret: intent.client_secret, type: 'payment_intent' } : null
  },
  'customer.subscriptions': (account, { id }) => ({
    object: 'list',
    data: account.store.newest('subscription').filter(({ customer, ended_at }) => customer === id && !ended_at),
    has_more: false,
    url: `/v1/customers/${id}/subscriptions`,
  }),
  'customer.sources': (_, { id }) => ({
    object: 'list',
    data: [],
    has_more: false,
    url: `/v1/customers/${id}/sources`,
  }),
  'customer.tax_ids': (_, { id }) => ({
    object: 'list',
    data: [],
    has_more: false,
    url: `/v1/customers/${id}/tax_ids`,
  }),
  'customer.tax': () => ({ automatic_tax: 'unrecognized_location', ip_address: null, location: null }),
}

const maxLevels = 4

interface Hash {
  [member: string]: unknown
}

const isHash = (value: unknown): value is Hash => typeof value === 'object' && value !== null && !Array.isArray(value)

/** Puts objects in the place of their ids, along the paths that were asked for. */
export function expand(account: Account, answer: object, paths: string[]): object {
  const expanded = clone(answer)
  for (const path of paths) {
    const steps = path.split('.')
    if (steps.length > maxLevels) {
      throw invalidRequest(`You cannot expand more than ${maxLevels} levels of a property. Property: ${path}`, {
        param: 'expand',
      })
    }
    expandPath(account, expanded as Hash, steps, { path, type: '', trail: '' })
  }
  return expanded
}

interface Place {
  path: string
  /** The object that the hash belongs to, and where in it. */
  type: string
  trail: string
}

function expandPath(account: Account, hash: Hash, [step, ...rest]: string[], place: Place): void {
  const type = typeof hash.object === 'string' ? hash.object : place.type
  const trail = typeof hash.object === 'string' ? step : `${place.trail}.${step}`
  const extra = onDemand[`${type}.${trail}`]
  if (extra && !(step in hash)) hash[step] = clone(extra(account, hash))
  const kind = references[type]?.[trail]
  const value = hash[step]
  const known =
    kind !== undefined || Boolean(extra) || (type === 'list' ? step === 'data' && rest.length > 0 : isNested(value))
  if (!known || step === 'metadata') throw cannotExpand(hash, place.path)

  hash[step] = Array.isArray(value)
    ? value.map((one) => resolveReference(account, one, kind))
    : resolveReference(account, value ?? hash[step], kind)
  if (!rest.length) return
  for (const inner of [hash[step]].flat()) {
    if (isHash(inner)) expandPath(account, inner, rest, { path: place.path, type, trail })
  }
}

const isNested = (value: unknown) => isHash(value) || (Array.isArray(value) && value.every(isHash))

function resolveReference(account: Account, value: unknown, kind: keyof ObjectsByType | null | undefined): unknown {
  const thing = kind && typeof value === 'string' ? account.store.find(kind, value) : undefined
  return thing ? clone(thing) : value
}

function cannotExpand(hash: Hash, path: string) {
  const hint =
    hash.object === 'list' && !path.startsWith('data') ? ` You may want to try expanding 'data.${path}' instead.` : ''
  return invalidRequest(`This property cannot be expanded (${path}).${hint}`, { param: 'expand' })
}
