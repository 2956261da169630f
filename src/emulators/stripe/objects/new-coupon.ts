import { invalidRequest } from '../http/api-error.ts'
import type { Params } from '../http/form.ts'
import { flag, hash, mergeMetadata, number, text, textOrNull } from '../http/parameter-values.ts'
import { requireObject } from '../http/route.ts'
import type { Account } from './account.ts'
import type { Coupon, PromotionCode } from './objects.ts'

export function createCoupon(account: Account, params: Params): Coupon {
  const id = text(params, 'id') || account.ids.letters(8)
  const [percent_off, amount_off] = [number(params, 'percent_off') ?? null, number(params, 'amount_off') ?? null]
  const duration = (text(params, 'duration') || 'once') as Coupon['duration']
  const months = number(params, 'duration_in_months') ?? null
  if (account.store.find('coupon', id)) {
    throw invalidRequest(`Coupon already exists.`, { code: 'resource_already_exists', param: 'id' })
  }
  if ((percent_off === null) === (amount_off === null)) {
    throw invalidRequest('You must pass either `percent_off` or `amount_off`.')
  }
  if (percent_off !== null && !(percent_off > 0 && percent_off <= 100)) {
    throw invalidRequest('Invalid percent_off: must be greater than 0 and at most 100', { param: 'percent_off' })
  }
  if (amount_off !== null && !text(params, 'currency')) {
    throw invalidRequest('You must pass currency when passing amount_off.', {
      code: 'parameter_missing',
      param: 'currency',
    })
  }
  if (amount_off !== null && duration === 'forever') {
    throw invalidRequest('Coupons with `amount_off` cannot have a `duration` of `forever`.', { param: 'duration' })
  }
  if ((duration === 'repeating') !== (months !== null)) {
    throw invalidRequest('`duration_in_months` goes with a `duration` of `repeating`, and only with it.', {
      param: 'duration_in_months',
    })
  }
  const coupon: Coupon = {
    id,
    object: 'coupon',
    amount_off,
    created: account.now(),
    currency: text(params, 'currency')?.toLowerCase() ?? null,
    duration,
    duration_in_months: months,
    livemode: false,
    max_redemptions: number(params, 'max_redemptions') ?? null,
    metadata: mergeMetadata({}, params),
    name: textOrNull(params, 'name'),
    percent_off,
    redeem_by: number(params, 'redeem_by') ?? null,
    times_redeemed: 0,
    valid: true,
  }
  return account.add(coupon, 'coupon.created')
}

export function createPromotionCode(account: Account, params: Params): PromotionCode {
  const coupon = requireObject(account, 'coupon', text(hash(params, 'promotion'), 'coupon') ?? '', 'promotion[coupon]')
  const code = text(params, 'code') || account.ids.letters(8).toUpperCase()
  const active = flag(params, 'active') ?? true
  const customer = textOrNull(params, 'customer')
  if (customer) requireObject(account, 'customer', customer, 'customer')
  for (const other of account.store.all('promotion_code')) {
    const same = other.code.toLowerCase() === code.toLowerCase() && other.customer === customer
    if (active && other.active && same) {
      throw invalidRequest(`An active promotion code with \`code: ${code}\` already exists.`, { param: 'code' })
    }
  }
  const promotion: PromotionCode = {
    id: account.ids.next('promo_'),
    object: 'promotion_code',
    active,
    code,
    created: account.now(),
    customer,
    customer_account: null,
    expires_at: number(params, 'expires_at') ?? null,
    livemode: false,
    max_redemptions: number(params, 'max_redemptions') ?? null,
    metadata: mergeMetadata({}, params),
    promotion: { coupon: coupon.id, type: 'coupon' },
    restrictions: { first_time_transaction: false, minimum_amount: null, minimum_amount_currency: null },
    times_redeemed: 0,
  }
  return account.add(promotion, 'promotion_code.created')
}
