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
const operations: [
  string,
  (subscriber: Subscribed) => PromiseLike<{ status: number; headers: object; text: string }>,
][] = [
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
    const subscriber = await subscribed()
    stripe.expireSecretKey()
    expect(expectProblem((await operation(subscriber)) as never, 409).detail).toMatch(/key.*expired.*operator/)
    stripe.expireSecretKey(false)
    stripe.restrictSecretKey('rak_subscription_write', 'rak_payment_method_write', 'rak_setup_intent_write')
    const refused = await operation(subscriber)
    expect(expectProblem(refused as never, 409).detail).toMatch(/permission.*operator/)
    expect(refused.text).not.toMatch(/sk_test|rak_|acct_/)
    stripe.restrictSecretKey()
    expect((await operation(subscriber)).status).toBeLessThan(300)
  })

  test('a subscription of a customer that was billed in another currency', async () => {
    const subscriber = await payingCustomer()
    const customer = await customerIdOf(subscriber)
    const price = await dashboard.prices.create({
      currency: 'usd',
      unit_amount: 500,
      recurring: { interval: 'month' },
      product_data: { name: 'Support' },
    })
    const { externalId } = (await subscriber.api.get(subscriber.card)).body
    const { id } = await dashboard.subscriptions.create({
      customer,
      items: [{ price: price.id }],
      default_payment_method: externalId,
    })
    await dashboard.subscriptions.cancel(id)
    const answer = await subscriber.api.post('/subscriptions', { paymentMethod: subscriber.card })
    expect(expectProblem(answer as never, 409).detail).toMatch(/currency.*usd/)
    expect((await subscriber.api.get('/subscriptions')).body.totalItems).toBe(0)
  })

  test('a cancellation while a schedule manages the subscription', async () => {
    const subscriber = await subscribed()
    const schedule = await dashboard.subscriptionSchedules.create({ from_subscription: subscriber.externalId })
    const answer = await subscriber.api.post(`${subscriber.path}/cancel`)
    expect(expectProblem(answer as never, 409).detail).toMatch(/schedule.*operator/)
    expect((await subscriber.api.get(subscriber.path)).body.cancelAt).toBeNull()
    await dashboard.subscriptionSchedules.release(schedule.id)
    expect((await subscriber.api.post(`${subscriber.path}/cancel`)).status).toBe(201)
  })

  test('a change with tax at an address that Stripe does not know', async () => {
    const subscriber = await subscribed()
    await dashboard.subscriptions.update(subscriber.externalId, { automatic_tax: { enabled: true } })
    await dashboard.customers.update(subscriber.customer, { address: { country: 'US', line1: 'Main Street 1' } })
    const answer = await subscriber.api.patch(subscriber.path, { seats: 9 })
    expect(expectProblem(answer as never, 409).detail).toMatch(/tax.*address.*postal code/)
    expect((await subscriber.api.get(subscriber.path)).body.seats).not.toBe(9)
  })

  test('a change of a subscription that has ended at Stripe', async () => {
    const subscriber = await subscribed()
    await dashboard.subscriptions.cancel(subscriber.externalId)
    const answer = await subscriber.api.patch(subscriber.path, { seats: 9 })
    expect(expectProblem(answer as never, 409).detail).toMatch(/ended/)
  })
})

test.each(['address', 'name'])(
  'a billing address whose %s Stripe rejects is a violation of organizationAddress',
  async (param) => {
    const subscriber = await stripeCustomer()
    const body = {
      error: {
        type: 'invalid_request_error',
        message: 'Invalid.',
        param: `${param}${param === 'address' ? '[country]' : ''}`,
      },
    }
    stripe.fault({ kind: 'nonsense', status: 400, body: JSON.stringify(body), method: 'POST', path: '/v1/customers/' })
    const { status, body: problem } = await subscriber.api.post('/subscriptions')
    expect([status, violationsOf(problem)]).toEqual([422, { organizationAddress: expect.any(String) }])
  },
)

test('an unknown error of Stripe is returned with its message', async () => {
  const subscriber = await subscribed()
  const body = { error: { type: 'invalid_request_error', code: 'x_y', message: 'This subscription is peculiar.' } }
  stripe.fault({
    kind: 'nonsense',
    status: 400,
    body: JSON.stringify(body),
    method: 'POST',
    path: '/v1/subscriptions/',
  })
  const answer = await subscriber.api.post(`${subscriber.path}/cancel`)
  expect(expectProblem(answer as never, 409).detail).toContain('This subscription is peculiar.')
})
