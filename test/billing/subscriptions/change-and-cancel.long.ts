import { AuditEvent } from '../../../entities/index.ts'
import { payingCustomer, stripeCustomer } from '../../support/billing/billing.ts'
import {
  confirmIntent,
  dashboard,
  deliverEvents,
  eventuallyMatches,
  modulesOf,
  serverRequests,
  subscribed,
  violationsOf,
} from '../../support/billing/stripe.ts'
import { openWorld } from '../../support/world.ts'

const { as, billing, database, elsewhere, operator, stripe } = await openWorld()

beforeAll(deliverEvents)
afterEach(() => stripe.clearFaults())

describe('updating a subscription', () => {
  test('changes seats and modules by the ids of the items, without duplicate items', async () => {
    const subscriber = await subscribed({ modules: ['planning', 'banking'], seats: 4 })
    const before = await dashboard.subscriptions.retrieve(subscriber.externalId)
    const since = stripe.requests.length
    const { status, body } = await subscriber.api.patch(subscriber.path, {
      seats: 9,
      modules: ['banking', 'reporting'],
    })
    expect(status).toBe(200)
    expect(body).toMatchObject({ seats: 9, modules: ['banking', 'reporting'], status: 'active' })

    const sent = serverRequests(since).find(({ method }) => method === 'POST')
    const [seat, planning] = before.items.data
    expect(sent?.what).toBe(`POST /subscriptions/${subscriber.externalId}`)
    expect(sent?.headers['idempotency-key']).toMatch(/:change:1$/)
    expect(sent?.params).toMatchObject({
      items: [
        { id: seat.id, quantity: '9' },
        { id: planning.id, deleted: 'true' },
        { price: expect.stringMatching(/^price_/), quantity: '1', metadata: { name: 'reporting' } },
      ],
      proration_behavior: 'create_prorations',
    })
    expect(sent?.params).not.toHaveProperty('default_payment_method')
    const { items } = await dashboard.subscriptions.retrieve(subscriber.externalId)
    expect(items.data.map(({ price, quantity }) => [price.lookup_key, quantity])).toEqual([
      ['seat_monthly', 9],
      ['module_banking_monthly', 1],
      ['module_reporting_monthly', 1],
    ])
    expect(await modulesOf(subscriber)).toEqual(['banking', 'reporting'])
  })

  test('starts from the seats that the dashboard of Stripe has set', async () => {
    const subscriber = await subscribed({ seats: 4 })
    const { items } = await dashboard.subscriptions.retrieve(subscriber.externalId)
    await dashboard.subscriptions.update(subscriber.externalId, { items: [{ id: items.data[0].id, quantity: 20 }] })
    await eventuallyMatches(subscriber, subscriber.path, { seats: 20 })
    expect((await subscriber.api.patch(subscriber.path, { seats: 8 })).body.seats).toBe(8)
  })

  test('sends no request for an unchanged subscription', async () => {
    const subscriber = await subscribed({ seats: 4 })
    await eventuallyMatches(subscriber, subscriber.path, { status: 'active' })
    const since = stripe.requests.length
    expect(
      (await subscriber.api.patch(subscriber.path, { seats: 4, modules: [], paymentMethod: subscriber.card })).status,
    ).toBe(200)
    expect(serverRequests(since).filter(({ method }) => method !== 'GET')).toEqual([])
  })

  test('replaces the payment method, but does not remove it', async () => {
    const subscriber = await subscribed()
    const { body: card } = await subscriber.api.post('/payment-methods', { externalId: 'pm_card_amex' })
    const { status, body } = await subscriber.api.patch(subscriber.path, { paymentMethod: card['@id'] })
    expect([status, body.paymentMethod]).toEqual([200, card['@id']])
    expect(await billing.retrieveSubscription(subscriber.externalId)).toMatchObject({
      default_payment_method: card.externalId,
    })

    const bare = await subscriber.api.patch(subscriber.path, { paymentMethod: null })
    expect([bare.status, violationsOf(bare.body)]).toEqual([422, { paymentMethod: 'isNotEmpty' }])
    const stranger = (await payingCustomer()).card
    const foreign = await subscriber.api.patch(subscriber.path, { paymentMethod: stranger })
    expect([foreign.status, violationsOf(foreign.body)]).toEqual([422, { paymentMethod: 'unknownReference' }])
    expect((await subscriber.api.get(subscriber.path)).body.paymentMethod).toBe(card['@id'])
  })

  test('is refused while the first payment is pending', async () => {
    const { api } = await stripeCustomer()
    const { body } = await api.post('/subscriptions')
    const { status, body: problem } = await api.patch(body['@id'], { seats: 9 })
    expect([status, problem.detail]).toEqual([409, expect.stringMatching(/first payment/)])
  })

  test('is refused once the subscription has ended', async () => {
    const subscriber = await subscribed()
    await subscriber.api.post(`${subscriber.path}/cancel`, { immediately: true })
    expect((await subscriber.api.patch(subscriber.path, { seats: 9 })).status).toBe(409)
  })

  test.each([
    [{ kind: 'status', status: 500, times: 4 }, 502],
    [{ kind: 'cut', times: 4 }, 503],
    [{ kind: 'status', status: 429, times: 4 }, 503],
  ] as const)('when Stripe fails with %j returns %i and changes nothing', async (fault, status) => {
    const subscriber = await subscribed({ seats: 4 })
    await stripe.settled()
    await eventuallyMatches(subscriber, `${subscriber.path}/invoices`, { totalItems: 1 })
    const path = `/v1/subscriptions/${subscriber.externalId}`
    for (const ask of [
      () => subscriber.api.patch(subscriber.path, { seats: 9 }),
      () => subscriber.api.post(`${subscriber.path}/cancel`),
      () => subscriber.api.post('/subscriptions/clear-coupon'),
    ]) {
      stripe.fault({ ...fault, method: 'POST', path })
      const answer = await ask()
      stripe.clearFaults()
      expect(answer.status).toBe(status)
      if (status === 503) expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0)
    }
    expect((await subscriber.api.get(subscriber.path)).body).toMatchObject({
      seats: 4,
      cancelAt: null,
      status: 'active',
    })
    expect(await billing.retrieveSubscription(subscriber.externalId)).toMatchObject({ cancel_at: null })
  })

  test.each([
    [{ modules: ['planning'] }, { modules: ['planning'] }],
    [{ modules: [] }, { modules: [] }],
    [{ seats: 7 }, { seats: 8 }],
    [{ seats: 7, modules: ['reporting'] }, { modules: ['planning', 'reporting'] }],
  ])('with %j and %j at the same time applies both, and both sides agree', async (one, other) => {
    const subscriber = await subscribed({ seats: 4, modules: ['banking'] })
    await eventuallyMatches(subscriber, `${subscriber.path}/invoices`, { totalItems: 1 })
    const answers = await Promise.all(
      [one, other, one, other].map((body) => subscriber.api.patch(subscriber.path, body)),
    )
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200])
    const { items } = await dashboard.subscriptions.retrieve(subscriber.externalId)
    const [seat, ...modules] = items.data.map(({ price, quantity }) => [price.lookup_key, quantity])
    await eventuallyMatches(subscriber, subscriber.path, {
      seats: seat[1],
      modules: modules.map(([name]) => /^module_(.*)_monthly$/.exec(`${name}`)?.[1]),
    })
    expect(new Set(items.data.map(({ price }) => price.id)).size).toBe(items.data.length)
  })

  test('with If-Match applies only to the state that the client has read', async () => {
    const subscriber = await subscribed({ seats: 4 })
    await eventuallyMatches(subscriber, `${subscriber.path}/invoices`, { totalItems: 1 })
    const since = stripe.requests.length
    const stale = await subscriber.api.patch(subscriber.path, { seats: 5 }).set('If-Match', '"1-x"')
    expect([stale.status, serverRequests(since).filter(({ method }) => method === 'POST')]).toEqual([412, []])
    const { headers } = await subscriber.api.get(subscriber.path)
    expect((await subscriber.api.patch(subscriber.path, { seats: 5 }).set('If-Match', headers.etag)).status).toBe(200)
  })

  test('is for owners and admins', async () => {
    const { tenant, path } = await subscribed()
    for (const [user, status] of [
      [tenant.users.member, 403],
      [operator, 403],
      [elsewhere.users.owner, 404],
      [tenant.users.admin, 200],
    ] as const)
      expect((await as(user).patch(path, { seats: 6 })).status).toBe(status)
  })
})

describe('canceling a subscription', () => {
  test('at the end of the period keeps it active until then', async () => {
    const subscriber = await subscribed({ modules: ['planning'] })
    const cancelled = await subscriber.api.post(`${subscriber.path}/cancel`)
    expect(cancelled.status).toBe(201)
    expect(cancelled.body).toMatchObject({ status: 'active', active: true, cancel: `${subscriber.path}/cancel` })
    const { cancel_at } = await billing.retrieveSubscription(subscriber.externalId)
    expect(new Date(cancelled.body.cancelAt).getTime()).toBe((cancel_at as number) * 1000)

    const again = await subscriber.api.post(`${subscriber.path}/cancel`)
    expect([again.status, again.body.cancelAt]).toEqual([200, cancelled.body.cancelAt])
    expect(await modulesOf(subscriber)).toEqual(['planning'])

    stripe.advance({ days: 32 })
    await eventuallyMatches(subscriber, subscriber.path, { status: 'canceled', active: false, awaiting: false })
    const { organization } = subscriber.tenant
    await eventuallyMatches(subscriber, `/organizations/${organization.id}`, {
      currentSubscription: null,
      subscriptions: [subscriber.path],
    })
    expect(await modulesOf(subscriber)).toEqual([])
    expect((await subscriber.api.post('/subscriptions', { paymentMethod: subscriber.card })).status).toBe(201)
  })

  test('now also ends one that was to end with its period', async () => {
    const subscriber = await subscribed()
    await subscriber.api.post(`${subscriber.path}/cancel`)
    const { status, body } = await subscriber.api.post(`${subscriber.path}/cancel`, { immediately: true })
    expect([status, body.status]).toEqual([201, 'canceled'])
    for (const name of ['cancel', 'applyCoupon', 'clearCoupon']) expect(body).not.toHaveProperty(name)
    expect(await billing.retrieveSubscription(subscriber.externalId)).toMatchObject({ status: 'canceled' })
    const since = stripe.requests.length
    const again = await subscriber.api.post(`${subscriber.path}/cancel`, { immediately: true })
    expect([again.status, again.body.status]).toEqual([200, 'canceled'])
    expect(serverRequests(since).filter(({ method }) => method !== 'GET')).toEqual([])
  })

  test.each([
    [{ immediately: true }, [36_000, expect.any(Number)]],
    [{ immediately: true, invoiceNow: false }, [36_000]],
    [{}, [36_000, expect.any(Number)]],
  ])('with %j charges or drops the pending differences of added seats', async (body, totals) => {
    const subscriber = await subscribed({ seats: 3, type: 'yearly' })
    stripe.advance({ days: 1 })
    expect((await subscriber.api.patch(subscriber.path, { seats: 500 })).status).toBe(200)
    expect((await subscriber.api.post(`${subscriber.path}/cancel`, body)).status).toBe(201)
    if (!('immediately' in body)) stripe.advance({ days: 366 })
    const { data } = await dashboard.invoices.list({ customer: subscriber.customer })
    expect(data.map(({ total }) => total).reverse()).toEqual(totals)
    expect(data.map(({ status }) => status)).toEqual(totals.map(() => 'paid'))
    if (totals.length === 2) expect(data[0].total).toBeGreaterThan(5_900_000)
    await eventuallyMatches(subscriber, subscriber.path, { status: 'canceled' })
  })

  test('ends an incomplete subscription at once, and nothing is left to pay', async () => {
    const subscriber = await stripeCustomer()
    const { body: subscription } = await subscriber.api.post('/subscriptions')
    const { status, body } = await subscriber.api.post(`${subscription['@id']}/cancel`)
    expect(status).toBe(201)
    expect(body).toMatchObject({ active: false, awaiting: false, confirmationSecret: null })
    expect(['canceled', 'incomplete_expired']).toContain(body.status)
    expect((await confirmIntent(subscription.confirmationSecret, 'pm_card_visa')).status).toBe(400)
    await eventuallyMatches(subscriber, `${subscription['@id']}/invoices`, {
      member: [expect.objectContaining({ status: 'void' })],
    })
    expect((await subscriber.api.post('/subscriptions')).status).toBe(201)
  })

  test('that Stripe has already ended returns it as ended', async () => {
    const subscriber = await subscribed()
    await eventuallyMatches(subscriber, `${subscriber.path}/invoices`, { totalItems: 1 })
    stripe.deliveries.hold()
    await dashboard.subscriptions.cancel(subscriber.externalId)
    const answers = [
      await subscriber.api.post(`${subscriber.path}/cancel`),
      await subscriber.api.post(`${subscriber.path}/cancel`),
    ]
    stripe.deliveries.release()
    expect(answers.map(({ status, body }) => [status, body.status])).toEqual([
      [201, 'canceled'],
      [200, 'canceled'],
    ])
  })

  test('by several simultaneous requests takes effect once', async () => {
    const subscriber = await subscribed()
    await eventuallyMatches(subscriber, `${subscriber.path}/invoices`, { totalItems: 1 })
    const since = stripe.requests.length
    const answers = await Promise.all(
      [1, 2, 3].map(() => subscriber.api.post(`${subscriber.path}/cancel`, { immediately: true })),
    )
    for (const { status, body } of answers) {
      expect([200, 201]).toContain(status)
      expect(body.status).toBe('canceled')
    }
    const ends = serverRequests(since).filter(({ method, status }) => method === 'DELETE' && status === 200)
    expect(ends).toHaveLength(1)
  })

  test('is retried when the response is lost', async () => {
    const subscriber = await subscribed()
    stripe.fault({ kind: 'lost', method: 'DELETE', path: `/v1/subscriptions/${subscriber.externalId}` })
    const { status, body } = await subscriber.api.post(`${subscriber.path}/cancel`, { immediately: true })
    expect([status, body.status]).toEqual([201, 'canceled'])
  })
})

test('the audit log has every change with its author, and without one for changes by Stripe', async () => {
  const subscriber = await subscribed({ seats: 4 })
  await subscriber.api.patch(subscriber.path, { seats: 9 })
  await as(subscriber.tenant.users.admin).post(`${subscriber.path}/cancel`)
  stripe.advance({ days: 32 })
  await eventuallyMatches(subscriber, subscriber.path, { status: 'canceled' })
  const events = await database.manager.find(AuditEvent, { where: { target: subscriber.path }, order: { id: 'ASC' } })
  const { owner, admin } = subscriber.tenant.users
  expect(events.map(({ action, actorId }) => [action, actorId])).toEqual([
    ['subscription.create', owner.id],
    ['subscription.update', owner.id],
    ['subscription.cancel', admin.id],
    ['subscription.follow', null],
  ])
  expect(events[1].changes).toEqual({ seats: [4, 9] })
  expect(events[3].changes).toMatchObject({ status: ['active', 'canceled'] })
})
