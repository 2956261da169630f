import { listPage, listParameters } from '../http/list-pages.ts'
import { flag, text } from '../http/parameter-values.ts'
import { pathObject, type Route } from '../http/route.ts'
import type { Account } from '../objects/account.ts'
import { createCoupon, createPromotionCode } from '../objects/new-coupon.ts'
import type { Coupon } from '../objects/objects.ts'

export const coupons: Route[] = [
  {
    method: 'POST',
    path: '/v1/coupons',
    parameters:
      'id name percent_off amount_off currency duration duration_in_months max_redemptions redeem_by metadata',
    handle: ({ account, params }) => createCoupon(account, params),
  },
  {
    method: 'GET',
    path: '/v1/coupons/{coupon}',
    handle: (call) => updateValidity(call.account, pathObject(call, 'coupon')),
  },
  {
    method: 'GET',
    path: '/v1/coupons',
    parameters: listParameters,
    handle({ account, params }) {
      for (const coupon of account.store.all('coupon')) updateValidity(account, coupon)
      return listPage(account, 'coupon', params, '/v1/coupons')
    },
  },
  {
    method: 'POST',
    path: '/v1/promotion_codes',
    parameters: 'promotion code active customer expires_at max_redemptions metadata',
    handle: ({ account, params }) => createPromotionCode(account, params),
  },
  {
    method: 'GET',
    path: '/v1/promotion_codes/{promotion_code}',
    handle: (call) => pathObject(call, 'promotion_code'),
  },
  {
    method: 'GET',
    path: '/v1/promotion_codes',
    parameters: `${listParameters} active code coupon customer`,
    handle({ account, params }) {
      const [code, coupon, customer] = ['code', 'coupon', 'customer'].map((name) => text(params, name))
      const active = flag(params, 'active')
      return listPage(account, 'promotion_code', params, '/v1/promotion_codes', (promotion) => {
        return (
          (!code || promotion.code.toLowerCase() === code.toLowerCase()) &&
          (!coupon || promotion.promotion.coupon === coupon) &&
          (!customer || promotion.customer === customer) &&
          promotion.active === (active ?? promotion.active)
        )
      })
    },
  },
]

/** Whether a coupon still holds is a question of the time as well. */
function updateValidity(account: Account, coupon: Coupon): Coupon {
  const valid = coupon.valid && !(coupon.redeem_by && coupon.redeem_by <= account.now())
  if (valid !== coupon.valid) {
    account.store.change(coupon, () => {
      coupon.valid = valid
    })
  }
  return coupon
}
