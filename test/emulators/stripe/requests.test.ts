import Stripe from 'stripe'
import { startLocalStripe } from '../../../src/emulators/stripe/server.ts'
import { clientOf, refusal } from './local-client.ts'

const local = await startLocalStripe({ modules: ['planning', 'banking', 'invoicing', 'reporting'] })
const stripe = clientOf(local)
afterAll(() => local.stop())
afterEach(() => local.clearFaults())

/** A request as it goes over the wire, with no client to correct it. */
const post = (path: string, form: Record<string, string>, headers = {}) =>
  fetch(`${local.url}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${local.secretKey}`, ...headers },
    body: new URLSearchParams(form),
  })

const seat = async () => (await stripe.prices.list({ lookup_keys: ['seat_monthly'] })).data[0]

test('there is a price for a seat and for each module, by the month and by the year, in euros', async () => {
  const { data } = await stripe.prices.list({ limit: 100, expand: ['data.product'] })
  const keys = ['seat', 'module_planning', 'module_banking', 'module_invoicing', 'module_reporting']

  expect(data.map((price) => price.lookup_key).sort()).toEqual(
    keys.flatMap((key) => [`${key}_monthly`, `${key}_yearly`]).sort(),
  )
  expect(await seat()).toMatchObject({ currency: 'eur', unit_amount: 1200, recurring: { interval: 'month' } })
  expect(data.every(({ product }) => typeof product === 'object')).toBe(true)
})

test('a price costs at most 999,999.99', async () => {
  const { product } = await seat()
  const price = { currency: 'eur', product: product as string }

  expect(await stripe.prices.create({ ...price, unit_amount: 99_999_999 })).toMatchObject({ unit_amount: 99_999_999 })
  expect(await refusal(stripe.prices.create({ ...price, unit_amount: 100_000_000 }))).toMatchObject({
    statusCode: 400,
    type: 'StripeInvalidRequestError',
    code: 'amount_too_large',
    param: 'unit_amount',
    message: 'Amount must be no more than 999,999.99 EUR',
  })
})

test('an account can have modules of its own', async () => {
  const own = await startLocalStripe({ modules: ['fishing'] })
  const { data } = await clientOf(own).prices.list({ lookup_keys: ['module_fishing_yearly', 'module_planning_yearly'] })
  await own.stop()

  expect(data.map((price) => price.lookup_key)).toEqual(['module_fishing_yearly'])
})

test('a wrong key is refused, and so is the key for browsers', async () => {
  const wrong = await refusal(clientOf(local, 'sk_test_somebody_else').customers.list())
  const browsers = await refusal(clientOf(local, local.publishableKey).customers.list())

  expect(wrong).toMatchObject({ type: 'StripeAuthenticationError', statusCode: 401 })
  expect(wrong.message).toMatch('Invalid API Key provided: sk_test_*')
  expect(browsers).toMatchObject({ statusCode: 401, code: 'secret_key_required' })
})

test('metadata are merged: an empty value takes a key away, an empty text all of them', async () => {
  const { id } = await stripe.customers.create({ name: 'Ada', metadata: { a: '1', b: '2' } })

  expect((await stripe.customers.update(id, { metadata: { b: '', c: '3' } })).metadata).toEqual({ a: '1', c: '3' })
  expect((await stripe.customers.update(id, { metadata: '' })).metadata).toEqual({})
})

test('an unknown id is refused with 404 in the path and with 400 in a parameter', async () => {
  expect(await refusal(stripe.customers.retrieve('cus_nobody'))).toMatchObject({
    statusCode: 404,
    code: 'resource_missing',
    message: "No such customer: 'cus_nobody'",
    param: 'id',
  })
  expect(
    await refusal(stripe.subscriptions.create({ customer: 'cus_nobody', items: [{ price: (await seat()).id }] })),
  ).toMatchObject({ statusCode: 400, code: 'resource_missing', param: 'customer' })
})

test('a customer who was deleted says so', async () => {
  const { id } = await stripe.customers.create({})
  await stripe.customers.del(id)

  expect(await stripe.customers.retrieve(id)).toMatchObject({ id, deleted: true })
})

test.each([
  ['/v1/customers', { nickname: 'Ada' }, 'parameter_unknown', 'nickname'],
  ['/v1/subscriptions', { customer: 'cus_x', 'items[0][amount]': '3' }, 'parameter_unknown', 'items[0][amount]'],
  ['/v1/setup_intents', { confirm: 'perhaps' }, undefined, 'confirm'],
  [
    '/v1/subscriptions',
    { 'items[0][price]': 'x', application_fee_percent: '3', customer: 'cus_x' },
    'local_unsupported',
    'application_fee_percent',
  ],
])('%s with %j is refused', async (path, form, code, param) => {
  const answer = await post(path, form as Record<string, string>)
  const { error } = (await answer.json()) as { error: { code?: string; param: string; type: string } }

  expect([answer.status, error.type, error.param]).toEqual([400, 'invalid_request_error', param])
  if (code) expect(error.code).toBe(code)
})

test('an endpoint of Stripe that this server lacks is an unrecognized URL', async () => {
  expect(await refusal(stripe.charges.list())).toMatchObject({
    statusCode: 404,
    message: expect.stringContaining('Unrecognized request URL (GET: /v1/charges)'),
  })
})

test('lists come the newest first, in pages', async () => {
  const own = await startLocalStripe()
  const { customers } = clientOf(own)
  for (const name of ['a', 'b', 'c', 'd', 'e']) await customers.create({ name })
  const first = await customers.list({ limit: 2 })
  const second = await customers.list({ limit: 2, starting_after: first.data[1].id })
  const back = await customers.list({ limit: 2, ending_before: second.data[1].id })
  const all: (string | null | undefined)[] = []
  for await (const { name } of customers.list({ limit: 2 })) all.push(name)
  const lost = await refusal(customers.list({ starting_after: 'cus_nobody' }))
  const far = await refusal(customers.list({ limit: 101 }))
  await own.stop()

  expect(first.data.map(({ name }) => name)).toEqual(['e', 'd'])
  expect(first).toMatchObject({ object: 'list', has_more: true, url: '/v1/customers' })
  expect(second.data.map(({ name }) => name)).toEqual(['c', 'b'])
  expect(back.data.map(({ name }) => name)).toEqual(['d', 'c'])
  expect(all).toEqual(['e', 'd', 'c', 'b', 'a'])
  expect(lost).toMatchObject({ code: 'resource_missing', param: 'starting_after' })
  expect(far).toMatchObject({ statusCode: 400, param: 'limit' })
})

test('objects stand in place of their ids where that is asked, four deep and no deeper', async () => {
  const { id: customer } = await stripe.customers.create({ name: 'Ada' })
  const made = await stripe.subscriptions.create({
    customer,
    items: [{ price: (await seat()).id }],
    discounts: [{ coupon: 'LOYAL10' }],
    payment_behavior: 'default_incomplete',
    expand: ['latest_invoice.confirmation_secret', 'latest_invoice.payments', 'customer', 'discounts.source.coupon'],
  })
  const bare = await stripe.subscriptions.retrieve(made.id)
  const listed = await stripe.invoices.list({ customer, expand: ['data.parent.subscription_details.subscription'] })

  expect(made.latest_invoice).toMatchObject({
    confirmation_secret: { client_secret: expect.stringMatching(/^pi_.+_secret_/) },
    payments: { data: [{ status: 'open', payment: { type: 'payment_intent' } }] },
  })
  expect(made.customer).toMatchObject({ name: 'Ada' })
  expect(made.discounts).toMatchObject([{ source: { coupon: { percent_off: 10 } } }])
  expect(bare.latest_invoice).toMatch(/^in_/)
  expect(bare.discounts).toEqual([expect.stringMatching(/^di_/)])
  expect(listed.data[0].parent?.subscription_details?.subscription).toMatchObject({ id: made.id })
  expect(await refusal(stripe.subscriptions.retrieve(made.id, { expand: ['nonsense'] }))).toMatchObject({
    statusCode: 400,
    message: 'This property cannot be expanded (nonsense).',
  })
  expect((await refusal(stripe.subscriptions.list({ expand: ['customer'] }))).message).toMatch("'data.customer'")
  expect((await refusal(stripe.subscriptions.list({ expand: ['data.a.b.c.d'] }))).message).toMatch('more than 4 levels')
})

test('a request sent twice with one key is done once, and answered twice', async () => {
  const headers = { 'idempotency-key': 'one' }
  const first = await post('/v1/customers', { name: 'Ada' }, headers)
  const again = await post('/v1/customers', { name: 'Ada' }, headers)

  expect(await again.text()).toBe(await first.text())
  expect(again.headers.get('idempotent-replayed')).toBe('true')
  expect(again.headers.get('original-request')).toBe(first.headers.get('request-id'))
})

test('a key goes with one request only', async () => {
  const options = { idempotencyKey: 'two' }
  await stripe.customers.create({ name: 'Ada' }, options)

  expect(await refusal(stripe.customers.create({ name: 'Bob' }, options))).toMatchObject({
    type: 'StripeIdempotencyError',
    statusCode: 400,
  })
  expect(await refusal(stripe.coupons.create({ percent_off: 5 }, options))).toMatchObject({
    type: 'StripeIdempotencyError',
  })
})

test('a second request with a key is refused with 409 while the first is in progress', async () => {
  local.fault({ kind: 'slow', ms: 200, path: '/v1/customers' })
  const first = stripe.customers.create({ name: 'Ada' }, { idempotencyKey: 'three' })
  const second = await refusal(stripe.customers.create({ name: 'Ada' }, { idempotencyKey: 'three' }))

  expect(second).toMatchObject({ statusCode: 409, code: 'idempotency_key_in_use' })
  expect((await first).name).toBe('Ada')
})

test('a request that was refused may be sent again with its key, corrected', async () => {
  const options = { idempotencyKey: 'four' }
  await refusal(stripe.customers.create({ email: 'nonsense' }, options))

  expect(await stripe.customers.create({ email: 'ada@example.com' }, options)).toMatchObject({
    email: 'ada@example.com',
  })
})

test.each([false, true])(
  'a failure of its own is told again to the same key (late: %p), and to no other',
  async (late) => {
    const key = `failed-${late}`
    const email = `${key}@example.com`
    const customers = async () => (await stripe.customers.list({ email })).data.length
    local.fault({ kind: 'status', status: 500, late, method: 'POST' })
    const failed = await refusal(stripe.customers.create({ email }, { idempotencyKey: key }))
    const again = await refusal(stripe.customers.create({ email }, { idempotencyKey: key }))
    const other = await refusal(stripe.customers.create({ name: 'Ada' }, { idempotencyKey: key }))

    expect([failed.statusCode, failed.headers?.['idempotent-replayed']]).toEqual([500, undefined])
    expect([again.statusCode, again.headers?.['idempotent-replayed']]).toEqual([500, 'true'])
    expect([again.type, again.message]).toEqual([failed.type, failed.message])
    expect(other.type).toBe('StripeIdempotencyError')
    expect(await customers()).toBe(Number(late))
    await stripe.customers.create({ email }, { idempotencyKey: `${key}:2` })
    expect(await customers()).toBe(1 + Number(late))
  },
)

test.each([429, 401, 503])('a %i response before execution is not kept for its key', async (status) => {
  const options = { idempotencyKey: `kept-off-${status}` }
  local.fault({ kind: 'status', status, method: 'POST' })
  expect(await refusal(stripe.customers.create({}, options))).toMatchObject({ statusCode: status })
  const { lastResponse } = await stripe.customers.create({}, options)
  expect(lastResponse.headers['idempotent-replayed']).toBeUndefined()
})

test('faults happen to the requests they were ordered for, as often as that was asked', async () => {
  local.fault({ kind: 'status', status: 503, method: 'GET', path: '/v1/customers', retryAfter: 2 })
  const { lastResponse } = await stripe.coupons.list()
  const down = await refusal(stripe.customers.list())
  const up = await stripe.customers.list()

  expect(lastResponse.statusCode).toBe(200)
  expect(down).toMatchObject({ type: 'StripeAPIError', statusCode: 503 })
  expect(up.object).toBe('list')
})

test.each([
  ['a limit on requests', { kind: 'status', status: 429 }, 'StripeRateLimitError'],
  ['a page of a proxy', { kind: 'html' }, 'StripeAPIError'],
  ['half an answer', { kind: 'nonsense', truncated: true }, 'StripeAPIError'],
  ['a cut', { kind: 'cut', times: 2 }, 'StripeConnectionError'],
] as const)('%s is an error of the client', async (_, order, type) => {
  local.fault(order)
  const error = await refusal(stripe.customers.list())

  expect(error).toBeInstanceOf(Stripe.errors.StripeError)
  if (order.kind !== 'nonsense') expect(error.type).toBe(type)
})

test('an answer that was lost was given: sent again, the request is not done again', async () => {
  local.fault({ kind: 'lost', path: '/v1/customers' })
  const email = 'lost@example.com'
  const { lastResponse } = await stripe.customers.create({ email }, { idempotencyKey: 'five' })

  expect(lastResponse.headers['idempotent-replayed']).toBe('true')
  expect((await stripe.customers.list({ email })).data).toHaveLength(1)
})

test('every request is logged with its parameters, headers and status', async () => {
  await stripe.customers.create({ name: 'Ada', metadata: { organization: '7' } }, { idempotencyKey: 'six' })

  expect(local.requests.at(-1)).toEqual({
    method: 'POST',
    path: '/v1/customers',
    params: { name: 'Ada', metadata: { organization: '7' } },
    headers: { 'idempotency-key': 'six', 'stripe-version': '2026-10-28.endive' },
    status: 200,
  })
})

test('time, faults and webhooks answer to curl as well', async () => {
  const ask = async (method: string, path: string, body?: object) =>
    (await fetch(`${local.url}/local/${path}`, { method, body: body && JSON.stringify(body) })).json()
  const before = (await ask('GET', 'clock')) as { now: number }
  const after = (await ask('POST', 'clock', { advance: { days: 1 } })) as { now: number }
  await ask('POST', 'faults', { kind: 'status', status: 500 })
  const down = await refusal(stripe.customers.list())

  expect(after.now - before.now).toBeGreaterThanOrEqual(86_400)
  expect(down.statusCode).toBe(500)
  expect(await ask('POST', 'webhooks', { hold: true })).toMatchObject({ hold: true })
  expect(await ask('POST', 'webhooks', { hold: false })).toMatchObject({ hold: false })
  expect(await ask('POST', 'faults', { kind: 'flood' })).toMatchObject({ error: expect.stringContaining('flood') })
})
