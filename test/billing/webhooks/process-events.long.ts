import type { StripeEvent } from '../../../entities/index.ts'
import { enqueueStaleCustomers, replayEvents } from '../../../src/billing/webhooks/replay-events.ts'
import { stripeCustomer } from '../../support/billing/billing.ts'
import { customerIdOf, dashboard, serverRequests, subscribed } from '../../support/billing/stripe.ts'
import { createEvent, deliver, storedEvent } from '../../support/billing/stripe-events.ts'
import { customerEvent, jobOf, syncNow } from '../../support/billing/sync-now.ts'
import { type Agent, as, database, operator, stripe } from '../../support/world.ts'

afterEach(() => stripe.clearFaults())

/** A customer who is looked at in vain: Stripe has a subscription, and the database does not take it. */
async function failing(): Promise<{ customer: string; mend: () => Promise<unknown>; api: Agent }> {
  const { api, tenant } = await stripeCustomer()
  const { id: customer } = await dashboard.customers.create({})
  const [price] = (await dashboard.prices.list({ lookup_keys: ['seat_monthly'] })).data
  const { id } = await dashboard.subscriptions.create({
    customer,
    items: [{ price: price.id }],
    payment_behavior: 'default_incomplete',
  })
  const own = [tenant.organization.id]
  await database.query(`UPDATE "organization" SET "stripeCustomerId" = $2 WHERE "id" = $1`, [...own, customer])
  const rule = `without ${id}`
  await database.query(`ALTER TABLE "subscription" ADD CONSTRAINT "${rule}" CHECK ("externalId" <> '${id}')`)
  const mend = () => database.query(`ALTER TABLE "subscription" DROP CONSTRAINT "${rule}"`)
  return { customer, mend, api }
}

test('all that waits is done with one look at Stripe, however often it was delivered', async () => {
  const { customer, externalId, api, path } = await subscribed()
  const events = Array.from({ length: 5 }, () => customerEvent(customer))
  await dashboard.subscriptions.update(externalId, { cancel_at_period_end: true })
  for (const event of [...events, ...events]) expect((await deliver(event)).status).toBe(200)
  const mark = stripe.requests.length
  await syncNow(customer)

  expect(serverRequests(mark).filter(({ what }) => what === `GET /customers/${customer}`)).toHaveLength(1)
  for (const { id } of events)
    expect(await storedEvent(id)).toMatchObject({ status: 'done', attempts: 1, processedAt: expect.any(Date) })
  expect((await api.get(path)).body.cancelAt).not.toBeNull()
})

test('what an old event says does not matter: what Stripe says now does', async () => {
  const { customer, externalId, api, path } = await subscribed()
  const before = await dashboard.subscriptions.retrieve(externalId)
  await dashboard.subscriptions.cancel(externalId)
  await deliver(createEvent('customer.subscription.deleted', { ...before, status: 'canceled' }))
  await syncNow(customer)
  expect((await api.get(path)).body.status).toBe('canceled')
  const late = createEvent('customer.subscription.updated', before, { created: before.created })
  await deliver(late)
  await syncNow(customer)
  expect([(await api.get(path)).body.status, (await storedEvent(late.id))?.status]).toEqual(['canceled', 'done'])
})

test('while somebody else has the customer’s lock it is put off, and Stripe is not asked', async () => {
  const { customer } = await subscribed()
  const event = customerEvent(customer)
  await deliver(event)
  const mark = stripe.requests.length
  await database.transaction(async (other) => {
    await other.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [customer])
    await syncNow(customer)
  })
  expect([serverRequests(mark), await storedEvent(event.id)]).toEqual([
    [],
    expect.objectContaining({ status: 'pending', attempts: 0 }),
  ])
  expect((await jobOf(customer))?.payload).toMatchObject({ customer })
  await syncNow(customer)
  expect((await storedEvent(event.id))?.status).toBe('done')
})

test('where a request has written the row meanwhile it is done again, and blamed on nobody', async () => {
  const { customer, externalId, path, api } = await subscribed()
  await dashboard.subscriptions.update(externalId, { cancel_at_period_end: true })
  const event = customerEvent(customer)
  await deliver(event)
  stripe.fault({ kind: 'slow', ms: 600, path: `/v1/customers/${customer}` })
  const looking = syncNow(customer)
  await new Promise((resolve) => setTimeout(resolve, 200))
  const id = path.split('/').at(-1)
  await database.query(`UPDATE "subscription" SET "seats" = 77, "version" = "version" + 1 WHERE "id" = $1`, [id])
  await looking
  expect(await storedEvent(event.id)).toMatchObject({ status: 'pending', attempts: 0, error: null })
  expect((await jobOf(customer))?.in).toBeLessThan(1.1)
  await syncNow(customer)
  expect((await storedEvent(event.id))?.status).toBe('done')
  expect((await api.get(path)).body).toMatchObject({ seats: 3, cancelAt: expect.any(String) })
})

test('what fails is tried again, ever later; after ten times it is put aside, until it is replayed', async () => {
  const { customer, mend, api } = await failing()
  const event = customerEvent(customer)
  await deliver(event)
  const waits = []
  for (let attempts = 1; attempts <= 10; attempts++) {
    await syncNow(customer)
    const { status, ...row } = (await storedEvent(event.id)) as StripeEvent
    expect(row).toMatchObject({
      attempts,
      error: expect.stringContaining('violates check constraint'),
      processedAt: null,
    })
    expect(status).toBe(attempts < 10 ? 'pending' : 'failed')
    waits.push((await jobOf(customer))?.in ?? 0)
  }
  waits.slice(0, 9).forEach((wait, index) => {
    expect(wait).toBeGreaterThan(2 ** index * 0.75 - 0.2)
    expect(wait).toBeLessThan(2 ** index * 1.25)
  })
  await mend()
  await syncNow(customer)
  expect((await storedEvent(event.id))?.status).toBe('failed')
  expect(await replayEvents(database, [event.id])).toEqual([event.id])
  expect(await storedEvent(event.id)).toMatchObject({ status: 'pending', attempts: 0, error: null })
  expect((await jobOf(customer))?.in).toBeLessThan(0.1)
  await syncNow(customer)
  expect((await storedEvent(event.id))?.status).toBe('done')
  expect((await api.get('/subscriptions')).body.totalItems).toBe(1)
})

test('of what fails, only what waits is tried again: others go on', async () => {
  const [{ customer: broken }, { customer: fine }] = [await failing(), await subscribed()]
  const events = [customerEvent(broken), customerEvent(fine)]
  for (const event of events) await deliver(event)
  for (const customer of [broken, fine]) await syncNow(customer)
  expect(await Promise.all(events.map(async ({ id }) => (await storedEvent(id))?.status))).toEqual(['pending', 'done'])
})

test.each([
  ['answers 500', { kind: 'status', status: 500 }],
  ['answers 429', { kind: 'status', status: 429 }],
  ['answers HTML', { kind: 'html' }],
  ['answers nonsense', { kind: 'nonsense' }],
] as const)('while Stripe %s an event waits, for three days', async (_, kind) => {
  const { customer } = await subscribed()
  const event = customerEvent(customer)
  await deliver(event)
  stripe.fault({ ...kind, times: 1000 })
  for (let tries = 0; tries < 12; tries++) await syncNow(customer)
  expect(await storedEvent(event.id)).toMatchObject({
    status: 'pending',
    attempts: 0,
    error: expect.stringContaining('Stripe'),
  })
  const { in: wait = 0, payload } = (await jobOf(customer)) ?? {}
  expect([payload?.failures, wait > 450, wait < 750]).toEqual([12, true, true])

  await database.query(`UPDATE "stripe_event" SET "receivedAt" = now() - interval '73 hours' WHERE "id" = $1`, [
    event.id,
  ])
  for (let tries = 0; tries < 10; tries++) await syncNow(customer)
  expect(await storedEvent(event.id)).toMatchObject({ status: 'failed', attempts: 10 })
})

test('once Stripe is back, what waited is done', async () => {
  const { customer } = await subscribed()
  const event = customerEvent(customer)
  await deliver(event)
  stripe.fault({ kind: 'cut', times: 1000 })
  await syncNow(customer)
  stripe.clearFaults()
  await syncNow(customer)
  expect(await storedEvent(event.id)).toMatchObject({ status: 'done', error: null })
})

test('a rule of the database that stands in the way for good is no race: it is seen in the end', async () => {
  const { customer, mend } = await failing()
  await mend()
  const [{ id }] = (await dashboard.subscriptions.list({ customer })).data
  const { path } = await subscribed()
  await database.query(`UPDATE "subscription" SET "externalId" = $1 WHERE "id" = $2`, [id, path.split('/').at(-1)])
  const event = customerEvent(customer)
  await deliver(event)
  for (let tries = 0; tries < 15; tries++) await syncNow(customer)
  expect(await storedEvent(event.id)).toMatchObject({
    status: 'failed',
    error: expect.stringContaining('duplicate key'),
  })
})

test('what a process that died was at is taken up by another', async () => {
  const { customer } = await subscribed()
  const events = [customerEvent(customer), customerEvent(customer)]
  for (const event of events) await deliver(event)
  await enqueueStaleCustomers(database)
  await database.query(
    `UPDATE graphile_worker._private_jobs SET locked_at = now(), locked_by = 'dead', attempts = 1 WHERE "key" = $1`,
    [`customer:${customer}`],
  )
  await enqueueStaleCustomers(database)
  expect((await jobOf(customer))?.locked).toBe(true)
  await database.query(
    `UPDATE "stripe_event" SET "receivedAt" = now() - interval '31 seconds' WHERE "customerId" = $1`,
    [customer],
  )
  await enqueueStaleCustomers(database)
  expect(await jobOf(customer)).toMatchObject({ locked: false, payload: { customer } })
  await database.query(`DELETE FROM graphile_worker._private_jobs WHERE "key" = $1`, [`customer:${customer}`])
  await enqueueStaleCustomers(database)
  expect(await jobOf(customer)).toMatchObject({ locked: false })
  await syncNow(customer)
  for (const { id } of events) expect((await storedEvent(id))?.status).toBe('done')
})

test('what waits for its turn is left to wait', async () => {
  const { customer } = await subscribed()
  await deliver(customerEvent(customer))
  stripe.fault({ kind: 'status', status: 503, times: 1000 })
  for (let tries = 0; tries < 6; tries++) await syncNow(customer)
  const before = await jobOf(customer)
  await enqueueStaleCustomers(database, 0)
  const after = await jobOf(customer)
  expect(after?.payload).toEqual(before?.payload)
  expect(Math.abs((after?.in ?? 0) - (before?.in ?? 0))).toBeLessThan(1)
})

test('an event of a customer who is nobody’s here is ignored; the customer is looked at once it is somebody’s', async () => {
  const { id: customer } = await dashboard.customers.create({})
  const event = customerEvent(customer)
  await deliver(event)
  await syncNow(customer)
  expect(await storedEvent(event.id)).toMatchObject({ status: 'ignored', attempts: 1 })
  expect(await replayEvents(database, [event.id])).toEqual([])
  const { tenant } = await stripeCustomer()
  const path = `/organizations/${tenant.organization.id}`
  expect((await as(operator).patch(path, { stripeCustomerId: customer })).status).toBe(200)
  expect((await jobOf(customer))?.payload).toEqual({ customer })
})

test('replaying what is done looks once more; what is about nobody cannot be replayed', async () => {
  const { customer, externalId, path, api } = await subscribed()
  const [event, nobody] = [customerEvent(customer), createEvent('charge.succeeded', { id: 'ch_1' })]
  for (const one of [event, nobody]) await deliver(one)
  await syncNow(customer)
  await dashboard.subscriptions.update(externalId, { cancel_at_period_end: true })
  expect(await replayEvents(database, [event.id, nobody.id, 'evt_unknown', event.id])).toEqual([event.id])
  await syncNow(customer)
  expect((await api.get(path)).body.cancelAt).not.toBeNull()
  expect((await storedEvent(event.id))?.status).toBe('done')
  expect(await customerIdOf(await stripeCustomer())).toBeNull()
})
