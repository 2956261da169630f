import { invalidRequest, resourceMissing } from '../http/api-error.ts'
import type { Params } from '../http/form.ts'
import { hashes, text } from '../http/parameter-values.ts'
import type { Account } from '../objects/account.ts'
import type { InvoiceLine, Subscription } from '../objects/billing-objects.ts'
import { addInterval } from '../objects/clock.ts'
import type { Coupon, Discount, PromotionCode } from '../objects/objects.ts'

/** The discounts that a request asks for: new ones by coupon or code, or old ones to be kept. */
export function redeemDiscounts(account: Account, subscription: Subscription, params: Params): string[] {
  return hashes(params, 'discounts').map((wanted, place) => {
    const param = `discounts[${place}]`
    const kept = text(wanted, 'discount')
    if (kept) return keepDiscount(subscription, kept, `${param}[discount]`)
    const code = text(wanted, 'promotion_code')
    const promotion = code ? requirePromotionCode(account, subscription, code, `${param}[promotion_code]`) : null
    const coupon = promotion?.promotion.coupon ?? text(wanted, 'coupon')
    if (!coupon) throw invalidRequest('You must provide one of: coupon, promotion_code, discount.', { param })
    return createDiscount(account, subscription, coupon, promotion, `${param}[coupon]`).id
  })
}

function keepDiscount(subscription: Subscription, id: string, param: string): string {
  if (subscription.discounts.includes(id)) return id
  throw resourceMissing('discount', id, param)
}

function requirePromotionCode(account: Account, { customer }: Subscription, id: string, param: string): PromotionCode {
  const promotion = account.store.find('promotion_code', id)
  if (!promotion) throw resourceMissing('promotion code', id, param)
  if (!promotion.active) throw invalidRequest('This promotion code is inactive.', { param })
  if (promotion.expires_at && promotion.expires_at <= account.now()) {
    throw invalidRequest('This promotion code is expired.', { param })
  }
  if (promotion.customer && promotion.customer !== customer) {
    throw invalidRequest('This promotion code cannot be redeemed by this customer.', { param })
  }
  if (promotion.max_redemptions && promotion.times_redeemed >= promotion.max_redemptions) {
    throw invalidRequest('This promotion code has been used the maximum number of times.', { param })
  }
  return promotion
}

function createDiscount(
  account: Account,
  { id, customer, currency }: Subscription,
  wanted: string,
  promotion: PromotionCode | null,
  param: string,
): Discount {
  const coupon = account.store.find('coupon', wanted)
  if (!coupon) throw resourceMissing('coupon', wanted, param)
  checkCoupon(account, coupon, currency, param)
  account.store.change(coupon, () => {
    coupon.times_redeemed++
    coupon.valid = !coupon.max_redemptions || coupon.times_redeemed < coupon.max_redemptions
  })
  if (promotion) account.store.change(promotion, () => promotion.times_redeemed++)
  const start = account.now()
  const discount: Discount = {
    id: account.ids.next('di_'),
    object: 'discount',
    checkout_session: null,
    customer,
    customer_account: null,
    end: coupon.duration === 'repeating' ? addInterval(start, 'month', coupon.duration_in_months ?? 1) : null,
    invoice: null,
    invoice_item: null,
    promotion_code: promotion?.id ?? null,
    source: { coupon: coupon.id, type: 'coupon' },
    start,
    subscription: id,
    subscription_item: null,
  }
  return account.add(discount, 'customer.discount.created')
}

function checkCoupon(account: Account, coupon: Coupon, currency: string, param: string): void {
  if (coupon.redeem_by && coupon.redeem_by <= account.now()) {
    throw invalidRequest(`Coupon expired: ${coupon.id}`, { code: 'coupon_expired', param })
  }
  if (!coupon.valid) {
    throw invalidRequest(`Coupon ${coupon.id} is used up and cannot be applied.`, { code: 'coupon_expired', param })
  }
  if (coupon.currency && coupon.currency !== currency) {
    throw invalidRequest(
      `The coupon's currency (${coupon.currency}) must match the subscription's currency (${currency}) to be applied.`,
      { param },
    )
  }
}

/** Takes discounts off a subscription; invoices that had them still show them. */
export function endDiscounts(account: Account, subscription: Subscription, ended: (id: string) => boolean): void {
  const gone = subscription.discounts.filter(ended)
  if (!gone.length) return
  for (const id of gone) {
    const discount = account.store.find('discount', id)
    if (discount) account.emit('customer.discount.deleted', discount)
  }
  account.update(subscription, () => {
    subscription.discounts = subscription.discounts.filter((id) => !gone.includes(id))
  })
}

export function couponOf(account: Account, discount: string): Coupon | undefined {
  return account.store.find('coupon', account.store.find('discount', discount)?.source.coupon)
}

/** Takes each discount in turn off what is left of the lines, in whole cents; the last line bears what rounding leaves. */
export function applyDiscounts(
  account: Account,
  lines: InvoiceLine[],
  discounts: string[],
): { amount: number; discount: string }[] {
  const left = new Map(lines.map((line) => [line, line.amount]))
  return discounts.map((discount) => {
    const coupon = couponOf(account, discount)
    const bearing = lines.filter((line) => (left.get(line) ?? 0) > 0)
    const sum = bearing.reduce((total, line) => total + (left.get(line) ?? 0), 0)
    const wanted = coupon?.percent_off ? Math.round((sum * coupon.percent_off) / 100) : (coupon?.amount_off ?? 0)
    const amount = Math.min(wanted, sum)
    let rest = amount
    bearing.forEach((line, place) => {
      const own = left.get(line) ?? 0
      const share = place === bearing.length - 1 ? rest : Math.round((amount * own) / sum)
      rest -= share
      left.set(line, own - share)
      line.discount_amounts.push({ amount: share, discount })
    })
    return { amount, discount }
  })
}
