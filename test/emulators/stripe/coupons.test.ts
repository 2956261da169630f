import type Stripe from 'stripe'
import { startLocalStripe } from '../../../src/emulators/stripe/server.ts'
import { clientOf, refusal } from './local-client.ts'

const local = await startLocalStripe()
const stripe = clientOf(local)
afterAll(() => local.stop())

const [seat] = (await stripe.prices.list({ lookup_keys: ['seat_monthly'] })).data

async function subscribed(discounts: Stripe.SubscriptionCreateParams.Discount[] = []) {
  const { id: customer } = await stripe.customers.create({ payment_method: 'pm_card_visa' })
  const [method] = (await stripe.customers.listPaymentMethods(customer)).data
  const items = [{ price: seat.id, quantity: 3 }]
  return stripe.subscriptions.create({ customer, items, discounts, default_payment_method: method.id })
}

const totalsOf = async ({ id }: { id: string }) =>
  (await stripe.invoices.list({ subscription: id })).data.map(({ total }) => total).reverse()

const couponsOf = async ({ id }: { id: string }) => {
  const { discounts } = await stripe.subscriptions.retrieve(id, { expand: ['discounts'] })
  return discounts.map((discount) => (discount as Stripe.Discount).source.coupon)
}

test('a coupon for ever lowers every invoice', async () => {
  const subscription = await subscribed([{ coupon: 'LOYAL10' }])
  local.advance({ days: 63 })

  expect(await totalsOf(subscription)).toEqual([3240, 3240, 3240])
  expect(await couponsOf(subscription)).toEqual(['LOYAL10'])
})

test('a coupon for once lowers one invoice, the next there is', async () => {
  const subscription = await subscribed()
  await stripe.subscriptions.update(subscription.id, { discounts: [{ coupon: 'WELCOME25' }] })
  const waiting = await couponsOf(subscription)
  local.advance({ days: 63 })

  expect(waiting).toEqual(['WELCOME25'])
  expect(await totalsOf(subscription)).toEqual([3600, 2700, 3600])
  expect(await couponsOf(subscription)).toEqual([])
})

test('a coupon for three months lowers three', async () => {
  const subscription = await subscribed([{ coupon: 'FIVEOFF' }])
  local.advance({ days: 125 })

  expect(await totalsOf(subscription)).toEqual([3100, 3100, 3100, 3600, 3600])
})

test('coupons add up, one after the other', async () => {
  const subscription = await subscribed([{ coupon: 'LOYAL10' }, { coupon: 'FIVEOFF' }])
  const { latest_invoice } = await stripe.subscriptions.retrieve(subscription.id, { expand: ['latest_invoice'] })

  expect(latest_invoice).toMatchObject({
    subtotal: 3600,
    total: 2740,
    total_discount_amounts: [{ amount: 360 }, { amount: 500 }],
  })
})

test('new ones take the place of old ones, none are left by an empty text, and an empty list changes nothing', async () => {
  const { id } = await subscribed([{ coupon: 'LOYAL10' }])
  await stripe.subscriptions.update(id, { discounts: [] })
  const before = await couponsOf({ id })
  await stripe.subscriptions.update(id, { discounts: [{ coupon: 'FIVEOFF' }] })
  const replaced = await couponsOf({ id })
  await stripe.subscriptions.update(id, { discounts: '' })

  expect([before, replaced, await couponsOf({ id })]).toEqual([['LOYAL10'], ['FIVEOFF'], []])
})

test('an old one can be kept beside a new one, and the discount be taken off', async () => {
  const { id, discounts } = await subscribed([{ coupon: 'LOYAL10' }])
  await stripe.subscriptions.update(id, {
    discounts: [{ discount: discounts[0] as string }, { coupon: 'FIVEOFF' }],
  })
  const both = await couponsOf({ id })
  await stripe.subscriptions.deleteDiscount(id)

  expect([both, await couponsOf({ id })]).toEqual([['LOYAL10', 'FIVEOFF'], ['LOYAL10']])
})

test('a promotion code stands for its coupon', async () => {
  const [promotion] = (await stripe.promotionCodes.list({ code: 'friends', active: true, limit: 1 })).data
  const subscription = await subscribed([{ promotion_code: promotion.id }])

  expect(promotion).toMatchObject({ code: 'FRIENDS', promotion: { type: 'coupon', coupon: 'LOYAL10' } })
  expect(await totalsOf(subscription)).toEqual([3240])
  expect((await stripe.promotionCodes.list({ code: 'LATE', active: true })).data).toEqual([])
})

test.each([
  ['NOSUCH', 'resource_missing'],
  ['BYGONE', 'coupon_expired'],
  ['GONE', 'coupon_expired'],
])('the coupon %s is refused', async (coupon, code) => {
  const { id } = await subscribed()

  expect(await refusal(stripe.subscriptions.update(id, { discounts: [{ coupon }] }))).toMatchObject({
    statusCode: 400,
    code,
    param: 'discounts[0][coupon]',
  })
})

test('a coupon in another currency is refused', async () => {
  const { id } = await stripe.coupons.create({ amount_off: 500, currency: 'usd', duration: 'once' })

  expect((await refusal(subscribed([{ coupon: id }]))).message).toMatch('currency')
})

test('a coupon is used up by as many as it is for, and says so', async () => {
  const { id } = await stripe.coupons.create({ percent_off: 50, max_redemptions: 1 })
  await subscribed([{ coupon: id }])

  expect(await stripe.coupons.retrieve(id)).toMatchObject({ times_redeemed: 1, valid: false })
  expect((await refusal(subscribed([{ coupon: id }]))).code).toBe('coupon_expired')
  expect(await stripe.coupons.retrieve('BYGONE')).toMatchObject({ valid: false })
})
