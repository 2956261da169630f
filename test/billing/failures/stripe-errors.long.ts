import { payingCustomer, stripeCustomer } from '../../support/billing/billing.ts'
import { customerIdOf, dashboard, type Subscribed, subscribed, violationsOf } from '../../support/billing/stripe.ts'
import { expectProblem } from '../../support/requests/raw-responses.ts'
import { openWorld } from '../../support/world.ts'

const { stripe } = await openWorld()

afterEach(() => {
  stripe.expireSecretKey(false)
  stripe.restrictSecretKey()
})

/** Every operation that sends a write to Stripe. */
const operations: [string, (payer: Subscribed) => PromiseLike<{ status: number; headers: object; text: string }>][] = [
  ['a change', ({ api, path }) => api.patch(path, { seats: 9 })],
  ['a cancellation', ({ api, path }) => api.post(`${path}/cancel`)],
  ['an end at once', ({ api, path }) => api.post(`${path}/cancel`, { immediately: true })],
  ['a coupon', ({ api }) => api.post('/subscriptions/apply-coupon', { code: 'LOYAL10' })],
  ['no coupon', ({ api }) => api.post('/subscriptions/clear-coupon')],
  ['a card', ({ api }) => api.post('/payment-methods', { externalId: 'pm_card_amex' })],
  ['a setup', ({ api }) => api.post('/payment-methods/setup')],
]

describe('a permanent error of Stripe is 409 or 422 with its reason:', () => {
  test.each(operations)('%s with a key that has expired or lacks a permission', async (_, operation) => {
    const payer = await subscribed()
    stripe.expireSecretKey()
    expect(expectProblem((await operation(payer)) as never, 409).detail).toMatch(/key.*expired.*operator/)
    stripe.expireSecretKey(false)
    stripe.restrictSecretKey('rak_subscription_write', 'rak_payment_method_write', 'rak_setup_intent_write')
    const refused = await operation(payer)
    expect(expectProblem(refused as never, 409).detail).toMatch(/permission.*operator/)
    expect(refused.text).not.toMatch(/sk_test|rak_|acct_/)
    stripe.restrictSecretKey()
    expect((await operation(payer)).status).toBeLessThan(300)
  })

  test('a subscription of a customer that was billed in another currency', async () => {
    const payer = await payingCustomer()
    const customer = await customerIdOf(payer)
    const price = await dashboard.prices.create({
      currency: 'usd',
      unit_amount: 500,
      recurring: { interval: 'month' },
      product_data: { name: 'Support' },
    })
    const { externalId } = (await payer.api.get(payer.card)).body
    const { id } = await dashboard.subscriptions.create({
      customer,
      items: [{ price: price.id }],
      default_payment_method: externalId,
    })
    await dashboard.subscriptions.cancel(id)
    const answer = await payer.api.post('/subscriptions', { paymentMethod: payer.card })
    expect(expectProblem(answer as never, 409).detail).toMatch(/currency.*usd/)
    expect((await payer.api.get('/subscriptions')).body.totalItems).toBe(0)
  })

  test('a cancellation while a schedule manages the subscription', async () => {
    const payer = await subscribed()
    const schedule = await dashboard.subscriptionSchedules.create({ from_subscription: payer.externalId })
    const answer = await payer.api.post(`${payer.path}/cancel`)
    expect(expectProblem(answer as never, 409).detail).toMatch(/schedule.*operator/)
    expect((await payer.api.get(payer.path)).body.cancelAt).toBeNull()
    await dashboard.subscriptionSchedules.release(schedule.id)
    expect((await payer.api.post(`${payer.path}/cancel`)).status).toBe(201)
  })

  test('a change with tax at an address that Stripe does not know', async () => {
    const payer = await subscribed()
    await dashboard.subscriptions.update(payer.externalId, { automatic_tax: { enabled: true } })
    await dashboard.customers.update(payer.customer, { address: { country: 'US', line1: 'Main Street 1' } })
    const answer = await payer.api.patch(payer.path, { seats: 9 })
    expect(expectProblem(answer as never, 409).detail).toMatch(/tax.*address.*postal code/)
    expect((await payer.api.get(payer.path)).body.seats).not.toBe(9)
  })

  test('a change of a subscription that has ended at Stripe', async () => {
    const payer = await subscribed()
    await dashboard.subscriptions.cancel(payer.externalId)
    const answer = await payer.api.patch(payer.path, { seats: 9 })
    expect(expectProblem(answer as never, 409).detail).toMatch(/ended/)
  })
})

test.each(['address', 'name'])(
  'a billing address whose %s Stripe rejects is a violation of organizationAddress',
  async (param) => {
    const payer = await stripeCustomer()
    const body = {
      error: {
        type: 'invalid_request_error',
        message: 'Invalid.',
        param: `${param}${param === 'address' ? '[country]' : ''}`,
      },
    }
    stripe.fault({ kind: 'nonsense', status: 400, body: JSON.stringify(body), method: 'POST', path: '/v1/customers/' })
    const { status, body: problem } = await payer.api.post('/subscriptions')
    expect([status, violationsOf(problem)]).toEqual([422, { organizationAddress: expect.any(String) }])
  },
)

test('an unknown error of Stripe is returned with its message', async () => {
  const payer = await subscribed()
  const body = { error: { type: 'invalid_request_error', code: 'x_y', message: 'This subscription is peculiar.' } }
  stripe.fault({
    kind: 'nonsense',
    status: 400,
    body: JSON.stringify(body),
    method: 'POST',
    path: '/v1/subscriptions/',
  })
  const answer = await payer.api.post(`${payer.path}/cancel`)
  expect(expectProblem(answer as never, 409).detail).toContain('This subscription is peculiar.')
})
