import type Stripe from 'stripe'
import { ConstraintViolation } from '../../hydra/index.ts'
import { type Billing, subscriptionExpand } from '../billing.ts'
import { idOf } from './from-stripe.ts'
import { requestStripe, withIdempotencyKeys } from './stripe-request.ts'

type Discount = Stripe.SubscriptionUpdateParams.Discount

/** A coupon or promotion code that was deleted at Stripe meanwhile is a code that cannot be used. */
const origins = { '': 'code', coupon: 'code', promotion: 'code', id: 'code' }

/** Replaces all discounts of a subscription by one; without a discount it removes them. */
export function setDiscount(billing: Billing, id: string, discount: Discount | undefined, key: string) {
  // The client omits an empty array from the request, and the discount would stay; an empty string removes it.
  const params: Stripe.SubscriptionUpdateParams = { discounts: discount ? [discount] : '', expand: subscriptionExpand }
  return withIdempotencyKeys(`${key}:discount`, (options) =>
    requestStripe('subscription', billing.stripe.subscriptions.update(id, params, options), { discounts: 'code' }),
  ).catch(async (problem) => {
    throw await billing.endedOr(id, problem)
  })
}

/** Resolves a code: the promotion code of this customer, else a promotion code for all customers, else a coupon. */
export async function findDiscount({ stripe }: Billing, code: string, customer: string): Promise<Discount | undefined> {
  const { promotionCodes } = stripe
  // Many customers can have a code of the same text, and a page holds a hundred: this customer's code is listed separately.
  const [own, all] = await Promise.all([
    requestStripe('list', promotionCodes.list({ code, active: true, customer, limit: 1 })),
    requestStripe('list', promotionCodes.list({ code, active: true, limit: 100 })),
  ])
  const promotion = own.data[0] ?? all.data.find((one) => !one.customer)
  if (promotion) return { promotion_code: promotion.id }
  const coupon = await requestStripe('coupon', stripe.coupons.retrieve(code), {
    '': 'code',
    coupon: 'code',
  }).catch((problem) => {
    if (problem instanceof ConstraintViolation) return undefined
    throw problem
  })
  return coupon?.valid ? { coupon: coupon.id } : undefined
}

/**
 * Whether a customer has already redeemed a discount of limited duration. A coupon counts the redemptions of all customers
 * together, so the customer's invoices decide: each names its discounts. A promotion code that is restricted to one customer
 * and has a limit of redemptions is left to Stripe.
 */
export async function isAlreadyRedeemed(
  { stripe }: Billing,
  customer: string,
  { coupon: id, promotion_code }: Discount,
): Promise<boolean> {
  const promotion = promotion_code
    ? await requestStripe('promotion_code', stripe.promotionCodes.retrieve(promotion_code), origins)
    : undefined
  if (promotion?.customer && promotion.max_redemptions) return false
  const couponId = idOf(promotion ? promotion.promotion?.coupon : id)
  if (!couponId) return false
  const { duration } = await requestStripe('coupon', stripe.coupons.retrieve(couponId), origins)
  if (duration === 'forever') return false
  for (let after: string | undefined; ; ) {
    const params = { customer, limit: 100, starting_after: after, expand: ['data.discounts'] }
    const { data, has_more } = await requestStripe('list', stripe.invoices.list(params))
    if (data.some((invoice) => invoice.status !== 'void' && couponsOf(invoice).includes(couponId))) return true
    if (!has_more || data.length === 0) return false
    after = data.at(-1)?.id
  }
}

/** The coupons of an invoice, including those of discounts that were removed from the subscription since. */
function couponsOf({ discounts }: Stripe.Invoice): string[] {
  return (discounts ?? []).flatMap((discount) => {
    const coupon = typeof discount === 'object' ? idOf(discount.source?.coupon) : null
    return coupon ? [coupon] : []
  })
}
