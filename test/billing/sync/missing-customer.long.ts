import { AuditEvent, Subscription } from '../../../entities/index.ts'
import { payingCustomer, stripeCustomer } from '../../support/billing/billing.ts'
import { customerIdOf, dashboard, type Subscribed, subscribed, violationsOf } from '../../support/billing/stripe.ts'
import { jobs } from '../../support/jobs.ts'
import { expectProblem } from '../../support/requests/raw-responses.ts'
import { openWorld } from '../../support/world.ts'

const { database, stripe } = await openWorld()

/** A customer is lost without an event when Stripe has deleted it, or when the keys are those of another account. */
const losses: [string, (subscriber: Subscribed) => Promise<unknown>][] = [
  ['has deleted', ({ customer }) => dashboard.customers.del(customer)],
  ['does not know', takeAway],
]

/** Removes a customer and its subscriptions from the account, as if the keys were those of another one. */
async function takeAway({ customer }: Subscribed): Promise<void> {
  const { account } = stripe.stripe
  const things = [...account.store.all('subscription')].filter((one) => one.customer === customer)
  account.transaction(() => {
    for (const thing of [account.store.find('customer', customer), ...things]) if (thing) account.store.remove(thing)
  })
}

/** The organization has one customer at Stripe, and it is a new one. */
async function expectHealed(subscriber: Subscribed): Promise<void> {
  const customer = await customerIdOf(subscriber)
  expect(customer).toMatch(/^cus_/)
  expect(customer).not.toMatch(new RegExp(`^${subscriber.customer}`))
  expect((await subscriber.api.get(subscriber.path)).body).toMatchObject({ status: 'canceled', active: false })
  const organizationId = subscriber.tenant.organization.id
  const { changes } = await database.manager.findOneByOrFail(AuditEvent, {
    organizationId,
    action: 'organization.follow',
  })
  expect(changes).toEqual({ stripeCustomerId: [expect.stringMatching(`^${subscriber.customer}`), null] })
}

describe.each(losses)('a customer that Stripe %s', (_, lose) => {
  test.each<[string, (subscriber: Subscribed) => PromiseLike<{ status: number; text: string }>, number]>([
    ['attaches a card', ({ api }) => api.post('/payment-methods', { externalId: 'pm_card_visa' }), 201],
    ['sets up a card', ({ api }) => api.post('/payment-methods/setup'), 200],
  ])('is replaced on the request that %s', async (_title, request, status) => {
    const subscriber = await subscribed()
    await lose(subscriber)
    expect((await request(subscriber)).status).toBe(status)
    await expectHealed(subscriber)
    expect((await subscriber.api.post('/subscriptions')).status).toBe(201)
  })

  test.each<[string, (subscriber: Subscribed) => PromiseLike<{ status: number; text: string }>, number]>([
    ['a change', ({ api, path }) => api.patch(path, { seats: 9 }), 409],
    ['a coupon', ({ api }) => api.post('/subscriptions/apply-coupon', { code: 'LOYAL10' }), 409],
    ['no coupon', ({ api }) => api.post('/subscriptions/clear-coupon'), 409],
    ['a cancellation', ({ api, path }) => api.post(`${path}/cancel`), 200],
    ['an end at once', ({ api, path }) => api.post(`${path}/cancel`, { immediately: true }), 200],
  ])('has no subscription on the request for %s', async (_title, request, status) => {
    const subscriber = await subscribed()
    await lose(subscriber)
    const answer = await request(subscriber)
    expect(answer.status === 201 ? 200 : answer.status).toBe(status)
    if (status === 409) expect(expectProblem(answer as never, 409).detail).toContain('ended')
    expect((await subscriber.api.get(subscriber.path)).body).toMatchObject({ status: 'canceled', active: false })
    const response = await subscriber.api.post('/subscriptions')
    expect([response.status, response.body.status]).toEqual([201, 'incomplete'])
    await expectHealed(subscriber)
  })

  test('pays the next subscription with a card that is added again', async () => {
    const subscriber = await subscribed()
    await subscriber.api.post(`${subscriber.path}/cancel`, { immediately: true })
    await lose(subscriber)
    const { status, body } = await subscriber.api.post('/subscriptions', { paymentMethod: subscriber.card })
    expect([status, violationsOf(body)]).toEqual([422, { paymentMethod: expect.any(String) }])
    const { body: card } = await subscriber.api.post('/payment-methods', { externalId: 'pm_card_visa' })
    const response = await subscriber.api.post('/subscriptions', { paymentMethod: card['@id'] })
    expect([response.status, response.body.status]).toEqual([201, 'active'])
  })
})

test('a subscription that Stripe does not know ends, and its customer stays', async () => {
  const subscriber = await subscribed()
  await database.manager.update(Subscription, { id: subscriber.path.split('/')[2] }, { externalId: 'sub_nobodys' })
  await dashboard.subscriptions.cancel(subscriber.externalId)
  expect((await subscriber.api.patch(subscriber.path, { seats: 9 })).status).toBe(409)
  expect((await subscriber.api.get(subscriber.path)).body.status).toBe('canceled')
  expect(await customerIdOf(subscriber)).toBe(subscriber.customer)
})

test('with the keys of the other mode nothing ends, and the error names the operator', async () => {
  const subscriber = await payingCustomer()
  const customer = await customerIdOf(subscriber)
  const message = `No such customer: '${customer}'; a similar object exists in live mode, but a test mode key was used to make this request.`
  const error = { type: 'invalid_request_error', code: 'resource_missing', param: 'customer', message }
  stripe.fault({ kind: 'nonsense', status: 400, body: JSON.stringify({ error }), path: '/v1/setup_intents', times: 9 })
  const answer = await subscriber.api.post('/payment-methods/setup')
  stripe.clearFaults()
  expect(expectProblem(answer as never, 409).detail).toMatch(/mode.*keys/)
  expect(await customerIdOf(subscriber)).toBe(customer)
})

test('a pending subscription of a customer that Stripe does not know is deleted', async () => {
  const { tenant, api } = await stripeCustomer({ stripeCustomerId: 'cus_nobodys' })
  await expect(
    jobs.settleSubscription({ organization: tenant.organization.id, subscription: tenant.organization.id }),
  ).resolves.toBeUndefined()
  expect((await api.post('/subscriptions')).status).toBe(201)
})
