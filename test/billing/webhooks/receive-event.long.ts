import { gzipSync } from 'node:zlib'
import request from 'supertest'
import { DataSource } from 'typeorm'
import { StripeEvent } from '../../../entities/index.ts'
import { createApp } from '../../../src/app.ts'
import { survivePoolErrors } from '../../../src/runtime/database.ts'
import { stripeCustomer } from '../../support/billing/billing.ts'
import { createEvent, deliver, deliverBody, signatureFor, storedEvent } from '../../support/billing/stripe-events.ts'
import { syncNow } from '../../support/billing/sync-now.ts'
import { CuttableConnection } from '../../support/processes/cuttable-connection.ts'
import { expectProblem, raw } from '../../support/requests/raw-responses.ts'
import { openWorld } from '../../support/world.ts'

const { billing, database, services, stripe } = await openWorld()

const now = () => Math.floor(Date.now() / 1000)
const told = () => createEvent('customer.updated', { id: 'cus_somebody', object: 'customer' })
const jobs = async (key: string) => {
  const [{ count }] = await database.query(`SELECT count(*)::int FROM graphile_worker.jobs WHERE "key" = $1`, [key])
  return count
}

/** A thin event of the v2 API: it contains the id of its object, not the object. */
const thin = () => ({
  id: `evt_test_${Math.random().toString(36).slice(2)}`,
  object: 'v2.core.event',
  type: 'v1.customer.subscription.updated',
  created: '2026-11-26T20:00:00.000Z',
  livemode: false,
  context: null,
  related_object: { id: 'sub_somebodys', type: 'subscription', url: '/v1/subscriptions/sub_somebodys' },
})

test('a thin event is acknowledged and ignored, also when it is repeated', async () => {
  const event = thin()
  for (const _ of [1, 2]) {
    const { status, text } = await deliver(event)
    expect([status, JSON.parse(text)]).toEqual([200, { received: true }])
  }
  expect(await storedEvent(event.id)).toMatchObject({
    type: event.type,
    status: 'ignored',
    payload: {},
    objectId: null,
  })
  expectProblem(
    await deliverBody(JSON.stringify(event), signatureFor(JSON.stringify(event), { secret: 'whsec_x' })),
    400,
  )
  for (const odd of [{ created: 'soon' }, { created: 5 }, { livemode: undefined }, { related_object: 7, data: null }])
    expect((await deliver({ ...thin(), ...odd })).status).toBe(200)
})

describe('only the id and the type are stored', () => {
  const email = 'stranger@example.com'
  const kept = { payload: {}, customerId: null, objectId: null, status: 'ignored' }

  test('of an irrelevant event', async () => {
    const event = createEvent('charge.succeeded', {
      id: 'ch_1',
      object: 'charge',
      customer: 'cus_1',
      receipt_email: email,
    })
    await deliver(event)
    expect(await storedEvent(event.id)).toMatchObject({ ...kept, type: 'charge.succeeded' })
  })

  test('of an event of an unknown customer, from the start', async () => {
    const event = createEvent('customer.updated', { id: 'cus_stranger', object: 'customer', email })
    await deliver(event)
    expect(await storedEvent(event.id)).toMatchObject({ payload: {}, status: 'pending' })
    await syncNow('cus_stranger')
    expect(await storedEvent(event.id)).toMatchObject({ ...kept, type: 'customer.updated' })
    const found = await database.query(`SELECT 1 FROM "stripe_event" AS "row" WHERE "row"::text LIKE '%${email}%'`)
    expect(found).toEqual([])
  })

  test('but the payload too for an event of a known customer', async () => {
    await stripeCustomer({ stripeCustomerId: 'cus_known' })
    const event = createEvent('customer.updated', { id: 'cus_known', object: 'customer', email })
    await deliver(event)
    expect((await storedEvent(event.id))?.payload).toMatchObject({ data: { object: { email } } })
  })
})

describe('a request that is not from Stripe, or not for this server, stores nothing:', () => {
  let before: number
  beforeEach(async () => {
    before = await database.manager.count(StripeEvent)
  })
  afterEach(async () => {
    expect(await database.manager.count(StripeEvent)).toBe(before)
  })

  const body = JSON.stringify(told())
  const at = (timestamp: number, secret?: string) => signatureFor(body, { timestamp, secret })
  const digest = () => at(now()).split('v1=')[1]
  test.each<[string, () => string | null]>([
    ['no signature', () => null],
    ['an empty signature', () => ''],
    ['a signature of another secret', () => at(now(), 'whsec_another')],
    ['the signature of another body', () => signatureFor(`${body} `)],
    ['a text instead of a signature', () => 'let me in'],
    ['a signature without a timestamp', () => `v1=${digest()}`],
    ['a timestamp without a signature', () => `t=${now()}`],
    ['a signature with an empty timestamp', () => `t=,v1=${digest()}`],
    ['a signature of another timestamp', () => at(now() - 10).replace(/t=\d+/, `t=${now()}`)],
    ['a signature that is too short', () => at(now()).slice(0, -2)],
    ['a signature of another scheme', () => at(now()).replace('v1=', 'v0=')],
    ['a signature six minutes old', () => at(now() - 360)],
    ['a signature six minutes in the future', () => at(now() + 360)],
    ['a signature one year in the future', () => at(now() + 31_536_000)],
    ['two timestamps, of which the later one is signed', () => `t=${now()},${at(now() + 3600)}`],
    ['an overlong header', () => `t=${now()},${'v1=00,'.repeat(1000)}`],
  ])('%s', async (_, signature) => {
    expectProblem(await deliverBody(body, signature()), 400)
  })

  test.each<[string, string | Buffer]>([
    ['an empty body', ''],
    ['a body that is not JSON', 'hello'],
    ['half an event', body.slice(0, -10)],
    ['null', 'null'],
    ['a number', '5'],
    ['a list', '[]'],
    ['an event without data', JSON.stringify({ ...told(), data: undefined })],
    ['an event without an object', JSON.stringify(createEvent('customer.updated', null))],
    ['an event with a string as its object', JSON.stringify(createEvent('customer.updated', 'cus_somebody'))],
    ['an event without an id', JSON.stringify({ ...told(), id: undefined })],
    ['an event with a number as its id', JSON.stringify({ ...told(), id: 5 })],
    ['an event with an overlong id', JSON.stringify({ ...told(), id: `evt_${'x'.repeat(300)}` })],
    ['an event with an id that cannot be stored', JSON.stringify({ ...told(), id: 'evt_\0' })],
    ['an event without a valid type', JSON.stringify({ ...told(), type: {} })],
    ['an event of live mode', JSON.stringify({ ...told(), livemode: true })],
    ['an event without a mode', JSON.stringify({ ...told(), livemode: undefined })],
    ['a thin event of live mode', JSON.stringify({ ...thin(), livemode: true })],
    ['a thin event without an id', JSON.stringify({ ...thin(), id: undefined })],
    ['an event that nests too deeply', body.replace('}}', `,"x":${'['.repeat(5000)}${']'.repeat(5000)}}}`)],
    ['bytes that are not UTF-8', Buffer.from([0x7b, 0xff, 0xfe, 0x7d])],
  ])('%s, although it is signed', async (_, signed) => {
    expectProblem(await deliverBody(signed), 400)
  })

  test('a body above the limit', async () => {
    const large = JSON.stringify(
      createEvent('customer.updated', { id: 'cus_somebody', padding: 'x'.repeat(1024 * 1024) }),
    )
    expect(expectProblem(await deliverBody(large), 413).detail).toContain('1024 kB')
  })

  test('a compressed body, which the signature does not cover', async () => {
    const packed = gzipSync(body)
    for (const signature of [signatureFor(body), signatureFor(packed)])
      expectProblem(await deliverBody(packed, signature, { 'Content-Encoding': 'gzip' }), 415)
  })

  test.each(['GET', 'PUT', 'PATCH', 'DELETE'])('%s, because only POST is allowed', async (method) => {
    const answer = await raw(method, '/webhooks/stripe', { 'Stripe-Signature': signatureFor(body) })
    expectProblem(answer, 405)
    expect(answer.headers.allow).toBe('POST')
  })
})

test('a server in live mode accepts only live events', async () => {
  Object.assign(billing, { live: true })
  try {
    const [test, live] = [told(), { ...told(), livemode: true }]
    expectProblem(await deliver(test), 400)
    expect((await deliver(live)).status).toBe(200)
    expect([await storedEvent(test.id), (await storedEvent(live.id))?.status]).toEqual([null, 'pending'])
  } finally {
    Object.assign(billing, { live: false })
  }
})

test('while one secret replaces another, signatures with either or both are accepted', async () => {
  billing.webhookSecrets.push('whsec_next')
  const [first, second, third] = [told(), told(), told()].map((event) => JSON.stringify(event))
  const both = (body: string, secrets: string[]) => {
    const timestamp = now()
    const signatures = secrets.map((secret) => signatureFor(body, { secret, timestamp }).split(',')[1])
    return [`t=${timestamp}`, ...signatures].join(',')
  }
  expect((await deliverBody(first, signatureFor(first))).status).toBe(200)
  expect((await deliverBody(second, signatureFor(second, { secret: 'whsec_next' }))).status).toBe(200)
  expect((await deliverBody(third, both(third, ['whsec_older', 'whsec_next']))).status).toBe(200)
  billing.webhookSecrets.pop()
  const late = JSON.stringify(told())
  expectProblem(await deliverBody(late, signatureFor(late, { secret: 'whsec_next' })), 400)
  expect((await deliverBody(late, both(late, [stripe.webhookSecret, 'whsec_next']))).status).toBe(200)
})

test('the clocks may differ by a few minutes', async () => {
  for (const timestamp of [now() - 280, now() + 280]) {
    const body = JSON.stringify(told())
    expect((await deliverBody(body, signatureFor(body, { timestamp }))).status).toBe(200)
  }
})

test('an event is stored before it is acknowledged, once, with a job for its customer', async () => {
  await stripeCustomer({ stripeCustomerId: 'cus_once' })
  const event = createEvent('invoice.paid', { id: 'in_1', object: 'invoice', customer: 'cus_once' })
  const answer = await deliver(event)
  expect([answer.status, answer.text]).toEqual([200, '{"received":true}'])
  expect(await storedEvent(event.id)).toMatchObject({
    type: 'invoice.paid',
    customerId: 'cus_once',
    objectId: 'in_1',
    created: new Date(event.created * 1000),
    payload: event,
    status: 'pending',
    attempts: 0,
    error: null,
    processedAt: null,
  })
  expect(await jobs('customer:cus_once')).toBe(1)

  await database.manager.update(StripeEvent, { id: event.id }, { status: 'done' })
  await database.query(`SELECT graphile_worker.remove_job('customer:cus_once')`)
  expect((await deliver({ ...event, type: 'invoice.voided' })).status).toBe(200)
  expect(await storedEvent(event.id)).toMatchObject({ type: 'invoice.paid', status: 'done' })
  expect(await jobs('customer:cus_once')).toBe(0)
})

test.each<[string, object]>([
  ['a type that means nothing here', createEvent('charge.succeeded', { id: 'ch_1', customer: 'cus_1' })],
  ['an unknown type', createEvent('moon.landed', { id: 'moon_1', customer: 'cus_1' })],
  ['an invoice to come, which has no name', createEvent('invoice.upcoming', { object: 'invoice', customer: 'cus_1' })],
  ['a payment method without a customer', createEvent('payment_method.updated', { id: 'pm_1', customer: null })],
  ['a customer with a number for a name', createEvent('customer.updated', { id: 5, object: 'customer' })],
  ['a customer whose name cannot be stored', createEvent('customer.updated', { id: 'cus_\0', object: 'customer' })],
  [
    'a customer with an overlong name',
    createEvent('customer.updated', { id: `cus_${'x'.repeat(3000)}`, object: 'customer' }),
  ],
])('%s is acknowledged and ignored', async (_, event) => {
  const before = await database.query(`SELECT count(*) FROM graphile_worker.jobs`)
  expect((await deliver(event)).status).toBe(200)
  expect(await storedEvent((event as { id: string }).id)).toMatchObject({ status: 'ignored', customerId: null })
  expect(await database.query(`SELECT count(*) FROM graphile_worker.jobs`)).toEqual(before)
})

const cus = 'cus_whose'
test.each<[string, object]>([
  ['customer.updated', { id: cus, object: 'customer' }],
  ['customer.deleted', { id: cus, object: 'customer', deleted: true }],
  ['customer.subscription.created', { id: 'sub_1', object: 'subscription', customer: cus }],
  ['customer.subscription.deleted', { id: 'sub_1', object: 'subscription', customer: { id: cus, object: 'customer' } }],
  ['customer.subscription.pending_update_applied', { id: 'sub_1', object: 'subscription', customer: cus }],
  ['customer.discount.deleted', { id: 'di_1', object: 'discount', customer: cus, subscription: 'sub_1' }],
  ['invoice.payment_action_required', { id: 'in_1', object: 'invoice', customer: cus }],
  ['invoice.finalization_failed', { id: 'in_1', object: 'invoice', customer: cus }],
  ['payment_method.attached', { id: 'pm_1', object: 'payment_method', customer: cus }],
  ['payment_method.detached', { id: 'pm_1', object: 'payment_method', customer: null }],
  ['payment_method.automatically_updated', { id: 'pm_1', object: 'payment_method', customer: cus }],
  ['checkout.session.completed', { id: 'cs_1', object: 'checkout.session', customer: cus }],
  ['setup_intent.succeeded', { id: 'seti_1', object: 'setup_intent', customer: cus }],
])('%s identifies its customer', async (type, object) => {
  const previous_attributes = { customer: cus }
  const event = createEvent(type, object, { data: { object, previous_attributes } })
  expect((await deliver(event)).status).toBe(200)
  expect(await storedEvent(event.id)).toMatchObject({ status: 'pending', customerId: cus })
})

test.each([-1, 1e300, 253_402_300_800, 1.5, '2026-01-01', null, {}, undefined])(
  'an event with the time %j gets the current time',
  async (created) => {
    const event = createEvent('customer.updated', { id: 'cus_when', object: 'customer' }, { created })
    expect((await deliver(event)).status).toBe(200)
    const age = Date.now() - ((await storedEvent(event.id))?.created.getTime() ?? 0)
    expect(Math.abs(age)).toBeLessThan(5000)
  },
)

test('characters that Postgres cannot store are replaced', async () => {
  const name = 'a\0b \ud800 \\u0000 \ud83d\ude00 "\u0001"'
  await stripeCustomer({ stripeCustomerId: 'cus_odd' })
  const event = createEvent('customer.updated', { id: 'cus_odd', object: 'customer', name, '\0': 1e308 })
  expect((await deliver(event)).status).toBe(200)
  expect((await storedEvent(event.id))?.payload).toMatchObject({
    data: { object: { name: 'a\ufffdb \ufffd \\u0000 \ud83d\ude00 "\u0001"', '\ufffd': 1e308 } },
  })
})

test('Stripe gets an error to retry when the job cannot be written, and the event is not stored', async () => {
  await database.query(
    `CREATE FUNCTION "refuse"() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no jobs today'; END $$`,
  )
  await database.query(
    `CREATE TRIGGER "refuse" BEFORE INSERT ON graphile_worker._private_jobs EXECUTE FUNCTION "refuse"()`,
  )
  const event = createEvent('customer.updated', { id: 'cus_refused', object: 'customer' })
  const refused = await deliver(event)
  await database.query('DROP FUNCTION "refuse" CASCADE')
  expectProblem(refused, 500)
  expect(await storedEvent(event.id)).toBeNull()
  expect((await deliver(event)).status).toBe(200)
  expect([(await storedEvent(event.id))?.status, await jobs('customer:cus_refused')]).toEqual(['pending', 1])
})

test('Stripe gets an error to retry while the table is locked', async () => {
  const event = told()
  const runner = database.createQueryRunner()
  await runner.startTransaction()
  await runner.query('LOCK TABLE "stripe_event"')
  const kept = await deliver(event)
  await runner.rollbackTransaction()
  await runner.release()
  expectProblem(kept, 503)
  expect(kept.headers['retry-after']).toBeDefined()
  expect((await deliver(event)).status).toBe(200)
  expect((await storedEvent(event.id))?.status).toBe('pending')
})

test('Stripe gets an error to retry while the database is unreachable', async () => {
  const { host, port } = database.options as never as Record<string, string>
  const line = new CuttableConnection(`${host}/.s.PGSQL.${port}`)
  await line.open()
  const extra = { max: 2, connectionTimeoutMillis: 300 }
  const options = { ...database.options, host: '127.0.0.1', port: line.port, extra }
  const far = await new DataSource(options as never).initialize()
  survivePoolErrors(far)
  const app = await createApp({ ...services, database: far })
  const server = app.listen(0)
  const post = (event: object) => {
    const body = JSON.stringify(event)
    return request(server).post('/webhooks/stripe').set('Stripe-Signature', signatureFor(body)).send(body)
  }
  expect((await post(told())).status).toBe(200)
  await line.cut()
  const event = told()
  const answer = await post(event)
  await line.open()
  expect([answer.status, answer.headers['retry-after'], await storedEvent(event.id)]).toEqual([503, '2', null])
  expect((await post(event)).status).toBe(200)
  expect((await storedEvent(event.id))?.status).toBe('pending')
  await new Promise((resolve) => server.close(resolve))
  await far.destroy()
  await line.cut()
})
