import type Stripe from 'stripe'
import type { Billing } from '../billing.ts'
import { requestStripe } from './stripe-request.ts'

/** What has been deleted at Stripe meanwhile is a code that cannot be used. */
const gone = { '': 'code', coupon: 'code', promotion: 'code', id: 'code' }

/**
 * Whether a customer has had a discount of limited duration already. A coupon's own limits count the redemptions of all
 * customers together, so the customer's invoices tell: each names the discounts that it bears. A promotion code that is made
 * for one customer and says how often it can be redeemed is Stripe's to judge.
 */
export async function isAlreadyRedeemed(
  { stripe }: Billing,
  customer: string,
  { coupon: id, promotion_code }: Stripe.SubscriptionUpdateParams.Discount,
): Promise<boolean> {
  const promotion = promotion_code
    ? await requestStripe('promotion_code', stripe.promotionCodes.retrieve(promotion_code), gone)
    : undefined
  if (promotion?.customer && promotion.max_redemptions) return false
  const wanted = idOf(promotion ? promotion.promotion?.coupon : id)
  if (!wanted) return false
  const { duration } = await requestStripe('coupon', stripe.coupons.retrieve(wanted), gone)
  if (duration === 'forever') return false
  for (let after: string | undefined; ; ) {
    const wish = { customer, limit: 100, starting_after: after, expand: ['data.discounts'] }
    const { data, has_more } = await requestStripe('list', stripe.invoices.list(wish))
    if (data.some((invoice) => invoice.status !== 'void' && couponsOf(invoice).includes(wanted))) return true
    if (!has_more || data.length === 0) return false
    after = data.at(-1)?.id
  }
}

/** The coupons that an invoice bears; a discount that is off the subscription by now is named as well. */
function couponsOf({ discounts }: Stripe.Invoice): string[] {
  return (discounts ?? []).flatMap((discount) => {
    const coupon = typeof discount === 'object' ? idOf(discount.source?.coupon) : undefined
    return coupon ? [coupon] : []
  })
}

function idOf(reference: string | { id: string } | null | undefined): string | undefined {
  return typeof reference === 'string' ? reference : reference?.id
}
