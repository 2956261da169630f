import { faultsOf } from '../emulators/stripe/published-parameters.ts'
import { payingCustomer, stripeCustomer } from '../support/billing/billing.ts'
import { confirmIntent, customerIdOf, dashboard, serverRequests, subscribed } from '../support/billing/stripe.ts'
import { jobs } from '../support/jobs.ts'
import { openWorld } from '../support/world.ts'

const { as, foundTenant, givenAddress, operator, publicUrl, stripe } = await openWorld()

/** Runs every operation that sends requests to Stripe. */
beforeAll(async () => {
  stripe.deliveries.url = `${publicUrl}/webhooks/stripe`
  const waiting = await stripeCustomer()
  const { body: setup } = await waiting.api.post('/payment-methods/setup')
  await confirmIntent(setup.clientSecret, 'pm_card_visa')
  const { body: made } = await waiting.api.post('/subscriptions', { metadata: [{ name: 'order', value: '7' }] })
  await waiting.api.get(made['@id'])
  await waiting.api.post(`${made['@id']}/cancel`)
  await stripe.settled()
  stripe.deliveries.url = undefined
  await jobs.followCustomer({ customer: await customerIdOf(waiting) })

  const declined = await payingCustomer('pm_card_chargeCustomerFail')
  await declined.api.post('/subscriptions', { paymentMethod: declined.card })
  const asking = await payingCustomer('pm_card_authenticationRequired')
  await asking.api.post('/subscriptions', { paymentMethod: asking.card })

  const subscriber = await subscribed({ modules: ['planning', 'banking'], type: 'yearly', seats: 4 })
  const { body: other } = await subscriber.api.post('/payment-methods', { externalId: 'pm_card_amex' })
  await subscriber.api.patch(subscriber.path, { seats: 5, modules: ['reporting'], paymentMethod: other['@id'] })
  await subscriber.api.patch(subscriber.path, { paymentMethod: subscriber.card })
  for (const code of ['LOYAL10', 'SPRING', 'SPRING', 'NOSUCHTHING']) await apply(subscriber, code)
  await subscriber.api.post('/subscriptions/clear-coupon')
  await subscriber.api.delete(other['@id'])
  await subscriber.api.post(`${subscriber.path}/cancel`)
  await subscriber.api.post(`${subscriber.path}/cancel`, { immediately: true })

  const debtor = await subscribed({ seats: 3 })
  stripe.decline((await debtor.api.get(debtor.card)).body.externalId, 'insufficient_funds')
  stripe.advance({ days: 80 })
  await jobs.followCustomer({ customer: debtor.customer })
  await debtor.api.get(debtor.path)
  const { body: debts } = await debtor.api.get('/invoices?status=open')
  await debtor.api.post(debts.member[0].pay)
  const { body: fresh } = await debtor.api.post('/payment-methods', { externalId: 'pm_card_amex' })
  await debtor.api.patch(debtor.path, { paymentMethod: fresh['@id'] })

  const long = await subscribed({ seats: 3 })
  stripe.advance({ days: 31 * 104 })
  await jobs.followCustomer({ customer: long.customer, thorough: true })
  await jobs.settleSubscription({ organization: long.tenant.organization.id, subscription: long.path.split('/')[2] })
  await dashboard.customers.del(long.customer)
  await jobs.followCustomer({ customer: long.customer })
  await long.api.post('/payment-methods/setup')
}, 60_000)

const apply = ({ api }: Pick<Awaited<ReturnType<typeof subscribed>>, 'api'>, code: string) =>
  api.post('/subscriptions/apply-coupon', { code })

/** The endpoint with placeholders instead of ids. */
const endpointOf = (what: string) =>
  what.replace(/\/(cus|sub|pm|in|promo)_\w+/g, '/{$1}').replace(/^(GET \/coupons\/).+/, '$1{code}')

test('the operations send these requests to Stripe', () => {
  expect([...new Set(serverRequests().map(({ what }) => endpointOf(what)))].sort()).toEqual([
    'DELETE /subscriptions/{sub}',
    'GET /coupons/{code}',
    'GET /customers/{cus}',
    'GET /customers/{cus}/payment_methods',
    'GET /invoice_payments',
    'GET /invoices',
    'GET /invoices/{in}',
    'GET /prices',
    'GET /promotion_codes',
    'GET /promotion_codes/{promo}',
    'GET /subscriptions',
    'GET /subscriptions/{sub}',
    'POST /customers',
    'POST /customers/{cus}',
    'POST /invoices/{in}/finalize',
    'POST /invoices/{in}/pay',
    'POST /payment_methods/{pm}/attach',
    'POST /payment_methods/{pm}/detach',
    'POST /setup_intents',
    'POST /subscriptions',
    'POST /subscriptions/{sub}',
  ])
})

test('each request is valid by the parameters that Stripe publishes', () => {
  const faulty = serverRequests().flatMap((request) => {
    const faults = faultsOf(request)
    return faults.length > 0 ? [{ what: request.what, params: request.params, faults }] : []
  })
  expect(faulty).toEqual([])
})

test('an invalid parameter is detected', () => {
  const [request] = serverRequests().filter(({ what }) => what === 'POST /subscriptions')
  expect(faultsOf({ ...request, params: { ...request.params, coupon: 'SPRING' } })).toEqual(['coupon is unknown'])
  const { items: _, ...rest } = request.params
  expect(faultsOf({ ...request, params: rest })).toEqual(['items is missing'])
})

test('each request that creates an object has an idempotency key of this server', () => {
  const making = serverRequests().filter(({ method }) => method === 'POST')
  expect(making.filter(({ headers }) => !headers['idempotency-key'])).toEqual([])
  const ours = {
    'POST /customers': /^customer:[0-9a-f-]{36}(:after:cus_\w+)?$/,
    'POST /payment_methods/{pm}/attach': /^[0-9a-f-]{36}:attach:cus_\w+$/,
    'POST /setup_intents': /^[0-9a-f-]{36}:setup:cus_\w+$/,
    'POST /subscriptions': /^subscription:[0-9a-f-]{36}$/,
  }
  for (const [endpoint, pattern] of Object.entries(ours)) {
    const keys = making
      .filter(({ what }) => endpointOf(what) === endpoint)
      .map(({ headers }) => headers['idempotency-key'])
    expect(keys.length).toBeGreaterThan(0)
    for (const key of keys) expect(key).toMatch(pattern)
  }
})

test('each request names the API version of the client', () => {
  expect(new Set(serverRequests().map(({ headers }) => headers['stripe-version']))).toEqual(
    new Set(['2026-10-28.endive']),
  )
})

test('for an organization with manual billing no request is sent', async () => {
  const { organization, users } = await foundTenant('By hand', 'by-hand')
  await givenAddress({ organizationId: organization.id })
  const api = as(users.owner)
  const since = stripe.requests.length
  const { body } = await api.post('/subscriptions', { modules: ['planning'] })
  const path = body['@id']
  expect((await as(operator).post(`${path}/confirm`)).status).toBe(201)
  const answers = [
    await api.get(path),
    await api.get('/subscriptions'),
    await api.patch(path, { seats: 9, modules: ['banking'] }),
    await api.get(`${path}/invoices`),
    await api.get('/invoices'),
    await api.get('/payment-methods'),
    await api.post('/payment-methods/setup'),
    await api.post('/payment-methods', { externalId: 'pm_card_visa' }),
    await api.post('/subscriptions/apply-coupon', { code: 'SPRING' }),
    await api.post('/subscriptions/clear-coupon'),
    await api.post(`${path}/cancel`),
    await api.post(`${path}/cancel`, { immediately: true }),
  ]
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 200, 409, 409, 409, 409, 201, 201])
  await jobs.settleSubscription({ organization: organization.id, subscription: body.id })
  await jobs.reconcile()
  await jobs.endPeriods()
  expect(stripe.requests.slice(since)).toEqual([])
  const { body: after } = await api.get(`/organizations/${organization.id}`)
  expect(after).toMatchObject({ stripeCustomerId: null, currentSubscription: null })
})

test('every request of the server was sent by its own client', async () => {
  const subscriber = await stripeCustomer()
  await subscriber.api.post('/payment-methods/setup')
  const since = stripe.requests.length
  await dashboard.customers.retrieve(await customerIdOf(subscriber))
  expect([stripe.requests.length - since, serverRequests(since)]).toEqual([1, []])
})
