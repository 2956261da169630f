import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Billing } from '../../../src/billing/billing.ts'
import { payingCustomer } from '../../support/billing/billing.ts'
import { subscribed } from '../../support/billing/stripe.ts'
import { syncNow } from '../../support/billing/sync-now.ts'
import { openWorld } from '../../support/world.ts'
import { type Case, testCaseGroups, unless } from './case-groups.ts'
import { routes, send, serve, types } from './route-requests.ts'

const { database, ending, publicUrl, stripe, tokenOf } = await openWorld()

/** A Stripe that is not what it should be. */
let misbehave: (response: ServerResponse) => void
let visits = 0
const evil = createServer((request, response) => {
  if (request.url?.startsWith('/elsewhere')) visits += 1
  request.resume().on('error', () => {})
  response.on('error', () => {})
  misbehave(response)
}).listen(0, '127.0.0.1')
await once(evil, 'listening')
ending.push(async () => {
  evil.closeAllConnections()
  evil.close()
})
const url = `http://127.0.0.1:${(evil.address() as AddressInfo).port}`
const { secretKey, publishableKey, webhookSecret } = stripe
const billing = new Billing({ secretKey, publishableKey, webhookSecrets: [webhookSecret], url, timeoutMs: 400 })
Object.assign((billing.stripe as unknown as { _api: object })._api, { maxNetworkRetries: 0 })
const at = await serve({ billing })

const nested = (levels: number) => '{"object":"list","data":['.repeat(levels) + ']}'.repeat(levels)
const json =
  (status: number, body: string, headers = {}) =>
  (response: ServerResponse) => {
    response.writeHead(status, { 'Content-Type': 'application/json', ...headers }).end(body)
  }
const redirect = (status: number) => json(status, '{}', { Location: `${url}/elsewhere` })
const weathers: Record<string, (response: ServerResponse) => void> = {
  'never answers': () => {},
  'drips for ever': (response) => {
    response.writeHead(200, { 'Content-Type': 'application/json' })
    const drip = setInterval(() => response.write(' '), 100)
    response.on('close', () => clearInterval(drip))
  },
  'stops in the middle': (response) => response.writeHead(200, { 'Content-Length': 500 }).write('{"id":'),
  'hangs up': (response) => response.destroy(),
  'hangs up in the middle': (response) => {
    response.writeHead(200, { 'Content-Length': 500 }).write('{"id":', () => response.destroy())
  },
  'does not speak HTTP': (response) => response.socket?.end('SSH-2.0-OpenSSH\r\n'),
  ...Object.fromEntries([301, 302, 303, 307, 308].map((status) => [`redirects with ${status}`, redirect(status)])),
  ...Object.fromEntries(
    [204, 205, 304, 400, 401, 403, 404, 409, 418, 429, 500, 502, 503, 599].map((status) => [
      `answers ${status}`,
      json(status, status === 204 || status === 304 ? '' : '{"error":{"message":"x"}}'),
    ]),
  ),
  'answers a page': (response) => response.writeHead(200, { 'Content-Type': 'text/html' }).end('<html>'),
  'answers nothing': json(200, ''),
  'answers 20 MB': json(200, `{"object":"list","data":["${'x'.repeat(20_000_000)}"]}`),
  'answers 100,000 lists in one another': json(200, nested(100_000)),
  'answers 3,000 lists in one another': json(200, nested(3000)),
  'answers what is no UTF-8': (response) => response.writeHead(200).end(Buffer.from([0xff, 0xfe, 0])),
  ...Object.fromEntries(
    [
      'null',
      '5',
      '"x"',
      '[]',
      '{}',
      'true',
      '{"__proto__":{"object":"list"}}',
      '{"object":"list"}',
      '{"object":"list","data":{}}',
      '{"object":"list","data":[null]}',
      '{"object":"subscription","id":5}',
      '{"object":"customer","id":"\\u0000"}',
      '{"object":"customer","id":null,"deleted":"yes"}',
      '{"error":5}',
      '{"error":null}',
      '{"error":{"type":"card_error"}}',
    ].map((body) => [`answers ${body}`, json(200, body)]),
  ),
  'refuses a parameter': json(
    400,
    '{"error":{"type":"invalid_request_error","code":"parameter_invalid","message":"x"}}',
  ),
  'does not know the address': json(
    404,
    '{"error":{"type":"invalid_request_error","message":"Unrecognized request URL"}}',
  ),
  'refuses in no words': json(402, '{"error":{"type":"card_error","decline_code":{"a":1},"message":null}}'),
}

const subscriber = await subscribed()
const newcomer = await payingCustomer()
const { body: other } = await subscriber.api.post('/payment-methods', { externalId: 'pm_card_amex' })
const debtor = await subscribed()
stripe.decline((await debtor.api.get(debtor.card)).body.externalId, 'insufficient_funds')
stripe.advance({ days: 32 })
for (const { customer } of [subscriber, debtor]) await syncNow(customer)
const { body: invoices } = await debtor.api.get('/invoices?status=open')
interface Wish {
  path: string
  body?: object
  by?: typeof newcomer
}
/** The request by which each operation calls Stripe. */
const wishes: Record<string, Wish> = {
  'POST /subscriptions': { path: '/subscriptions', body: { paymentMethod: newcomer.card }, by: newcomer },
  'PATCH /subscriptions/:id': { path: subscriber.path, body: { seats: 44 } },
  'POST /subscriptions/:id/cancel': { path: `${subscriber.path}/cancel`, body: {} },
  'POST /subscriptions/apply-coupon': { path: '/subscriptions/apply-coupon', body: { code: 'LOYAL10' } },
  'POST /subscriptions/clear-coupon': { path: '/subscriptions/clear-coupon', body: {} },
  'POST /payment-methods': { path: '/payment-methods', body: { externalId: 'pm_card_visa' } },
  'POST /payment-methods/setup': { path: '/payment-methods/setup', body: {} },
  'DELETE /payment-methods/:id': { path: other['@id'] },
  'POST /invoices/:id/pay': { path: invoices.member[0].pay, body: {}, by: debtor },
}
/** Routes that call Kontomatik are tested in test/banking/client/problems.long.ts. */
const outside = routes.filter(
  ({ operation, path }) => operation.callsExternalService && !path.startsWith('/integrations'),
)
const tables = ['subscription', 'payment_method', 'invoice', 'audit_event', 'organization']
const held = async () =>
  JSON.stringify(await Promise.all(tables.map((name) => database.query(`SELECT * FROM "${name}" ORDER BY "id"`))))
const before = await held()

function* lined(): Generator<Case> {
  for (const { title } of outside) yield async () => unless(title in wishes, `${title} needs a line here`)
}

function* storms(what: string): Generator<Case> {
  for (const route of outside)
    yield async () => {
      misbehave = weathers[what]
      const { path, body, by = subscriber } = wishes[route.title]
      const token = await tokenOf(by.tenant.users.owner)
      const sent = body && { body: JSON.stringify(body), headers: { 'Content-Type': types[route.method] } }
      const began = performance.now()
      const { status, headers, text } = await send(route.method, path, { at, token, ...sent })
      const took = performance.now() - began
      const sound = [402, 409, 422, 502].includes(status) || (status === 503 && headers['retry-after'] !== undefined)
      const told = /[sr]k_test|whsec_|<html|RangeError|127\.0\.0\.1:/.test(text.replaceAll(publicUrl, ''))
      return unless(sound && !told && visits === 0 && took < 15_000, `${route.title}: ${status} in ${took} ms ${text}`)
    }
}

testCaseGroups(
  'API10',
  {
    'Every operation that asks Stripe is tried': lined(),
    ...Object.fromEntries(Object.keys(weathers).map((what) => [`Stripe ${what.slice(0, 80)}`, storms(what)])),
  },
  { settled: async () => expect((await held()) === before).toBe(true) },
)
