import type { Params } from '../http/form.ts'
import type { Account } from './account.ts'
import { createCoupon, createPromotionCode } from './new-coupon.ts'
import { createPrice, createProduct } from './new-price.ts'

const seat = { monthly: 1200, yearly: 12_000 }
const modules = [900, 1500, 1900, 2400].map((monthly) => ({ monthly, yearly: monthly * 10 }))

const coupons: Params[] = [
  { id: 'WELCOME25', name: 'A quarter off the first invoice', percent_off: '25', duration: 'once' },
  { id: 'LOYAL10', name: 'A tenth off', percent_off: '10', duration: 'forever' },
  {
    id: 'FIVEOFF',
    name: 'Five euros off',
    amount_off: '500',
    currency: 'eur',
    duration: 'repeating',
    duration_in_months: '3',
  },
  { id: 'BYGONE', name: 'Over', percent_off: '50', duration: 'once' },
  { id: 'GONE', name: 'Used up', percent_off: '50', duration: 'once', max_redemptions: '1' },
]

/** Creates monthly and yearly prices for the seat and each module, and some coupons and promotion codes. */
export function seedAccount(account: Account, names: string[]): void {
  addProduct(account, 'Seat', 'seat', seat)
  names.forEach((name, place) => {
    addProduct(account, `${name[0].toUpperCase()}${name.slice(1)}`, `module_${name}`, modules[place % modules.length])
  })
  for (const params of coupons) createCoupon(account, params)
  invalidateCoupons(account)
  for (const [code, coupon, active] of [
    ['SPRING', 'WELCOME25', 'true'],
    ['FRIENDS', 'LOYAL10', 'true'],
    ['LATE', 'WELCOME25', 'false'],
  ]) {
    createPromotionCode(account, { code, active, promotion: { type: 'coupon', coupon } })
  }
}

function addProduct(account: Account, name: string, key: string, amounts: { monthly: number; yearly: number }): void {
  const product = createProduct(account, {
    name,
    metadata: key === 'seat' ? {} : { module: key.slice('module_'.length) },
  })
  for (const [period, interval] of [
    ['monthly', 'month'],
    ['yearly', 'year'],
  ] as const) {
    const price = createPrice(account, {
      product: product.id,
      currency: 'eur',
      unit_amount: String(amounts[period]),
      lookup_key: `${key}_${period}`,
      recurring: { interval },
    })
    product.default_price ??= price.id
  }
}

function invalidateCoupons(account: Account): void {
  const [bygone, gone] = ['BYGONE', 'GONE'].map((id) => account.store.find('coupon', id))
  if (bygone) Object.assign(bygone, { redeem_by: account.now() - 86_400, valid: false })
  if (gone) Object.assign(gone, { times_redeemed: 1, valid: false })
}
