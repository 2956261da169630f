import { AuditEvent, Subscription } from '../../../entities/index.ts'
import type { FaultKind } from '../../../src/emulators/stripe/control/ordered-faults.ts'
import { type Customer, payingCustomer, stripeCustomer } from '../../support/billing/billing.ts'
import { confirmIntent, customerIdOf, dashboard, serverRequests } from '../../support/billing/stripe.ts'
import { eventually } from '../../support/eventually.ts'
import { jobs } from '../../support/jobs.ts'
import { openWorld } from '../../support/world.ts'

const { billing, database, given, stripe } = await openWorld()

const create = { method: 'POST', path: '/v1/subscriptions' }
afterEach(() => stripe.clearFaults())

let keys = 0
const newKey = () => `subscribe-${++keys}`

/** The result of every retry: one row, one subscription at Stripe, one customer, one audit event. */
async function expectOne(subscriber: Customer, path: string): Promise<void> {
  const own = { organizationId: subscriber.tenant.organization.id }
  const rows = await database.manager.findBy(Subscription, own)
  expect(rows.map(({ id }) => `/subscriptions/${id}`)).toEqual([path])
  expect((await billing.listLiveSubscriptions(await customerIdOf(subscriber))).map(({ id }) => id)).toEqual([
    rows[0].externalId,
  ])
  expect(await database.manager.countBy(AuditEvent, { ...own, action: 'subscription.create' })).toBe(1)
  const { data } = await dashboard.customers.list({ limit: 100 })
  expect(data.filter(({ metadata }) => metadata.organization === own.organizationId)).toHaveLength(1)
}

test('the same key gets the same response, and only the secret is fetched from Stripe', async () => {
  const subscriber = await stripeCustomer()
  const key = newKey()
  const first = await subscriber.api.post('/subscriptions', { seats: 5 }).set('Idempotency-Key', key)
  const since = stripe.requests.length
  const again = await subscriber.api.post('/subscriptions', { seats: 5 }).set('Idempotency-Key', key)
  expect([again.status, again.text, again.headers['idempotent-replayed']]).toEqual([201, first.text, 'true'])
  expect(serverRequests(since).map(({ what }) => what)).toEqual([`GET /subscriptions/${first.body.externalId}`])
  expect((await subscriber.api.post('/subscriptions', { seats: 6 }).set('Idempotency-Key', key)).status).toBe(422)
  await expectOne(subscriber, first.body['@id'])
})

test('the repeated response has no secret once the invoice is paid', async () => {
  const subscriber = await stripeCustomer()
  const key = newKey()
  const { body } = await subscriber.api.post('/subscriptions').set('Idempotency-Key', key)
  await confirmIntent(body.confirmationSecret, 'pm_card_visa')
  await dashboard.subscriptions.cancel(body.externalId)
  const again = await subscriber.api.post('/subscriptions').set('Idempotency-Key', key)
  expect([again.status, again.body['@id']]).toEqual([201, body['@id']])
})

test.each<[string, FaultKind & { times?: number }, number]>([
  ['a lost response', { kind: 'lost' }, 201],
  ['a closed socket', { kind: 'cut' }, 201],
  ['an error 500', { kind: 'status', status: 500 }, 201],
  ['two lost responses', { kind: 'lost', times: 2 }, 503],
  ['two closed sockets', { kind: 'cut', times: 2 }, 503],
  ['two errors 500', { kind: 'status', status: 500, times: 2 }, 502],
  ['a throttle', { kind: 'status', status: 429 }, 503],
  ['an error page', { kind: 'html', times: 2 }, 502],
  ['a truncated response', { kind: 'nonsense', truncated: true, times: 2 }, 502],
  ['a malformed response', { kind: 'nonsense' }, 502],
])('a retry with the same key after %s creates one subscription', async (_, fault, status) => {
  const subscriber = await payingCustomer()
  const key = newKey()
  const attempt = () =>
    subscriber.api.post('/subscriptions', { paymentMethod: subscriber.card }).set('Idempotency-Key', key)
  stripe.fault({ ...fault, ...create })
  const first = await attempt()
  expect(first.status).toBe(status)
  if (status === 503) expect(Number(first.headers['retry-after'])).toBeGreaterThan(0)
  if (status !== 201) expect((await subscriber.api.get('/subscriptions')).body.totalItems).toBe(0)
  stripe.clearFaults()
  const again = await attempt()
  expect([again.status, again.body.status]).toEqual([201, 'active'])
  await expectOne(subscriber, again.body['@id'])
})

test.each([
  ['/v1/subscriptions', false, [502, 201]],
  ['/v1/subscriptions', true, [201]],
  ['/v1/customers', false, [502, 201]],
])(
  'a retry with the same key succeeds although Stripe replays its failure of POST %s (late: %p)',
  async (path, late, statuses) => {
    const subscriber = await stripeCustomer()
    const key = newKey()
    const attempt = () => subscriber.api.post('/subscriptions').set('Idempotency-Key', key)
    const failing = { kind: 'status', status: 500, late, method: 'POST', path } as const
    stripe.fault(failing)
    // Stripe's client retries by itself and gets the replayed failure; then the next key fails too.
    if (!late) for (const order of [{ ...failing, kind: 'slow', ms: 0 } as const, failing]) stripe.fault(order)
    const answers = []
    for (const _ of statuses) answers.push(await attempt())
    expect(answers.map(({ status }) => status)).toEqual(statuses)
    stripe.clearFaults()
    await expectOne(subscriber, answers.at(-1)?.body['@id'])
    const again = await attempt()
    expect([again.status, again.headers['idempotent-replayed']]).toEqual([201, 'true'])
  },
)

test('a subscription that Stripe created in spite of its error is stored without a retry of the client', async () => {
  const subscriber = await payingCustomer()
  const [look, organization] = [{ method: 'GET', path: '/v1/subscriptions' }, subscriber.tenant.organization.id]
  stripe.fault({ kind: 'status', status: 500, late: true, ...create })
  stripe.fault({ kind: 'slow', ms: 0, ...look })
  stripe.fault({ kind: 'cut', times: 2, ...look })
  expect((await subscriber.api.post('/subscriptions', { paymentMethod: subscriber.card })).status).toBe(503)
  expect((await subscriber.api.get('/subscriptions')).body.totalItems).toBe(0)
  stripe.clearFaults()
  const [subscription] = await billing.listLiveSubscriptions(await customerIdOf(subscriber))
  await jobs.settleSubscription({ organization, subscription: subscription.metadata.subscription })
  await jobs.followCustomer({ customer: await customerIdOf(subscriber) })
  const { body } = await subscriber.api.get('/subscriptions')
  expect(body.member).toEqual([expect.objectContaining({ status: 'active', externalId: subscription.id })])
  expect(await billing.listLiveSubscriptions(await customerIdOf(subscriber))).toHaveLength(1)
  expect((await subscriber.api.post('/subscriptions', { paymentMethod: subscriber.card })).status).toBe(409)
})

describe('a subscription that Stripe created in spite of its error and lists late', () => {
  const late = { kind: 'status', status: 500, late: true, ...create } as const
  const listing = { method: 'GET', path: '/v1/subscriptions' }
  const subscriptionsOf = async (customer: string) =>
    (await dashboard.subscriptions.list({ customer, status: 'all' })).data.map(({ id, status }) => ({ id, status }))

  test('is found by the second search, and no duplicate is created', async () => {
    const subscriber = await payingCustomer()
    stripe.fault(late)
    // The list before the creation and the first list after it.
    for (const _ of [1, 2]) stripe.fault({ kind: 'behind', ...listing })
    const { status, body } = await subscriber.api.post('/subscriptions', { paymentMethod: subscriber.card })
    expect(status).toBe(201)
    await expectOne(subscriber, body['@id'])
  })

  test.each(['the nightly reconciliation', 'an event'])(
    'and that was created again is deduplicated by %s, which ends the younger one',
    async (how) => {
      const subscriber = await payingCustomer()
      stripe.fault(late)
      stripe.fault({ kind: 'behind', ...listing, times: 9 })
      const { status, body } = await subscriber.api.post('/subscriptions', { paymentMethod: subscriber.card })
      stripe.clearFaults()
      const customer = await customerIdOf(subscriber)
      const [younger, elder] = await subscriptionsOf(customer)
      expect([status, body.externalId, elder.status]).toEqual([201, younger.id, 'active'])
      await jobs.followCustomer({ customer, thorough: how === 'the nightly reconciliation' })
      expect(await subscriptionsOf(customer)).toEqual([{ ...younger, status: 'canceled' }, elder])
      const { body: now } = await subscriber.api.get(body['@id'])
      expect(now).toMatchObject({ status: 'active', externalId: elder.id, seats: body.seats })
      const organizationId = subscriber.tenant.organization.id
      const events = await database.manager.findBy(AuditEvent, { organizationId, action: 'subscription.endDuplicate' })
      expect(events.map(({ target, changes }) => ({ target, changes }))).toEqual([
        { target: body['@id'], changes: { externalId: [younger.id, elder.id], refunded: [null, 3600] } },
      ])
      await jobs.followCustomer({ customer })
      expect((await subscriber.api.get('/subscriptions?status[]=active')).body.totalItems).toBe(1)
    },
  )

  test('is ended when the client has created another one with another key', async () => {
    const subscriber = await payingCustomer()
    stripe.fault({ ...late, times: 2 })
    stripe.fault({ kind: 'behind', ...listing, times: 99 })
    expect((await subscriber.api.post('/subscriptions', { paymentMethod: subscriber.card, seats: 9 })).status).toBe(502)
    stripe.fault({ kind: 'behind', ...listing, times: 9 })
    const { status, body } = await subscriber.api.post('/subscriptions', { paymentMethod: subscriber.card, seats: 5 })
    stripe.clearFaults()
    expect(status).toBe(201)
    const customer = await customerIdOf(subscriber)
    await jobs.followCustomer({ customer })
    expect((await billing.listLiveSubscriptions(customer)).map(({ id }) => id)).toEqual([body.externalId])
    expect((await subscriber.api.get(body['@id'])).body).toMatchObject({ status: 'active', seats: 5 })
  })
})

test.each([
  ['POST', '/v1/customers'],
  ['GET', '/v1/prices'],
  ['GET', '/v1/subscriptions'],
  ['POST', '/v1/subscriptions'],
])('a later retry with the same key creates one subscription when %s %s has failed twice', async (method, path) => {
  for (const kind of ['cut', 'lost'] as const) {
    const subscriber = await stripeCustomer()
    const key = newKey()
    const attempt = () => subscriber.api.post('/subscriptions').set('Idempotency-Key', key)
    stripe.fault({ kind, method, path, times: 2 })
    const first = await attempt()
    stripe.clearFaults()
    expect([first.status, (await subscriber.api.get('/subscriptions')).body.totalItems]).toEqual([503, 0])
    const again = await attempt()
    expect([again.status, again.body.status]).toEqual([201, 'incomplete'])
    expect(again.body.confirmationSecret).toMatch(/_secret_/)
    await expectOne(subscriber, again.body['@id'])
  }
})

test('a response that takes too long is abandoned, and its subscription is found', async () => {
  const subscriber = await payingCustomer()
  const key = newKey()
  const attempt = () =>
    subscriber.api.post('/subscriptions', { paymentMethod: subscriber.card }).set('Idempotency-Key', key)
  const settings = (billing.stripe as unknown as { _api: { timeout: number } })._api
  const { timeout } = settings
  settings.timeout = 400
  stripe.fault({ kind: 'slow', ms: 1500, ...create })
  expect((await attempt()).status).toBe(503)
  settings.timeout = timeout
  await eventually(attempt, ({ status, body }) => expect([status, body.status]).toEqual([201, 'active']))
  const { body } = await subscriber.api.get('/subscriptions')
  await expectOne(subscriber, body.member[0]['@id'])
})

test('another key creates no second subscription when Stripe has created the first meanwhile', async () => {
  const subscriber = await payingCustomer()
  stripe.fault({ kind: 'lost', times: 2, ...create })
  expect((await subscriber.api.post('/subscriptions', { paymentMethod: subscriber.card })).status).toBe(503)
  expect((await subscriber.api.post('/subscriptions', { paymentMethod: subscriber.card })).status).toBe(409)
  await jobs.followCustomer({ customer: await customerIdOf(subscriber) })
  const { body } = await subscriber.api.get('/subscriptions')
  expect(body.member).toEqual([expect.objectContaining({ status: 'active', paymentMethod: subscriber.card })])
  expect(await billing.listLiveSubscriptions(await customerIdOf(subscriber))).toHaveLength(1)
})

test('the same key gets 409 while the first request is being processed', async () => {
  const subscriber = await payingCustomer()
  const key = newKey()
  const attempt = () =>
    subscriber.api.post('/subscriptions', { paymentMethod: subscriber.card }).set('Idempotency-Key', key)
  stripe.fault({ kind: 'slow', ms: 300, ...create })
  const answers = await Promise.all([attempt(), attempt()])
  expect(answers.map(({ status }) => status).sort()).toEqual([201, 409])
  const late = answers.find(({ status }) => status === 409)
  expect(Number(late?.headers['retry-after'])).toBeGreaterThan(0)
  const again = await attempt()
  expect([again.status, again.headers['idempotent-replayed']]).toEqual([201, 'true'])
  await expectOne(subscriber, again.body['@id'])
})

test('a declined payment is the response to its key; a new request may use another card', async () => {
  const subscriber = await payingCustomer('pm_card_chargeCustomerFail')
  const key = newKey()
  const attempt = () =>
    subscriber.api.post('/subscriptions', { paymentMethod: subscriber.card }).set('Idempotency-Key', key)
  const first = await attempt()
  const since = stripe.requests.length
  const again = await attempt()
  expect([first.status, again.status, again.body]).toEqual([402, 402, first.body])
  expect(serverRequests(since)).toEqual([])
  const { body: card } = await subscriber.api.post('/payment-methods', { externalId: 'pm_card_visa' })
  const next = await subscriber.api
    .post('/subscriptions', { paymentMethod: card['@id'] })
    .set('Idempotency-Key', newKey())
  expect(next.status).toBe(201)
  await expectOne(subscriber, next.body['@id'])
})

test.each(['without keys', 'with a key each'])(
  'of ten simultaneous requests %s one creates a subscription',
  async (how) => {
    const subscriber = await payingCustomer()
    const responses = await Promise.all(
      Array.from({ length: 10 }, () => {
        const request = subscriber.api.post('/subscriptions', { paymentMethod: subscriber.card })
        return how === 'without keys' ? request : request.set('Idempotency-Key', newKey())
      }),
    )
    expect(responses.map(({ status }) => status).sort()).toEqual([201, ...Array(9).fill(409)])
    const winner = responses.find(({ status }) => status === 201)
    await expectOne(subscriber, winner?.body['@id'])
  },
)

test('simultaneous requests that need a customer create one customer', async () => {
  const subscriber = await stripeCustomer()
  const setups = Array.from({ length: 5 }, () => subscriber.api.post('/payment-methods/setup'))
  const [response] = await Promise.all([subscriber.api.post('/subscriptions'), ...setups])
  expect(response.status).toBe(201)
  await expectOne(subscriber, response.body['@id'])
})

test('a second live subscription is refused with 409, even when the first was created at Stripe', async () => {
  const subscriber = await payingCustomer()
  const { body } = await subscriber.api.post('/subscriptions', { paymentMethod: subscriber.card })
  const second = await subscriber.api.post('/subscriptions', { paymentMethod: subscriber.card })
  expect([second.status, second.body.detail]).toEqual([409, expect.stringMatching(/live subscription/)])
  await expectOne(subscriber, body['@id'])
})

test('a pending subscription can be neither changed nor canceled, and is deleted after a while', async () => {
  const { api, tenant, address } = await stripeCustomer()
  const own = { organizationId: tenant.organization.id }
  const { id } = await given(Subscription, { ...own, organizationAddress: address, seats: 3 })
  for (const answer of [
    await api.patch(`/subscriptions/${id}`, { seats: 9 }),
    await api.post(`/subscriptions/${id}/cancel`),
  ])
    expect([answer.status, answer.headers['retry-after']]).toEqual([409, '60'])
  expect((await api.get(`/subscriptions/${id}`)).body.confirmationSecret).toBeNull()
  expect((await api.post('/subscriptions')).status).toBe(409)
  await jobs.settleSubscription({ organization: own.organizationId, subscription: id })
  expect((await api.get(`/subscriptions/${id}`)).status).toBe(404)
  expect((await api.post('/subscriptions')).status).toBe(201)
})

test('a subscription that Stripe created for a process that died is stored', async () => {
  const subscriber = await payingCustomer()
  const own = { organizationId: subscriber.tenant.organization.id }
  const begun = await given(Subscription, { ...own, organizationAddress: subscriber.address, seats: 3 })
  const subscription = await billing.createSubscription(await customerIdOf(subscriber), begun)
  await jobs.settleSubscription({ organization: own.organizationId, subscription: begun.id })
  await jobs.followCustomer({ customer: await customerIdOf(subscriber) })
  expect((await subscriber.api.get(`/subscriptions/${begun.id}`)).body).toMatchObject({
    externalId: subscription.id,
    confirmationSecret: expect.stringMatching(/_secret_/),
  })
})
