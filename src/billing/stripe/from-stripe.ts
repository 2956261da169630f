import type Stripe from 'stripe'
import type { Invoice, PaymentMethod, Subscription } from '../../../entities/index.ts'
import type { StripeState } from '../../../entities/subscription.ts'
import { catalogueNameOf, otherProductName, type Products } from './subscription-items.ts'

const idOf = (reference: string | { id: string } | null | undefined): string | null =>
  typeof reference === 'string' ? reference : (reference?.id ?? null)

/** Stripe tells time in whole seconds since 1970. */
const dateOf = (seconds: number | null | undefined): Date | null =>
  typeof seconds === 'number' ? new Date(seconds * 1000) : null

/**
 * What Stripe says of a subscription, in our words.
 * @param known the ids of the organization's payment methods by those that Stripe has for them
 */
export function subscriptionFrom(
  found: Stripe.Subscription,
  known: Map<string, string>,
  products: Products,
): Partial<StripeState> {
  const lines = found.items.data.map((item) => ({ name: catalogueNameOf(item, products), item }))
  const seats = lines.filter(({ name }) => name === 'seat').map(({ item }) => item)
  const taken = seats.reduce((sum, { quantity }) => sum + (quantity ?? 0), 0)
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
    paymentMethodId: (paymentMethod && known.get(paymentMethod)) || null,
    ...(taken > 0 && { seats: taken }),
    ...(period && { type: period === 'year' ? 'yearly' : 'monthly' }),
  }
}

/** The code of the discount on it: what was typed where that was a promotion code, else the coupon's id. */
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

/** Which subscription an invoice is for; null when it is for none. */
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

/** The payment method that a customer's invoices are charged to when nothing else is said. */
export function defaultPaymentMethodOf(customer: Stripe.Customer): string | null {
  return idOf(customer.invoice_settings?.default_payment_method)
}

/** Which of our rows Stripe was told that a subscription belongs to. */
export function localIdOf({ metadata }: Stripe.Subscription): Subscription['id'] | undefined {
  return metadata?.subscription
}

/** Whether a code, as it is typed, is for the one discount on a subscription; of promotion codes the case does not matter. */
export function hasCode(found: Stripe.Subscription, code: string): boolean {
  const [discount, ...others] = found.discounts ?? []
  if (typeof discount !== 'object' || others.length > 0) return false
  const known = couponOf(found)
  return known === code || (discount.promotion_code !== null && known?.toLowerCase() === code.toLowerCase())
}

/** Whether a discount is on a subscription, and nothing else is. */
export function hasDiscount(
  { discounts }: Stripe.Subscription,
  { coupon, promotion_code }: Stripe.SubscriptionUpdateParams.Discount,
): boolean {
  if (discounts?.length !== 1 || typeof discounts[0] !== 'object') return false
  const [{ promotion_code: promotion, source }] = discounts
  return promotion_code ? idOf(promotion) === promotion_code : !promotion && idOf(source?.coupon) === coupon
}
