import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { FaultOrder } from '../../../src/emulators/stripe/control/ordered-faults.ts'
import { type Customer, payingCustomer, stripeCustomer } from '../../support/billing/billing.ts'
import { customerIdOf, dashboard, serverRequests, subscribed } from '../../support/billing/stripe.ts'
import { expectProblem } from '../../support/requests/raw-responses.ts'
import { billing, database, stripe } from '../../support/world.ts'

/** Its patience, so that nobody waits for what is slow. */
const settings = (billing.stripe as unknown as { _api: { timeout: number; port: string; maxNetworkRetries: number } })
  ._api
const usual = { ...settings, maxNetworkRetries: 0 }
beforeAll(() => Object.assign(settings, usual))
afterEach(() => {
  stripe.clearFaults()
  Object.assign(settings, usual)
})

/** A port at which nobody listens. */
const closed = await new Promise<number>((resolve) => {
  const server = createServer().listen(0, '127.0.0.1', () => {
    const { port } = server.address() as AddressInfo
    server.close(() => resolve(port))
  })
})

const ordered =
  (order: FaultOrder, timeout = usual.timeout) =>
  () => {
    stripe.fault({ ...order, times: 1000 })
    Object.assign(settings, { timeout })
  }
const weathers: [string, number, () => void][] = [
  ['cannot be reached', 503, () => Object.assign(settings, { port: String(closed) })],
  ['hangs up', 503, ordered({ kind: 'cut' })],
  ['is too slow', 503, ordered({ kind: 'slow', ms: 250 }, 150)],
  ['throttles', 503, ordered({ kind: 'status', status: 429, retryAfter: 9 })],
  ['answers 500', 502, ordered({ kind: 'status', status: 500 })],
  ['answers 503', 502, ordered({ kind: 'status', status: 503 })],
  ['answers 401', 409, ordered({ kind: 'status', status: 401 })],
  ['answers 403', 409, ordered({ kind: 'status', status: 403 })],
  ['answers an error page', 502, ordered({ kind: 'html' })],
  ['answers a page that all is well', 502, ordered({ kind: 'html', status: 200 })],
  ['answers something else', 502, ordered({ kind: 'nonsense' })],
  ['answers null', 502, ordered({ kind: 'nonsense', body: 'null' })],
  ['answers a list', 502, ordered({ kind: 'nonsense', body: '[]' })],
  ['answers an empty object', 502, ordered({ kind: 'nonsense', body: '{"id":"x","object":"subscription"}' })],
]

interface Wish {
  title: string
  payer: () => Promise<Customer & { path?: string; card?: string }>
  method: 'post' | 'patch' | 'delete'
  path: (payer: { path?: string; card?: string }) => string
  body?: (payer: { card?: string }) => object
  /** What Stripe is to have of it once it has worked. */
  made: (customer: string) => Promise<unknown>
}

const subscriptions = async (customer: string) => (await dashboard.subscriptions.list({ customer, status: 'all' })).data
const first = async (customer: string) => (await subscriptions(customer))[0]
const cards = async (customer: string) => (await dashboard.customers.listPaymentMethods(customer)).data.length
const wishes: Wish[] = [
  {
    title: 'to subscribe with a card',
    payer: payingCustomer,
    method: 'post',
    path: () => '/subscriptions',
    body: ({ card }) => ({ paymentMethod: card }),
    made: async (customer) => (await subscriptions(customer)).map(({ status }) => status).join() === 'active',
  },
  {
    title: 'to subscribe',
    payer: stripeCustomer,
    method: 'post',
    path: () => '/subscriptions',
    made: async (customer) => (await subscriptions(customer)).map(({ status }) => status).join() === 'incomplete',
  },
  {
    title: 'to change it',
    payer: subscribed,
    method: 'patch',
    path: ({ path }) => `${path}`,
    body: () => ({ seats: 30, modules: ['banking'] }),
    made: async (customer) => (await first(customer)).items.data.map(({ quantity }) => quantity).join() === '30,1',
  },
  {
    title: 'to cancel it',
    payer: subscribed,
    method: 'post',
    path: ({ path }) => `${path}/cancel`,
    made: async (customer) => (await first(customer)).cancel_at_period_end,
  },
  {
    title: 'to end it at once',
    payer: subscribed,
    method: 'post',
    path: ({ path }) => `${path}/cancel`,
    body: () => ({ immediately: true }),
    made: async (customer) => (await first(customer)).status === 'canceled',
  },
  {
    title: 'to apply a coupon',
    payer: subscribed,
    method: 'post',
    path: () => '/subscriptions/apply-coupon',
    body: () => ({ code: 'SPRING' }),
    made: async (customer) => (await first(customer)).discounts.length === 1,
  },
  {
    title: 'to clear the coupon',
    payer: async () => {
      const payer = await subscribed()
      await payer.api.post('/subscriptions/apply-coupon', { code: 'LOYAL10' })
      return payer
    },
    method: 'post',
    path: () => '/subscriptions/clear-coupon',
    made: async (customer) => (await first(customer)).discounts.length === 0,
  },
  {
    title: 'to add a card',
    payer: payingCustomer,
    method: 'post',
    path: () => '/payment-methods',
    body: () => ({ externalId: 'pm_card_mastercard' }),
    made: async (customer) => (await cards(customer)) === 2,
  },
  {
    title: 'to remove a card',
    payer: payingCustomer,
    method: 'delete',
    path: ({ card }) => `${card}`,
    made: async (customer) => (await cards(customer)) === 0,
  },
  {
    title: 'to set up a card',
    payer: stripeCustomer,
    method: 'post',
    path: () => '/payment-methods/setup',
    made: async (customer) => (await dashboard.setupIntents.list({ customer })).data.length === 1,
  },
]

const tables = ['subscription', 'payment_method', 'invoice', 'audit_event']
async function rowsOf({ tenant }: Customer): Promise<unknown> {
  const rows = await Promise.all(
    tables.map((table) =>
      database.query(`SELECT * FROM "${table}" WHERE "organizationId" = $1 ORDER BY "id"`, [tenant.organization.id]),
    ),
  )
  const { currentSubscriptionId, stripeCustomerId } = (
    await database.query(`SELECT * FROM "organization" WHERE "id" = $1`, [tenant.organization.id])
  )[0]
  return { rows, currentSubscriptionId, stripeCustomerId }
}

let keys = 0

/** A wish that is said again and again, in the same words and under the same key. */
async function said({ payer: payerOf, method, path, body }: Wish) {
  const payer = await payerOf()
  const key = `weather-${++keys}`
  const say = () => {
    const where = path(payer)
    const request = method === 'delete' ? payer.api.delete(where) : payer.api[method](where, body?.(payer))
    return method === 'post' ? request.set('Idempotency-Key', key) : request
  }
  return { payer, say }
}

/** Stripe may still be at what it was slow with, and say so. */
async function answered<T extends { status: number }>(say: () => PromiseLike<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    const answer = await say()
    if (answer.status !== 503 || tries === 20) return answer
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

describe.each(wishes)('$title', (wish) => {
  test('while Stripe is not well, changes nothing; afterwards it is done, once', async () => {
    const { payer, say } = await said(wish)
    const before = await rowsOf(payer)
    for (const [name, status, begin] of weathers) {
      // The client waits before it tries once more: that takes time, and with a POST it is tried below.
      if (name === 'hangs up' && wish.method === 'post') continue
      begin()
      const answer = await say()
      stripe.clearFaults()
      Object.assign(settings, usual)
      expect(`${name}: ${answer.status}`).toBe(`${name}: ${status}`)
      expectProblem(answer as never, status)
      expect(answer.headers['retry-after']).toEqual(status >= 502 ? expect.stringMatching(/^\d+$/) : undefined)
      expect(answer.text).not.toMatch(/[sr]k_test|whsec_|req_|<html|127\.0\.0\.1/)
      expect([name, await rowsOf(payer)]).toEqual([name, before])
    }
    const done = await answered(say)
    expect(done.status).toBeLessThan(300)
    expect(await wish.made(await customerIdOf(payer))).toBe(true)
    const mark = stripe.requests.length
    const again = await say()
    expect(again.status).toBe(wish.method === 'delete' ? 404 : done.status)
    expect(serverRequests(mark).filter(({ method, path }) => method !== 'GET' && !path.includes('setup'))).toEqual([])
    expect(await wish.made(await customerIdOf(payer))).toBe(true)
  })

  test('where only its answer is lost, it is done once in the end', async () => {
    const { payer, say } = await said(wish)
    stripe.fault({ kind: 'lost', method: 'POST', times: 2 })
    stripe.fault({ kind: 'lost', method: 'DELETE', times: 2 })
    const lost = await say()
    if (lost.status >= 300) expectProblem(lost as never, 503)
    stripe.clearFaults()
    const { status } = lost.status < 300 ? lost : await say()
    expect(status).toBeLessThan(300)
    expect(await wish.made(await customerIdOf(payer))).toBe(true)
  })
})

test('what is kept here can be read though Stripe cannot, and without waiting for it', async () => {
  const { api, path, card } = await subscribed()
  const other = await stripeCustomer()
  const { body: awaiting } = await other.api.post('/subscriptions')
  for (const begin of [ordered({ kind: 'slow', ms: 2200 }), () => Object.assign(settings, { port: String(closed) })]) {
    begin()
    const begun = Date.now()
    for (const where of [path, `${path}/invoices`, '/subscriptions', '/payment-methods', card, '/invoices'])
      expect((await api.get(where)).status).toBe(200)
    expect(Date.now() - begun).toBeLessThan(2000)
    const shown = await other.api.get(awaiting['@id'])
    expect([shown.status, shown.body.confirmationSecret]).toEqual([200, null])
    expect(Date.now() - begun).toBeLessThan(5000)
  }
})
