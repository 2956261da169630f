import { stripeCustomer } from '../../support/billing/billing.ts'
import {
  dashboard,
  deliverEvents,
  eventuallyMatches,
  type Subscribed,
  serverRequests,
  serverRequestsWithoutSyncs,
  subscribed,
  violationsOf,
} from '../../support/billing/stripe.ts'
import { eventsAbout } from '../../support/rows/audit-events.ts'
import { openWorld } from '../../support/world.ts'

const { as, billing, elsewhere, foundTenant, operator, stripe } = await openWorld()

beforeAll(deliverEvents)
afterEach(() => stripe.clearFaults())

const apply = ({ api }: Pick<Subscribed, 'api'>, code: string, more: object = {}) =>
  api.post('/subscriptions/apply-coupon', { code, ...more })
const clear = ({ api }: Pick<Subscribed, 'api'>, body?: object) => api.post('/subscriptions/clear-coupon', body)
const changes = (since: number) => serverRequests(since).filter(({ method }) => method === 'POST')
const discountsOf = async ({ externalId }: Subscribed) => (await billing.retrieveSubscription(externalId)).discounts

let codes = 0
/** A new coupon, and a promotion code for it. */
async function promotion(values: object = {}): Promise<{ code: string; coupon: string }> {
  const { id: coupon } = await dashboard.coupons.create({ percent_off: 20, duration: 'forever' })
  const code = `CODE${++codes}`
  await dashboard.promotionCodes.create({ promotion: { type: 'coupon', coupon }, code, ...values })
  return { code, coupon }
}

describe('applying a coupon', () => {
  test('adds it to the subscription', async () => {
    const subscriber = await subscribed()
    const since = stripe.requests.length
    const { status, body } = await apply(subscriber, 'LOYAL10')
    expect([status, body['@id'], body.coupon]).toEqual([201, subscriber.path, 'LOYAL10'])
    expect(changes(since).map(({ params }) => params.discounts)).toEqual([[{ coupon: 'LOYAL10' }]])
    expect(await discountsOf(subscriber)).toEqual([
      expect.objectContaining({ source: { type: 'coupon', coupon: 'LOYAL10' } }),
    ])
  })

  test('accepts a promotion code in any case, and shows it as it is stored at Stripe', async () => {
    const subscriber = await subscribed()
    const { code } = await promotion()
    const { status, body } = await apply(subscriber, ` ${code.toLowerCase()} `)
    expect([status, body.coupon]).toEqual([201, code])
    expect(await discountsOf(subscriber)).toEqual([
      expect.objectContaining({ promotion_code: expect.objectContaining({ code }) }),
    ])
  })

  test('adds it to the subscription in the request', async () => {
    const subscriber = await subscribed()
    expect((await apply(subscriber, 'LOYAL10', { subscription: subscriber.path })).status).toBe(201)
    const stranger = await subscribed()
    const foreign = await apply(subscriber, 'LOYAL10', { subscription: stranger.path })
    expect([foreign.status, violationsOf(foreign.body)]).toEqual([422, { subscription: 'unknownReference' }])
  })

  test.each(['coupon', 'promotion code'])('returns 200 for the same %s again, and sends no request', async (kind) => {
    const subscriber = await subscribed()
    const { code, coupon } = await promotion()
    const typed = kind === 'coupon' ? coupon : code
    const first = await apply(subscriber, typed)
    const since = stripe.requests.length
    const again = await apply(subscriber, typed)
    expect([first.status, again.status, again.body.coupon]).toEqual([201, 200, typed])
    expect(changes(since)).toEqual([])
    expect(await discountsOf(subscriber)).toHaveLength(1)
  })

  test('returns 200 for the same code again, even when it has reached its limit', async () => {
    const subscriber = await subscribed()
    const { id } = await dashboard.coupons.create({ percent_off: 50, duration: 'forever', max_redemptions: 1 })
    expect((await apply(subscriber, id)).status).toBe(201)
    expect((await apply(subscriber, id)).status).toBe(200)
    expect((await apply(await subscribed(), id)).status).toBe(422)
  })

  test('replaces another coupon', async () => {
    const subscriber = await subscribed()
    await apply(subscriber, 'LOYAL10')
    const { status, body } = await apply(subscriber, 'FRIENDS')
    expect([status, body.coupon]).toEqual([201, 'FRIENDS'])
    expect((await apply(subscriber, 'WELCOME25')).body.coupon).toBe('WELCOME25')
    expect(await discountsOf(subscriber)).toHaveLength(1)
  })

  test('prefers a promotion code of the customer to one of the same text for all customers', async () => {
    const [one, other, third] = [await subscribed(), await subscribed(), await subscribed()]
    const code = 'SHARED'
    const coupons: string[] = []
    for (const customer of [undefined, one.customer, other.customer]) {
      const { id: coupon } = await dashboard.coupons.create({ percent_off: 20, duration: 'forever' })
      coupons.push(coupon)
      await dashboard.promotionCodes.create({
        promotion: { type: 'coupon', coupon },
        code,
        ...(customer && { customer }),
      })
    }
    for (const [subscriber, coupon] of [
      [one, coupons[1]],
      [other, coupons[2]],
      [third, coupons[0]],
    ] as const) {
      const { status, body } = await apply(subscriber, code.toLowerCase())
      expect([status, body.coupon]).toEqual([201, code])
      expect(await discountsOf(subscriber)).toEqual([expect.objectContaining({ source: { type: 'coupon', coupon } })])
    }
  })

  test('replaces several discounts that were added at Stripe', async () => {
    const subscriber = await subscribed()
    await dashboard.subscriptions.update(subscriber.externalId, {
      discounts: [{ coupon: 'LOYAL10' }, { coupon: 'WELCOME25' }],
    })
    const { status, body } = await apply(subscriber, 'LOYAL10')
    expect([status, body.coupon]).toEqual([201, 'LOYAL10'])
    expect(await discountsOf(subscriber)).toHaveLength(1)
  })

  test('rejects every unusable code with the same error', async () => {
    const subscriber = await subscribed()
    await apply(subscriber, 'LOYAL10')
    const past = Math.floor(Date.now() / 1000) - 60
    const other = await subscribed()
    const { id: dollars } = await dashboard.coupons.create({ amount_off: 100, currency: 'usd', duration: 'once' })
    const codes = [
      'NOSUCHTHING',
      'BYGONE',
      'GONE',
      'LATE',
      (await promotion({ expires_at: past })).code,
      (await promotion({ customer: other.customer })).code,
      dollars,
      '../coupons',
      '..',
      '?limit=1',
      '%00',
      'été 🎈',
      'x'.repeat(255),
    ]
    const answers = []
    for (const code of codes) {
      const { status, body } = await apply(subscriber, code)
      answers.push({ code, status, violations: violationsOf(body), detail: body.detail })
    }
    const [{ detail }] = answers
    expect(detail).toMatch(/^code: .*mistyped, expired or already redeemed/)
    expect(answers).toEqual(codes.map((code) => ({ code, status: 422, violations: { code: 'isUsable' }, detail })))
    expect((await subscriber.api.get(subscriber.path)).body.coupon).toBe('LOYAL10')
  })

  test.each([
    ['once', { duration: 'once' }, 1],
    ['for some months', { duration: 'repeating', duration_in_months: 2 }, 3],
  ] as const)('accepts a coupon that lasts %s once for each customer', async (_, terms, months) => {
    const subscriber = await subscribed()
    const { id: coupon } = await dashboard.coupons.create({ percent_off: 20, ...terms })
    await dashboard.promotionCodes.create({ promotion: { type: 'coupon', coupon }, code: `ONE${coupon}` })
    for (const code of [coupon, 'LOYAL10', `ONE${coupon}`]) expect((await apply(subscriber, code)).status).toBe(201)
    stripe.advance({ days: 31 * months + 1 })
    await eventuallyMatches(subscriber, subscriber.path, { coupon: null })
    for (const code of [coupon, `ONE${coupon}`]) {
      const { status, body } = await apply(subscriber, code)
      expect([status, violationsOf(body)]).toEqual([422, { code: 'isUsable' }])
    }
    const { id: another } = await dashboard.coupons.create({ percent_off: 20, ...terms })
    expect((await apply(subscriber, another)).status).toBe(201)
    expect((await apply(await subscribed(), coupon)).status).toBe(201)
  })

  test('accepts a code of one customer as often as its limit says', async () => {
    const subscriber = await subscribed()
    const { id: coupon } = await dashboard.coupons.create({ percent_off: 20, duration: 'once' })
    const own = { customer: subscriber.customer, max_redemptions: 2, code: `TWICE${coupon}` }
    await dashboard.promotionCodes.create({ promotion: { type: 'coupon', coupon }, ...own })
    for (const expected of [201, 201, 422]) {
      expect((await apply(subscriber, own.code)).status).toBe(expected)
      stripe.advance({ days: 32 })
      await eventuallyMatches(subscriber, subscriber.path, { coupon: null })
    }
  })

  test('discounts the next invoices until the coupon ends', async () => {
    const subscriber = await subscribed({ seats: 10 })
    expect((await apply(subscriber, 'WELCOME25')).body.coupon).toBe('WELCOME25')
    stripe.advance({ days: 32 })
    await eventuallyMatches(subscriber, subscriber.path, { status: 'active', coupon: null })
    const { body } = await subscriber.api.get(`${subscriber.path}/invoices`)
    expect(body.member.map(({ total }: { total: number }) => total)).toEqual([9000, 12_000])
  })

  test('does not report a failure of Stripe as an unusable code', async () => {
    const subscriber = await subscribed()
    stripe.fault({ kind: 'status', status: 500, path: '/v1/coupons', times: 2 })
    expect((await apply(subscriber, 'LOYAL10')).status).toBe(502)
    stripe.fault({ kind: 'status', status: 429, path: '/v1/promotion_codes' })
    expect((await apply(subscriber, 'LOYAL10')).status).toBe(503)
    expect((await subscriber.api.get(subscriber.path)).body.coupon).toBeNull()
  })

  test('twice at the same time keeps one of the two', async () => {
    const subscriber = await subscribed()
    const answers = await Promise.all(['LOYAL10', 'FRIENDS', 'LOYAL10'].map((code) => apply(subscriber, code)))
    expect(answers.every(({ status }) => status < 300)).toBe(true)
    const [discount, ...others] = (await discountsOf(subscriber)) as { promotion_code: unknown }[]
    expect(others).toEqual([])
    await eventuallyMatches(subscriber, subscriber.path, { coupon: discount.promotion_code ? 'FRIENDS' : 'LOYAL10' })
  })

  test('twice with the same key takes effect once', async () => {
    const subscriber = await subscribed()
    stripe.fault({ kind: 'lost', method: 'POST', path: `/v1/subscriptions/${subscriber.externalId}`, times: 2 })
    const attempt = () => apply(subscriber, 'LOYAL10').set('Idempotency-Key', `apply-${subscriber.externalId}`)
    expect((await attempt()).status).toBe(503)
    const again = await attempt()
    expect([again.status < 300, again.body.coupon]).toEqual([true, 'LOYAL10'])
    expect((await dashboard.coupons.retrieve('LOYAL10')).times_redeemed).toBeGreaterThan(0)
    expect(await discountsOf(subscriber)).toHaveLength(1)
  })
})

describe('clearing the coupon', () => {
  test('removes every discount', async () => {
    const subscriber = await subscribed()
    await apply(subscriber, 'LOYAL10')
    const since = stripe.requests.length
    const { status, body } = await clear(subscriber)
    expect([status, body['@id'], body.coupon]).toEqual([200, subscriber.path, null])
    expect(changes(since).map(({ params }) => params.discounts)).toEqual([''])
    expect(await discountsOf(subscriber)).toEqual([])
    const again = await clear(subscriber, { subscription: subscriber.path })
    expect([again.status, again.body.coupon]).toEqual([200, null])
  })
})

describe('applying and clearing are refused with 409', () => {
  const both = async (customer: Pick<Subscribed, 'api'>) => [await apply(customer, 'LOYAL10'), await clear(customer)]

  test('without a live subscription', async () => {
    const none = await stripeCustomer()
    const ended = await subscribed()
    await ended.api.post(`${ended.path}/cancel`, { immediately: true })
    const since = stripe.requests.length
    for (const { status, body } of [...(await both(none)), ...(await both(ended))])
      expect([status, body.detail]).toEqual([409, expect.stringMatching(/no live subscription/)])
    expect(serverRequestsWithoutSyncs(since)).toEqual([])
  })

  test('while the first payment is pending', async () => {
    const subscriber = await stripeCustomer()
    const { body } = await subscriber.api.post('/subscriptions')
    for (const name of ['applyCoupon', 'clearCoupon']) expect(body).not.toHaveProperty(name)
    for (const { status, body } of await both(subscriber))
      expect([status, body.detail]).toEqual([409, expect.stringMatching(/first payment/)])
  })

  test('with manual billing', async () => {
    const tenant = await foundTenant('Byhand', 'by-hand-coupons')
    for (const { status } of await both({ api: as(tenant.users.owner) })) expect(status).toBe(409)
  })
})

test('applying and clearing are for owners and admins', async () => {
  const { tenant } = await subscribed()
  const { member, admin } = tenant.users
  for (const [user, status] of [
    [member, 403],
    [operator, 403],
    [elsewhere.users.owner, 409],
  ] as const) {
    expect((await apply({ api: as(user) }, 'LOYAL10')).status).toBe(status)
    expect((await clear({ api: as(user) })).status).toBe(status)
  }
  expect((await apply({ api: as(admin) }, 'LOYAL10')).status).toBe(201)
  expect((await clear({ api: as(admin) })).status).toBe(200)
})

test('both are in the audit log when something changed', async () => {
  const subscriber = await subscribed()
  for (const _ of [1, 2]) await apply(subscriber, 'LOYAL10')
  for (const _ of [1, 2]) await clear(subscriber)
  const events = await eventsAbout(subscriber.path)
  expect(events.map(({ action, changes }) => [action, changes.coupon])).toEqual([
    ['subscription.create', undefined],
    ['subscription.applyCoupon', [null, 'LOYAL10']],
    ['subscription.clearCoupon', ['LOYAL10', null]],
  ])
})
