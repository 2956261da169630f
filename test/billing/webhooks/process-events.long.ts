import type { StripeEvent } from '../../../entities/index.ts'
import { enqueueStaleCustomers, replayEvents } from '../../../src/billing/webhooks/replay-events.ts'
import { stripeCustomer } from '../../support/billing/billing.ts'
import { customerIdOf, dashboard, serverRequests, subscribed } from '../../support/billing/stripe.ts'
import { createEvent, deliver, storedEvent } from '../../support/billing/stripe-events.ts'
import { customerEvent, jobOf, syncNow } from '../../support/billing/sync-now.ts'
import { type Agent, openWorld } from '../../support/world.ts'

const { as, database, operator, stripe } = await openWorld()

afterEach(() => stripe.clearFaults())

/** A customer whose sync fails: Stripe has a subscription that the database rejects. */
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

test('one sync processes all pending events, also repeated deliveries', async () => {
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

test('the payload of an old event is ignored in favor of the current state', async () => {
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

test('a sync is delayed without requests while another transaction locks the customer', async () => {
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

test('a sync is repeated without a counted failure when a request wrote the row meanwhile', async () => {
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

test('a failing event is retried with backoff, and marked as failed after ten attempts until it is replayed', async () => {
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

test('the failure of a customer does not delay other customers', async () => {
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
  ['returns a malformed response', { kind: 'nonsense' }],
] as const)('while Stripe %s an event stays pending for three days', async (_, kind) => {
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

test('pending events are processed once Stripe is available again', async () => {
  const { customer } = await subscribed()
  const event = customerEvent(customer)
  await deliver(event)
  stripe.fault({ kind: 'cut', times: 1000 })
  await syncNow(customer)
  stripe.clearFaults()
  await syncNow(customer)
  expect(await storedEvent(event.id)).toMatchObject({ status: 'done', error: null })
})

test('a permanent violation of a unique index is not retried as a conflict for ever', async () => {
  const { customer, mend } = await failing()
  await mend()
  const [{ id }] = (await dashboard.subscriptions.list({ customer })).data
  const { path } = await subscribed()
  await database.query('CREATE UNIQUE INDEX "external" ON "subscription" ("externalId")')
  await database.query(`UPDATE "subscription" SET "externalId" = $1 WHERE "id" = $2`, [id, path.split('/').at(-1)])
  const event = customerEvent(customer)
  await deliver(event)
  for (let tries = 0; tries < 15; tries++) await syncNow(customer)
  expect(await storedEvent(event.id)).toMatchObject({
    status: 'failed',
    error: expect.stringContaining('duplicate key'),
  })
  await database.query('DROP INDEX "external"')
})

test('another process processes the events of a process that died', async () => {
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

test('a job that waits for its time is not enqueued again', async () => {
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

test('an event of an unknown customer is ignored; the customer is synced once an organization has it', async () => {
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

test('replaying a processed event runs another sync; an event without a customer cannot be replayed', async () => {
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
