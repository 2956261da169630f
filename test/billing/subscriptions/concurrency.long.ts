import { StripeEvent, Subscription } from '../../../entities/index.ts'
import { payingCustomer, stripeCustomer } from '../../support/billing/billing.ts'
import {
  customerIdOf,
  dashboard,
  deliverEvents,
  type Subscribed,
  serverRequests,
  subscribed,
} from '../../support/billing/stripe.ts'
import { createEvent, deliver, storedEvent } from '../../support/billing/stripe-events.ts'
import { customerEvent, jobOf, syncNow } from '../../support/billing/sync-now.ts'
import { eventually } from '../../support/eventually.ts'
import { jobs } from '../../support/jobs.ts'
import { openWorld } from '../../support/world.ts'

const { database, stripe } = await openWorld()

afterEach(() => {
  stripe.clearFaults()
  stripe.deliveries.release()
})

const idOf = (path: string) => path.split('/').at(-1) as string
const rowsOf = (organizationId: string) => database.manager.findBy(Subscription, { organizationId })
const atStripe = async (customer: string) => (await dashboard.subscriptions.list({ customer, status: 'all' })).data

/** Delays every response of Stripe to a request until a sync of the customer has ended. */
async function beforeTheAnswer<T>(
  path: string,
  request: () => PromiseLike<T>,
  seen: () => Promise<unknown>,
): Promise<T> {
  const mark = stripe.requests.length
  stripe.fault({ kind: 'slow', ms: 1000, method: 'GET', path })
  const answer = Promise.resolve(request())
  await eventually(
    async () => serverRequests(mark).map(({ what }) => what),
    (whats) => expect(whats).toContain('POST /subscriptions'),
  )
  await seen()
  return answer
}

test('an event that arrives before the response of Stripe finds the pending row, and one row results', async () => {
  const { api, card, tenant } = await payingCustomer('pm_card_authenticationRequired')
  const customer = await customerIdOf({ api, tenant, address: undefined as never })
  let seen: Subscription[] = []
  // The outcome of the payment is fetched after the creation of the subscription and before its row is updated.
  const { status, body } = await beforeTheAnswer(
    '/v1/invoice_payments',
    () => api.post('/subscriptions', { paymentMethod: card }),
    async () => {
      const [subscription] = await atStripe(customer)
      await deliver(createEvent('customer.subscription.created', subscription))
      await syncNow(customer)
      seen = await rowsOf(tenant.organization.id)
    },
  )
  expect(status).toBe(201)
  expect(seen).toEqual([expect.objectContaining({ id: idOf(body['@id']), externalId: body.externalId, version: 2 })])
  const rows = await rowsOf(tenant.organization.id)
  expect(rows).toEqual([expect.objectContaining({ externalId: body.externalId, status: 'incomplete' })])
  expect(await atStripe(customer)).toHaveLength(1)
})

test('of twenty simultaneous requests one creates a subscription, also at Stripe', async () => {
  const { api, card, tenant, address } = await payingCustomer()
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => api.post('/subscriptions', { paymentMethod: card })),
  )
  expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array.from({ length: 19 }, () => 409)])
  expect(await rowsOf(tenant.organization.id)).toHaveLength(1)
  expect(await atStripe(await customerIdOf({ api, tenant, address }))).toHaveLength(1)
})

test('of ten repetitions with one key one creates a subscription; the others get 409 or its response', async () => {
  const { api, card, tenant, address } = await payingCustomer()
  const post = () => api.post('/subscriptions', { paymentMethod: card }).set('Idempotency-Key', 'ten-at-once')
  const answers = await Promise.all(Array.from({ length: 10 }, post))
  expect(answers.every(({ status }) => [201, 409].includes(status))).toBe(true)
  const again = await post()
  expect([again.status, again.headers['idempotent-replayed']]).toEqual([201, 'true'])
  expect(await atStripe(await customerIdOf({ api, tenant, address }))).toHaveLength(1)
})

test('simultaneous operations that need a customer create one customer', async () => {
  const { api, tenant, address } = await stripeCustomer()
  const mark = stripe.requests.length
  const answers = await Promise.all([
    api.post('/payment-methods', { externalId: 'pm_card_visa' }),
    api.post('/payment-methods/setup'),
    api.post('/payment-methods/setup'),
    api.post('/subscriptions'),
  ])
  expect(answers.map(({ status }) => status)).toEqual([201, 200, 200, 201])
  const customer = await customerIdOf({ api, tenant, address })
  const named = serverRequests(mark).flatMap(({ params }) => (params.customer ? [params.customer] : []))
  expect(new Set(named)).toEqual(new Set([customer]))
})

/** Both sides have the same state in the end, whichever request came first. */
async function agree({ api, path, externalId, customer }: Subscribed): Promise<Record<string, unknown>> {
  await syncNow(customer)
  const shown = (await api.get(path)).body
  const found = await dashboard.subscriptions.retrieve(externalId, { expand: ['discounts'] })
  expect(shown.status).toBe(found.status)
  expect(shown.cancelAt === null).toBe(found.cancel_at === null)
  expect(shown.seats).toBe(found.items.data[0].quantity)
  return { ...shown, discounted: found.discounts.length > 0 }
}

test.each([
  ['at the end of the period', false],
  ['at once', true],
])('canceling %s and applying a coupon at the same time: each takes effect or is refused', async (_, immediately) => {
  for (let round = 0; round < 5; round++) {
    const subscriber = await subscribed()
    const [cancelled, applied] = await Promise.all([
      subscriber.api.post(`${subscriber.path}/cancel`, { immediately }),
      subscriber.api.post('/subscriptions/apply-coupon', { code: 'SPRING' }),
    ])
    expect(cancelled.status).toBe(201)
    expect(immediately ? [201, 409] : [201]).toContain(applied.status)
    const shown = await agree(subscriber)
    if (immediately) expect(shown.status).toBe('canceled')
    else expect([shown.cancelAt === null, shown.discounted, shown.coupon]).toEqual([false, true, 'SPRING'])
  }
})

test('a change during an event ends in the state of Stripe', async () => {
  for (let round = 0; round < 5; round++) {
    const subscriber = await subscribed()
    await deliver(customerEvent(subscriber.customer))
    const [changed] = await Promise.all([
      subscriber.api.patch(subscriber.path, { seats: 40 + round }),
      dashboard.subscriptions
        .update(subscriber.externalId, { cancel_at_period_end: true })
        .then(() => syncNow(subscriber.customer)),
      syncNow(subscriber.customer),
    ])
    expect(changed.status).toBe(200)
    expect(await agree(subscriber)).toMatchObject({ seats: 40 + round, cancelAt: expect.any(String) })
  }
})

test('a change with If-Match applies to the state that was read, also when an event comes in between', async () => {
  const subscriber = await subscribed()
  const { headers } = await subscriber.api.get(subscriber.path)
  await dashboard.subscriptions.update(subscriber.externalId, { cancel_at_period_end: true })
  await syncNow(subscriber.customer)
  const late = await subscriber.api.patch(subscriber.path, { seats: 50 }).set('If-Match', headers.etag)
  expect([late.status, (await agree(subscriber)).seats]).toEqual([412, 3])
})

test('two hundred simultaneous deliveries of an event result in one row and one sync', async () => {
  const { customer } = await subscribed()
  await database.query(`SELECT graphile_worker.remove_job('customer:' || $1)`, [customer])
  const event = customerEvent(customer)
  const answers = await Promise.all(Array.from({ length: 200 }, () => deliver(event)))
  expect(answers.every(({ status }) => status === 200)).toBe(true)
  expect(await database.manager.countBy(StripeEvent, { id: event.id })).toBe(1)
  const waiting = await database.query(`SELECT 1 FROM graphile_worker.jobs WHERE "key" = 'customer:' || $1`, [customer])
  expect(waiting).toHaveLength(1)
  await syncNow(customer)
  expect(await storedEvent(event.id)).toMatchObject({ status: 'done', attempts: 1 })
})

describe('after the process that created a subscription has died', () => {
  /** The row that remains, and the subscription at Stripe, if Stripe has created it. */
  async function left(isComplete: boolean) {
    const subscriber = await payingCustomer()
    const customer = await customerIdOf(subscriber)
    const { body } = await subscriber.api.post('/subscriptions', { paymentMethod: subscriber.card })
    const id = idOf(body['@id'])
    if (!isComplete) await dashboard.subscriptions.update(body.externalId, { metadata: { subscription: '' } })
    if (!isComplete) await dashboard.subscriptions.cancel(body.externalId)
    await database.query(`UPDATE "subscription" SET "externalId" = NULL, "status" = 'incomplete' WHERE "id" = $1`, [id])
    const organization = subscriber.tenant.organization.id
    const settle = () => jobs.settleSubscription({ organization, subscription: id })
    return {
      ...subscriber,
      customer,
      id,
      path: body['@id'] as string,
      externalId: body.externalId as string,
      organization,
      settle,
    }
  }

  test('a subscription that Stripe has created is stored', async () => {
    const { customer, api, path, externalId, settle } = await left(true)
    await settle()
    await syncNow(customer)
    expect((await api.get(path)).body).toMatchObject({ status: 'active', externalId })
    await settle()
    expect((await api.get(path)).body).toMatchObject({ status: 'active', externalId })
  })

  test('a subscription that Stripe has not created is deleted without a trace', async () => {
    const { api, path, organization, settle, tenant } = await left(false)
    expect((await api.post('/subscriptions')).status).toBe(409)
    for (const action of ['cancel']) expect((await api.post(`${path}/${action}`)).headers['retry-after']).toBe('60')
    await settle()
    expect((await rowsOf(organization)).filter(({ live }) => live)).toEqual([])
    expect((await api.get(path)).status).toBe(404)
    expect((await api.get(`/organizations/${tenant.organization.id}`)).body.currentSubscription).toBeNull()
    expect((await api.post('/subscriptions')).status).toBe(201)
    await settle()
  })

  test('a subscription at Stripe whose row was deleted is stored again', async () => {
    const { customer, api, path, externalId, id, settle } = await left(true)
    await database.manager.update(Subscription, { id }, { status: 'canceled' })
    await database.manager.delete(Subscription, { id })
    await settle()
    await syncNow(customer)
    expect((await api.get(path)).body).toMatchObject({ status: 'active', externalId })
  })

  test('a subscription at Stripe is ended when the organization has created another', async () => {
    const { customer, api, externalId, id, organization, settle, address } = await left(true)
    await database.manager.update(Subscription, { id }, { status: 'canceled' })
    await database.manager.delete(Subscription, { id })
    const anew = Object.assign(new Subscription(), {
      ...{ organizationId: organization, organizationAddressId: address.id, seats: 3 },
      ...{ id: id.replace(/^../, '00'), externalId: `sub_new${id.slice(0, 4)}`, status: 'active', version: 1 },
    })
    await database.manager.insert(Subscription, anew as never)
    await settle()
    expect((await dashboard.subscriptions.retrieve(externalId)).status).toBe('canceled')
    await syncNow(customer)
    const { currentSubscription } = (await api.get(`/organizations/${organization}`)).body
    expect(currentSubscription).toBe(`/subscriptions/${anew.id}`)
  })

  test('two simultaneous jobs have the effect of one', async () => {
    const [kept, gone] = [await left(true), await left(false)]
    await Promise.all([kept.settle(), kept.settle(), gone.settle(), gone.settle()])
    await syncNow(kept.customer)
    expect((await kept.api.get(kept.path)).body).toMatchObject({ status: 'active', externalId: kept.externalId })
    expect((await rowsOf(gone.organization)).filter(({ live }) => live)).toEqual([])
    const { externalId, id, organization, settle } = await left(true)
    await database.manager.update(Subscription, { id }, { status: 'canceled' })
    await database.manager.delete(Subscription, { id })
    await Promise.all([settle(), settle()])
    expect((await dashboard.subscriptions.retrieve(externalId)).status).toBe('active')
    expect(await rowsOf(organization)).toEqual([])
  })

  test('the row is kept while the request is being repeated', async () => {
    const { id, settle, organization } = await left(false)
    await database.query(
      `INSERT INTO "idempotency_key" ("caller", "key", "claim", "fingerprint", "createdAt", "claimedAt")
        VALUES ('somebody', $1::text, $1::text::uuid, '', now(), now())`,
      [id],
    )
    await settle()
    expect((await rowsOf(organization)).map((row) => row.id)).toContain(id)
    await database.query(`UPDATE "idempotency_key" SET "claimedAt" = '-infinity' WHERE "claim" = $1`, [id])
    await settle()
    expect((await rowsOf(organization)).map((row) => row.id)).not.toContain(id)
  })

  test('the row is kept while Stripe is unreachable', async () => {
    const { id, settle, organization } = await left(false)
    stripe.fault({ kind: 'status', status: 429, times: 10 })
    await expect(settle()).rejects.toThrow('Stripe cannot be reached')
    expect((await rowsOf(organization)).map((row) => row.id)).toContain(id)
  })

  test('the row is resolved although its job was lost', async () => {
    const { id } = await left(false)
    await database.query(`DELETE FROM graphile_worker._private_jobs`)
    await jobs.takeUp()
    const waiting = () => database.query(`SELECT 1 FROM graphile_worker.jobs WHERE "key" = $1`, [`settle:${id}`])
    expect(await waiting()).toEqual([])
    await database.query(`UPDATE "subscription" SET "createdAt" = now() - interval '6 minutes' WHERE "id" = $1`, [id])
    await jobs.takeUp()
    expect(await waiting()).toHaveLength(1)
  })
})

test('a repetition without a key gets 409, and the subscription is stored', async () => {
  const { api, card, tenant, address } = await payingCustomer()
  stripe.fault({ kind: 'lost', method: 'POST', path: '/v1/subscriptions', times: 2 })
  expect((await api.post('/subscriptions', { paymentMethod: card })).status).toBe(503)
  const customer = await customerIdOf({ api, tenant, address })
  await database.query(`SELECT graphile_worker.remove_job('customer:' || $1)`, [customer])
  expect((await api.post('/subscriptions', { paymentMethod: card })).status).toBe(409)
  expect(await jobOf(customer)).toBeDefined()
  await syncNow(customer)
  const { member } = (await api.get('/subscriptions')).body
  expect(member).toEqual([expect.objectContaining({ status: 'active', externalId: (await atStripe(customer))[0].id })])
})

test('all events delivered three times in any order result in the state of Stripe', async () => {
  Object.assign(stripe.deliveries, { shuffle: true, duplicates: 2 })
  await deliverEvents()
  const subscribers = await Promise.all([subscribed(), subscribed({ modules: ['planning'] }), subscribed()])
  await Promise.all(
    subscribers.flatMap(({ api, path }, index) => [
      api.patch(path, { seats: 10 + index }),
      api.post('/subscriptions/apply-coupon', { code: 'SPRING' }),
      api.post(`${path}/cancel`),
    ]),
  )
  await stripe.settled()
  await eventually(
    () => database.manager.countBy(StripeEvent, { status: 'pending' }),
    (count) => expect(count).toBe(0),
  )
  for (const subscriber of subscribers)
    expect(await agree(subscriber)).toMatchObject({ coupon: 'SPRING', discounted: true, cancelAt: expect.any(String) })
})

test('a card that is detached at Stripe is deleted here', async () => {
  const { api } = await subscribed()
  const { body } = await api.post('/payment-methods', { externalId: 'pm_card_mastercard' })
  await dashboard.paymentMethods.detach(body.externalId)
  await eventually(
    async () => (await api.get(body['@id'])).status,
    (status) => expect(status).toBe(404),
  )
})
