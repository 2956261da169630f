import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Stripe from 'stripe'
import { startLocalStripe } from '../../../src/emulators/stripe/server.ts'
import { clientOf } from './local-client.ts'

const heard: { body: string; signature: string }[] = []
let answers: number[] = []
const listener = createServer(async (request, response) => {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  heard.push({ body: Buffer.concat(chunks).toString(), signature: String(request.headers['stripe-signature']) })
  response.writeHead(answers.shift() ?? 200).end()
})
await new Promise<void>((listening) => listener.listen(0, '127.0.0.1', listening))
const webhookUrl = `http://127.0.0.1:${(listener.address() as AddressInfo).port}/webhooks/stripe`

const local = await startLocalStripe({ webhookUrl })
const stripe = clientOf(local)
afterAll(async () => {
  await local.stop()
  listener.close()
})
beforeEach(async () => {
  await local.settled()
  heard.length = 0
})

const constructed = () =>
  heard.map(({ body, signature }) => Stripe.webhooks.constructEvent(body, signature, local.webhookSecret))
const named = () => constructed().map((event) => (event.data.object as Stripe.Customer).name)

test('events are delivered, and signed so that the client believes them', async () => {
  const customer = await stripe.customers.create({ name: 'Ada' })
  await stripe.customers.update(customer.id, { name: 'Ada Lovelace' })
  await local.settled()
  const [created, updated] = constructed()

  expect(created).toMatchObject({ type: 'customer.created', data: { object: { name: 'Ada' } }, livemode: false })
  expect(updated).toMatchObject({ type: 'customer.updated', data: { previous_attributes: { name: 'Ada' } } })
  expect(created.request?.id).toMatch(/^req_/)
  expect(await stripe.events.retrieve(created.id)).toMatchObject({ id: created.id, pending_webhooks: 0 })
  expect(() => Stripe.webhooks.constructEvent(heard[0].body, heard[0].signature, 'whsec_other')).toThrow()
})

test('an update that changes nothing emits no event', async () => {
  const customer = await stripe.customers.create({ name: 'Ada' })
  await stripe.customers.update(customer.id, { name: 'Ada' })
  await local.settled()

  expect(named()).toEqual(['Ada'])
})

test('an event that was not taken comes again', async () => {
  answers = [500, 404]
  await stripe.customers.create({ name: 'Ada' })
  await local.settled()

  expect(named()).toEqual(['Ada', 'Ada', 'Ada'])
})

test('events are held, released in any order, and sent more than once, as ordered', async () => {
  local.deliveries.hold()
  local.deliveries.shuffle = true
  local.deliveries.duplicates = 1
  const names = Array.from({ length: 12 }, (_, number) => `customer ${number}`)
  for (const name of names) await stripe.customers.create({ name })
  await local.settled()
  const before = heard.length
  local.deliveries.release()
  await local.settled()
  Object.assign(local.deliveries, { shuffle: false, duplicates: 0 })

  expect(before).toBe(0)
  expect(named().sort()).toEqual([...names, ...names].sort())
  expect(named()).not.toEqual(names.flatMap((name) => [name, name]))
})

test('anybody can deliver an event, as of any time and with any secret', async () => {
  await stripe.customers.create({})
  const event = local.stripe.events.at(-1) as (typeof local.stripe.events)[number]
  const { body, headers } = local.sign(event)
  const old = local.sign(event, { timestamp: 1_700_000_000 })
  const other = local.sign(event, { secret: 'whsec_other' })
  const { constructEvent } = Stripe.webhooks
  const read = ({ body, headers }: typeof old, secret = local.webhookSecret) =>
    constructEvent.call(Stripe.webhooks, body, headers['stripe-signature'], secret)

  expect(read({ body, headers }).id).toBe(event.id)
  expect(() => read(old)).toThrow('tolerance')
  expect(() => read(other)).toThrow()
  expect(read(other, 'whsec_other').id).toBe(event.id)
})

test('a refused request tells nothing, and a declined payment does', async () => {
  const { id: customer } = await stripe.customers.create({})
  await stripe.paymentMethods.attach('pm_card_chargeDeclined', { customer }).catch(() => {})
  await local.settled()

  expect(constructed().map(({ type }) => type)).toEqual(['customer.created'])
})

test('events can be listed by type', async () => {
  await stripe.customers.create({ name: 'Last' })

  expect((await stripe.events.list({ type: 'customer.*', limit: 1 })).data).toMatchObject([
    { type: 'customer.created', data: { object: { name: 'Last' } } },
  ])
  expect((await stripe.events.list({ types: ['coupon.created'] })).data).toEqual([])
})

test('with a journal an account goes on after a restart where it was, with its time', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'local-stripe-'))
  const journal = join(directory, 'stripe.jsonl')
  const before = await startLocalStripe({ journal })
  const { customers, paymentMethods, prices, subscriptions } = clientOf(before)
  const { id: customer } = await customers.create({ name: 'Ada' })
  const { id: method } = await paymentMethods.attach('pm_card_visa', { customer })
  const [price] = (await prices.list({ limit: 1 })).data
  const { id } = await subscriptions.create({ customer, items: [{ price: price.id }], default_payment_method: method })
  before.decline(method, 'insufficient_funds')
  before.advance({ days: 10 })
  const kept = await subscriptions.retrieve(id)
  await before.stop()

  const after = await startLocalStripe({ journal })
  const again = clientOf(after)
  const found = await again.subscriptions.retrieve(id)
  const count = (await again.prices.list({ limit: 100 })).data.length
  const [first] = (await again.invoices.list({ customer })).data
  after.advance({ days: 400 })
  const unpaid = await again.subscriptions.retrieve(id)
  await after.stop()
  await rm(directory, { recursive: true })

  expect(JSON.stringify(found)).toBe(JSON.stringify(kept))
  expect(after.now() - 400 * 86_400).toBeGreaterThanOrEqual(kept.created + 10 * 86_400)
  expect(count).toBe(2)
  expect(first.hosted_invoice_url).toBe(`${after.url}/local/invoices/${first.id}`)
  expect(unpaid.status).toBe('unpaid')
})

test('a lot happens in a little time', async () => {
  const own = await startLocalStripe()
  const { customers, prices, subscriptions } = clientOf(own)
  const [price] = (await prices.list({ lookup_keys: ['seat_monthly'] })).data
  const began = Date.now()
  for (let number = 0; number < 20; number++) {
    const { id } = await customers.create({ name: `${number}`, payment_method: 'pm_card_visa' })
    const [method] = (await customers.listPaymentMethods(id)).data
    await subscriptions.create({ customer: id, items: [{ price: price.id }], default_payment_method: method.id })
  }
  own.advance({ days: 365 })
  const took = Date.now() - began
  await own.stop()

  expect(own.stripe.events.length).toBeGreaterThan(2000)
  expect(took).toBeLessThan(5000)
})
