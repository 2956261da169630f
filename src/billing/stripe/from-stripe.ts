import type Stripe from 'stripe'
import type { Invoice, PaymentMethod, Subscription } from '../../../entities/index.ts'
import type { StripeState } from '../../../entities/subscription.ts'
import { catalogueNameOf, otherProductName, type Products } from './subscription-items.ts'

/** The id of an object, or of a reference that is only the id. */
export const idOf = (reference: string | { id: string } | null | undefined): string | null =>
  typeof reference === 'string' ? reference : (reference?.id ?? null)

/** Stripe's timestamps are whole seconds since 1970. */
const dateOf = (seconds: number | null | undefined): Date | null =>
  typeof seconds === 'number' ? new Date(seconds * 1000) : null

/**
 * The columns of a subscription from Stripe's object.
 * @param paymentMethodIds the ids of the organization's payment methods by Stripe's ids
 */
export function subscriptionFrom(
  found: Stripe.Subscription,
  paymentMethodIds: Map<string, string>,
  products: Products,
): Partial<StripeState> {
  const lines = found.items.data.map((item) => ({ name: catalogueNameOf(item, products), item }))
  const seats = lines.filter(({ name }) => name === 'seat').map(({ item }) => item)
  const seatCount = seats.reduce((sum, { quantity }) => sum + (quantity ?? 0), 0)
  const period = (seats[0] ?? lines.find(({ name }) => name)?.item)?.price?.recurring?.interval
  const paymentMethod = idOf(found.default_payment_method)
  return {
    externalId: found.id,
    status: found.status,
    cancelAt: dateOf(found.cancel_at),
    paused: found.pause_collection?.behavior ?? null,
    coupon: couponOf(found),
    modules: [...new Set(lines.flatMap(({ name }) => (name && name !== 'seat' ? [name] : [])))],
    otherProducts: lines.flatMap(({ name, item }) =>
      name ? [] : [{ name: otherProductName(item), quantity: item.quantity ?? 1 }],
    ),
    paymentMethodId: (paymentMethod && paymentMethodIds.get(paymentMethod)) || null,
    ...(seatCount > 0 && { seats: seatCount }),
    ...(period && { type: period === 'year' ? 'yearly' : 'monthly' }),
  }
}

/** The code of the first discount: the promotion code, or else the coupon's id. */
export function couponOf({ discounts }: Stripe.Subscription): string | null {
  const [discount] = discounts ?? []
  if (typeof discount !== 'object') return null
  const { promotion_code: promotion, source } = discount
  return typeof promotion === 'object' && promotion ? promotion.code : idOf(source?.coupon)
}

export function invoiceFrom(found: Stripe.Invoice): Partial<Invoice> {
  const { status_transitions: times } = found
  return {
    externalId: found.id,
    name: found.number,
    status: found.status ?? 'draft',
    currency: found.currency.toUpperCase(),
    total: found.total,
    amountDue: found.amount_due,
    issuedAt: dateOf(times?.finalized_at),
    dueAt: dateOf(found.due_date),
    paidAt: dateOf(times?.paid_at),
    pdf: found.invoice_pdf ?? null,
    hostedInvoiceUrl: ['open', 'uncollectible'].includes(`${found.status}`) ? (found.hosted_invoice_url ?? null) : null,
  }
}

/** Stripe's id of the subscription of an invoice; null for an invoice without a subscription. */
export function subscriptionIdOf({ parent }: Stripe.Invoice): string | null {
  return idOf(parent?.subscription_details?.subscription)
}

export function paymentMethodFrom(found: Stripe.PaymentMethod, preferred: string | null): Partial<PaymentMethod> {
  const { card, sepa_debit: account } = found
  return {
    externalId: found.id,
    type: found.type,
    brand: card?.display_brand ?? card?.brand ?? null,
    last4: card?.last4 ?? account?.last4 ?? null,
    expiryMonth: card?.exp_month ?? null,
    expiryYear: card?.exp_year ?? null,
    preferred: found.id === preferred,
  }
}

/** The payment method to which a customer's invoices are charged unless the subscription names another. */
export function defaultPaymentMethodOf(customer: Stripe.Customer): string | null {
  return idOf(customer.invoice_settings?.default_payment_method)
}

/** The id of the subscription's row, which this server stores in the metadata at Stripe. */
export function localIdOf({ metadata }: Stripe.Subscription): Subscription['id'] | undefined {
  return metadata?.subscription
}

/** Whether a code belongs to the only discount of a subscription. Promotion codes ignore case. */
export function hasCode(found: Stripe.Subscription, code: string): boolean {
  const [discount, ...others] = found.discounts ?? []
  if (typeof discount !== 'object' || others.length > 0) return false
  const current = couponOf(found)
  return current === code || (discount.promotion_code !== null && current?.toLowerCase() === code.toLowerCase())
}

/** Whether a subscription has this discount and no other. */
export function hasDiscount(
  { discounts }: Stripe.Subscription,
  { coupon, promotion_code }: Stripe.SubscriptionUpdateParams.Discount,
): boolean {
  if (discounts?.length !== 1 || typeof discounts[0] !== 'object') return false
  const [{ promotion_code: promotion, source }] = discounts
  return promotion_code ? idOf(promotion) === promotion_code : !promotion && idOf(source?.coupon) === coupon
}
