import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { StripeEvent } from '../../../entities/index.ts'
import { reconcile } from '../../../src/billing/sync/reconcile.ts'
import { customerIdOf, dashboard, modulesOf, subscribed } from '../../support/billing/stripe.ts'
import { createEvent, deliver, storedEvent } from '../../support/billing/stripe-events.ts'
import { customerEvent, jobOf, syncNow } from '../../support/billing/sync-now.ts'
import { eventually } from '../../support/eventually.ts'
import { startJobs } from '../../support/jobs.ts'
import { openWorld } from '../../support/world.ts'

const { database, stripe } = await openWorld()

test('the nightly reconciliation stores changes whose events are missing', async () => {
  const one = await subscribed({ modules: ['planning'] })
  const other = await subscribed()
  await dashboard.subscriptions.cancel(one.externalId)
  await dashboard.subscriptions.update(other.externalId, { cancel_at_period_end: true })
  await reconcile(database)
  const jobs = await Promise.all([one, other].map(({ customer }) => jobOf(customer, 'reconcile')))
  expect(jobs.map((job) => job?.payload.thorough)).toEqual([true, true])
  for (const { customer } of [one, other]) await syncNow(customer, 'reconcile')
  expect((await one.api.get(one.path)).body.status).toBe('canceled')
  expect(await modulesOf(one)).toEqual([])
  expect((await other.api.get(other.path)).body.cancelAt).not.toBeNull()
})

test('the nightly reconciliation stays thorough after an event and after a failure', async () => {
  const { customer } = await subscribed()
  await reconcile(database)
  await deliver(customerEvent(customer))
  stripe.fault({ kind: 'status', status: 500, times: 1000 })
  await syncNow(customer, 'reconcile')
  stripe.clearFaults()
  expect((await jobOf(customer, 'reconcile'))?.payload).toEqual({ customer, thorough: true, failures: 1 })
})

test('a sync fetches the newest hundred invoices and those of its events; the reconciliation fetches all', async () => {
  const { customer, api, path } = await subscribed()
  stripe.advance({ days: 31 * 104 })
  const all = await dashboard.invoices.list({ customer, limit: 100 }).autoPagingToArray({ limit: 1000 })
  expect(all.length).toBeGreaterThan(102)
  const total = async () => (await api.get(`${path}/invoices`)).body.totalItems
  await syncNow(customer)
  expect(await total()).toBe(100)

  const event = createEvent('invoice.paid', { id: all[102].id, object: 'invoice', customer })
  await deliver(event)
  await syncNow(customer)
  expect([await total(), (await storedEvent(event.id))?.status]).toEqual([101, 'done'])
  await reconcile(database)
  await syncNow(customer, 'reconcile')
  expect(await total()).toBe(all.length)
}, 20_000)

test('events are kept for thirty days, and longer while they are pending or failed', async () => {
  const ids = []
  for (const status of ['done', 'ignored', 'failed', 'pending'] as const) {
    const event = customerEvent(`cus_${status}`)
    await deliver(event)
    await database.query(
      `UPDATE "stripe_event" SET "status" = $2, "receivedAt" = now() - interval '31 days' WHERE "id" = $1`,
      [event.id, status],
    )
    ids.push(event.id)
  }
  await reconcile(database)
  expect(await Promise.all(ids.map(async (id) => Boolean(await storedEvent(id))))).toEqual([false, false, true, true])
})

test('the deletion of a customer at Stripe removes its cards and ends its subscription', async () => {
  const { customer, api, path, tenant, ...subscriber } = await subscribed({ modules: ['planning'] })
  const event = createEvent('customer.deleted', { id: customer, object: 'customer', deleted: true })
  await dashboard.customers.del(customer)
  await deliver(event)
  await syncNow(customer)
  expect((await storedEvent(event.id))?.status).toBe('done')
  expect((await api.get(path)).body).toMatchObject({ status: 'canceled', paymentMethod: null })
  expect((await api.get('/payment-methods')).body.member).toEqual([])
  expect(await customerIdOf({ ...subscriber, api, tenant })).toBeNull()

  const { status, body } = await api.post('/payment-methods', { externalId: 'pm_card_visa' })
  expect([status, body.preferred]).toEqual([201, true])
  const anew = await api.post('/subscriptions', { paymentMethod: body['@id'] })
  expect([anew.status, anew.body.status]).toEqual([201, 'active'])
  expect(await customerIdOf({ ...subscriber, api, tenant })).not.toBe(customer)
})

test('one sync stores a subscription that ended at Stripe and another that was created there', async () => {
  const { customer, externalId, api, path } = await subscribed()
  const { items } = await dashboard.subscriptions.retrieve(externalId)
  await dashboard.subscriptions.cancel(externalId)
  const subscription = await dashboard.subscriptions.create({
    customer,
    items: [{ price: items.data[0].price.id, quantity: 9 }],
  })
  await deliver(customerEvent(customer))
  await syncNow(customer)
  const { member } = (await api.get('/subscriptions')).body
  expect(member).toHaveLength(2)
  expect(member).toContainEqual(expect.objectContaining({ '@id': path, status: 'canceled' }))
  expect(member).toContainEqual(expect.objectContaining({ externalId: subscription.id, status: 'active', seats: 9 }))
})

describe('npm run webhooks', () => {
  const command = async (...words: string[]) => {
    const { database: name, host, port, username } = database.options as never as Record<string, string>
    const url = `postgres://${username}@localhost:${port}/${name}?host=${encodeURIComponent(host)}`
    const run = promisify(execFile)(process.execPath, ['dist/bundle/webhooks.js', ...words], {
      env: { PATH: process.env.PATH, DATABASE_URL: url },
    })
    return run.then(
      ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
      ({ code, stdout, stderr }) => ({ code, stdout, stderr }),
    )
  }

  test('lists failed events and replays them; without arguments it prints its usage', async () => {
    await database.query(`DELETE FROM "stripe_event" WHERE "status" = 'failed'`)
    const { customer } = await subscribed()
    const [first, second] = [customerEvent(customer), customerEvent(customer)]
    for (const event of [first, second]) await deliver(event)
    const put = { status: 'failed', attempts: 10, error: 'Alas' } as const
    await database.manager.update(StripeEvent, { customerId: customer }, put)
    const [failed, usage] = await Promise.all([command('failed'), command('replay')])
    for (const { id } of [first, second])
      expect(failed.stdout).toContain(`${id}  customer.updated  ${customer}  after 10 attempts: Alas`)
    expect([failed.code, usage.code]).toEqual([0, 1])
    expect(usage.stderr).toContain('npm run webhooks -- replay <id>…')

    const replayed = await command('replay', first.id, 'evt_x')
    expect(replayed).toMatchObject({
      code: 1,
      stdout: `Enqueued ${first.id}.
`,
    })
    expect(replayed.stderr).toContain('evt_x is not a stored event')
    await syncNow(customer)
    expect([(await storedEvent(first.id))?.status, (await storedEvent(second.id))?.status]).toEqual(['done', 'failed'])
    expect(await command('replay', '--failed')).toMatchObject({
      code: 0,
      stdout: `Enqueued ${second.id}.\n`,
    })
    await syncNow(customer)
    expect((await storedEvent(second.id))?.status).toBe('done')
  }, 20_000)
})

test('two processes that receive the same events process each of them once', async () => {
  await database.query(`DELETE FROM graphile_worker._private_jobs`)
  await database.query(`CREATE TABLE "application" ("event" text)`)
  await database.query(`CREATE FUNCTION "noted"() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN INSERT INTO "application" VALUES (NEW."id"); RETURN NULL; END $$`)
  await database.query(`CREATE TRIGGER "noted" AFTER UPDATE ON "stripe_event" FOR EACH ROW
    WHEN (OLD."status" = 'pending' AND NEW."status" = 'done') EXECUTE FUNCTION "noted"()`)
  const subscribers = await Promise.all([subscribed(), subscribed(), subscribed()])
  await Promise.all([startJobs(), startJobs()])
  const events = Array.from({ length: 20 }, () => subscribers.map(({ customer }) => customerEvent(customer))).flat()
  const copies = [...events, ...events, ...events].sort(() => Math.random() - 0.5)
  const answers = await Promise.all(copies.map(deliver))
  expect(answers.every(({ status }) => status === 200)).toBe(true)
  await eventually(
    () =>
      database.query(`SELECT DISTINCT "status" FROM "stripe_event" WHERE "id" = ANY($1)`, [events.map(({ id }) => id)]),
    (statuses) => expect(statuses).toEqual([{ status: 'done' }]),
  )
  const applied = await database.query(`SELECT "event" FROM "application" WHERE "event" = ANY($1)`, [
    events.map(({ id }) => id),
  ])
  expect(applied.map(({ event }: { event: string }) => event).sort()).toEqual(events.map(({ id }) => id).sort())
}, 20_000)
