import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { faultKinds } from '../../../src/emulators/stripe/control/ordered-faults.ts'
import { startLocalStripe } from '../../../src/emulators/stripe/server.ts'
import { clientOf, refusal } from './local-client.ts'

const readme = readFileSync('src/emulators/stripe/README.md', 'utf8')

const received: string[] = []
const endpoint = createServer((request, response) => {
  request.resume().on('end', () => response.end())
  received.push(request.url as string)
})
await new Promise<void>((listening) => endpoint.listen(0, '127.0.0.1', listening))
const webhookUrl = `http://127.0.0.1:${(endpoint.address() as AddressInfo).port}/`
const local = await startLocalStripe({ webhookUrl })
const stripe = clientOf(local)
afterAll(async () => {
  await local.stop()
  endpoint.close()
})

/** A control endpoint as curl asks it, without a key. */
async function control<T = Record<string, unknown>>(endpoint: string, body?: object | string): Promise<T> {
  const [method, path] = endpoint.split(' ')
  const response = await fetch(`${local.url}${path}`, {
    method,
    body: typeof body === 'object' ? JSON.stringify(body) : body,
  })
  expect(response.status).toBe(200)
  return response.json() as Promise<T>
}

async function subscribed() {
  const { id: customer } = await stripe.customers.create({})
  const { id: method } = await stripe.paymentMethods.attach('pm_card_visa', { customer })
  const [{ id: price }] = (await stripe.prices.list({ lookup_keys: ['seat_monthly'] })).data
  const terms = { customer, items: [{ price }], default_payment_method: method }
  return { ...(await stripe.subscriptions.create(terms)), method }
}

const statusOf = async ({ id }: { id: string }) => (await stripe.subscriptions.retrieve(id)).status
const advance = (days: number) => control('POST /local/clock', { advance: { days } })

const endpoints: Record<string, () => Promise<void>> = {
  async 'GET /local/clock'() {
    expect((await control<{ now: number }>('GET /local/clock')).now).toBe(local.now())
  },
  async 'POST /local/clock'() {
    const { id, items } = await subscribed()
    await advance(32)
    const [{ current_period_start }] = (await stripe.subscriptions.retrieve(id)).items.data
    expect(current_period_start).toBe(items.data[0].current_period_end)
  },
  async 'POST /local/faults'() {
    await control('POST /local/faults', { kind: 'status', status: 503 })
    expect((await refusal(stripe.customers.list())).statusCode).toBe(503)
  },
  async 'DELETE /local/faults'() {
    await control('POST /local/faults', { kind: 'status', status: 503 })
    await control('DELETE /local/faults')
    expect((await stripe.customers.list()).object).toBe('list')
  },
  async 'POST /local/cards'() {
    const subscription = await subscribed()
    await control('POST /local/cards', { payment_method: subscription.method, decline: 'insufficient_funds' })
    await advance(32)
    expect(await statusOf(subscription)).toBe('past_due')
  },
  async 'POST /local/retries'() {
    const subscription = await subscribed()
    await control('POST /local/cards', { payment_method: subscription.method, decline: 'insufficient_funds' })
    await control('POST /local/retries', '{"then": "canceled"}')
    await advance(50)
    await control('POST /local/retries', '{"then": "unpaid"}')
    expect(await statusOf(subscription)).toBe('canceled')
  },
  async 'POST /local/webhooks'() {
    await control('POST /local/settled')
    expect(await control('POST /local/webhooks', { hold: true, duplicates: 1 })).toMatchObject({ hold: true })
    const before = received.length
    await stripe.customers.create({})
    await control('POST /local/settled')
    const held = received.length - before
    await control('POST /local/webhooks', { hold: false, duplicates: 0, shuffle: false, delay: 0 })
    await control('POST /local/settled')
    expect([held, received.length - before]).toEqual([0, 2])
  },
  async 'POST /local/settled'() {
    const before = received.length
    await stripe.customers.create({})
    await control('POST /local/settled')
    expect(received.length).toBeGreaterThan(before)
  },
  async 'GET /local/requests'() {
    await stripe.customers.create({ name: 'Ada' })
    const { data } = await control<{ data: object[] }>('GET /local/requests')
    expect(data.at(-1)).toMatchObject({ method: 'POST', path: '/v1/customers', params: { name: 'Ada' }, status: 200 })
  },
}

const listed = Array.from(readme.matchAll(/`((?:GET|POST|DELETE) \/local\/\w+)`/g), ([, name]) => name)

test('the README lists the control endpoints, and each is exercised here', () => {
  expect(listed).toEqual(Object.keys(endpoints))
})

test.each(listed)('%s works as the README says', (name) => endpoints[name]())

const order = (fault: object) => control('POST /local/faults', { path: '/v1/customers', ...fault })

const faults: Record<string, () => Promise<void>> = {
  async slow() {
    await order({ kind: 'slow', ms: 120 })
    const began = performance.now()
    await stripe.customers.list()
    expect(performance.now() - began).toBeGreaterThan(110)
  },
  async status() {
    await order({ kind: 'status', status: 429, retryAfter: 7 })
    const { statusCode, headers } = await refusal(stripe.customers.list())
    expect([statusCode, headers?.['retry-after']]).toEqual([429, '7'])
  },
  async html() {
    await order({ kind: 'html' })
    expect((await refusal(stripe.customers.list())).type).toBe('StripeAPIError')
  },
  async nonsense() {
    await order({ kind: 'nonsense' })
    expect(await stripe.customers.list()).toMatchObject({ greeting: 'hello' })
  },
  async cut() {
    await order({ kind: 'cut', method: 'POST', times: 2 })
    expect((await refusal(stripe.customers.create({ email: 'cut@example.com' }))).type).toBe('StripeConnectionError')
    expect((await stripe.customers.list({ email: 'cut@example.com' })).data).toEqual([])
  },
  async lost() {
    await order({ kind: 'lost', method: 'POST', times: 2 })
    expect((await refusal(stripe.customers.create({ email: 'lost@example.com' }))).type).toBe('StripeConnectionError')
    expect((await stripe.customers.list({ email: 'lost@example.com' })).data).toHaveLength(1)
  },
  async behind() {
    const email = 'behind@example.com'
    await stripe.customers.create({ email })
    await order({ kind: 'behind', seconds: 60 })
    const lists = [await stripe.customers.list({ email }), await stripe.customers.list({ email })]
    expect(lists.map(({ data }) => data.length)).toEqual([0, 1])
  },
  async decline() {
    const { id: customer } = await stripe.customers.create({})
    const setup = await stripe.setupIntents.create({ customer })
    await order({ kind: 'decline', code: 'lost_card', path: '/v1/setup_intents' })
    const declined = await refusal(stripe.setupIntents.confirm(setup.id, { payment_method: 'pm_card_visa' }))
    expect(declined).toMatchObject({ statusCode: 402, decline_code: 'lost_card' })
  },
}

test('the README lists the kinds of faults, and each is exercised here', () => {
  const [, sentence] = /^Faults: ([^;]*);/m.exec(readme) as RegExpExecArray
  expect(Array.from(sentence.matchAll(/`(\w+)`/g), ([, kind]) => kind)).toEqual(faultKinds)
  expect(Object.keys(faults)).toEqual(faultKinds)
})

test.each(faultKinds)('the fault %s happens to the request it is ordered for', (kind) => faults[kind]())

test('an unknown fault, card or status and a clock that goes back are refused with 400', async () => {
  const post = async (path: string, body: object) =>
    (await fetch(`${local.url}/local/${path}`, { method: 'POST', body: JSON.stringify(body) })).status
  expect(await post('faults', { kind: 'flood' })).toBe(400)
  expect(await post('cards', { payment_method: 'pm_none' })).toBe(400)
  expect(await post('clock', { advance: { days: -1 } })).toBe(400)
  expect(await post('retries', { status: 'canceled' })).toBe(400)
  expect(await post('weather', {})).toBe(404)
})
