import { AuditEvent, Subscription } from '../../../entities/index.ts'
import { payingCustomer, stripeCustomer } from '../../support/billing/billing.ts'
import {
  confirmIntent,
  customerIdOf,
  dashboard,
  deliverEvents,
  eventuallyMatches,
  modulesOf,
  type Subscribed,
  subscribed,
} from '../../support/billing/stripe.ts'
import { openWorld } from '../../support/world.ts'

const { billing, database, stripe } = await openWorld()

beforeAll(deliverEvents)
afterEach(() => stripe.setStatusAfterRetries('unpaid'))

type Known = Pick<Subscribed, 'api' | 'tenant' | 'path' | 'externalId'>

async function waiting(): Promise<Known> {
  const subscriber = await stripeCustomer()
  const { body } = await subscriber.api.post('/subscriptions', { modules: ['planning'] })
  return { ...subscriber, path: body['@id'], externalId: body.externalId }
}

const running = () => subscribed({ modules: ['planning'] })

/** Its next payment is declined. */
async function overdue(): Promise<Subscribed> {
  const subscriber = await running()
  const { externalId } = (await subscriber.api.get(subscriber.card)).body
  stripe.decline(externalId, 'insufficient_funds')
  stripe.advance({ days: 32 })
  return subscriber
}

/** The operator has given it a trial at Stripe, and there is no payment method yet. */
async function trial(): Promise<Known> {
  const subscriber = await stripeCustomer()
  await subscriber.api.post('/payment-methods/setup')
  const lookup_keys = ['seat_monthly', 'module_planning_monthly']
  const { data } = await dashboard.prices.list({ lookup_keys })
  const { id: externalId } = await dashboard.subscriptions.create({
    customer: await customerIdOf(subscriber),
    items: lookup_keys.map((key) => ({ price: data.find(({ lookup_key }) => lookup_key === key)?.id, quantity: 1 })),
    trial_period_days: 7,
    trial_settings: { end_behavior: { missing_payment_method: 'pause' } },
  })
  await eventuallyMatches(subscriber, '/subscriptions', { totalItems: 1 })
  const { body } = await subscriber.api.get('/subscriptions')
  return { ...subscriber, path: body.member[0]['@id'], externalId }
}

/** The steps that bring a subscription into each of Stripe's statuses. */
const ways: Record<string, () => Promise<Known>> = {
  incomplete: waiting,
  async incomplete_expired() {
    const subscriber = await waiting()
    stripe.advance({ hours: 23 })
    return subscriber
  },
  trialing: trial,
  active: running,
  past_due: overdue,
  async unpaid() {
    const subscriber = await overdue()
    stripe.advance({ days: 16 })
    return subscriber
  },
  async paused() {
    const subscriber = await trial()
    stripe.advance({ days: 8 })
    return subscriber
  },
  async canceled() {
    const subscriber = await running()
    await dashboard.subscriptions.cancel(subscriber.externalId)
    return subscriber
  },
  /** A status that Stripe may add in the future. */
  async suspended() {
    const subscriber = await running()
    const { account } = stripe.stripe
    const found = account.store.find('subscription', subscriber.externalId)
    account.transaction(() => found && account.update(found, () => Object.assign(found, { status: 'suspended' })))
    return subscriber
  },
}

/** The statuses with an open invoice that can be paid in the browser. */
const owing = ['incomplete', 'past_due', 'unpaid']

test.each([
  ['incomplete', false, true, true],
  ['incomplete_expired', false, false, false],
  ['trialing', true, false, true],
  ['active', true, false, true],
  ['past_due', true, false, true],
  ['unpaid', false, false, true],
  ['paused', false, false, true],
  ['canceled', false, false, false],
  ['suspended', false, false, true],
])('%s: active is %s, awaiting is %s, live is %s', async (status, active, awaiting, live) => {
  const subscriber = await ways[status]()
  await eventuallyMatches(subscriber, subscriber.path, { status, active, awaiting, externalId: subscriber.externalId })
  expect(await billing.retrieveSubscription(subscriber.externalId)).toMatchObject({ status })
  const { body } = await subscriber.api.get(subscriber.path)
  expect([typeof body.confirmationSecret, 'cancel' in body]).toEqual([
    owing.includes(status) ? 'string' : 'object',
    live,
  ])
  expect((await subscriber.api.get('/subscriptions')).body.member[0]).toMatchObject({ status, active, awaiting })
  const { body: organization } = await subscriber.api.get(`/organizations/${subscriber.tenant.organization.id}`)
  expect(organization.currentSubscription).toBe(live ? subscriber.path : null)
  expect(await modulesOf(subscriber)).toEqual(active ? ['planning'] : [])
  expect((await subscriber.api.post('/subscriptions')).status).toBe(live ? 409 : 201)
})

test.each([
  ['keep_as_draft', true],
  ['mark_uncollectible', true],
  ['void', false],
] as const)('while its collection is paused with %s, it is active: %s', async (behavior, active) => {
  const subscriber = await running()
  const resumes_at = stripe.now() + 86_400
  await dashboard.subscriptions.update(subscriber.externalId, { pause_collection: { behavior, resumes_at } })
  await eventuallyMatches(subscriber, subscriber.path, { status: 'active', paused: behavior, active })
  expect(await modulesOf(subscriber)).toEqual(active ? ['planning'] : [])
  const { body } = await subscriber.api.patch(subscriber.path, { seats: 8 })
  expect(body).toMatchObject({ seats: 8, paused: behavior, active })
  stripe.advance({ days: 2 })
  await eventuallyMatches(subscriber, subscriber.path, { paused: null, active: true })
  expect(await modulesOf(subscriber)).toEqual(['planning'])
})

describe('the next status', () => {
  test('past_due becomes active once the open invoice is paid', async () => {
    const subscriber = await overdue()
    await eventuallyMatches(subscriber, subscriber.path, { status: 'past_due' })
    await eventuallyMatches(subscriber, `${subscriber.path}/invoices?status=open`, { totalItems: 1 })
    stripe.decline((await subscriber.api.get(subscriber.card)).body.externalId, null)
    stripe.advance({ days: 4 })
    await eventuallyMatches(subscriber, subscriber.path, { status: 'active' })
    await eventuallyMatches(subscriber, `${subscriber.path}/invoices`, {
      member: [{ status: 'paid', amountDue: expect.any(Number) }, {}],
    })
  })

  test('past_due becomes active when another card is charged', async () => {
    const subscriber = await overdue()
    await eventuallyMatches(subscriber, subscriber.path, { status: 'past_due' })
    const { body: card } = await subscriber.api.post('/payment-methods', { externalId: 'pm_card_amex' })
    expect((await subscriber.api.patch(subscriber.path, { paymentMethod: card['@id'] })).status).toBe(200)
    stripe.advance({ days: 4 })
    await eventuallyMatches(subscriber, subscriber.path, { status: 'active', paymentMethod: card['@id'] })
  })

  test('past_due becomes canceled when the account cancels unpaid subscriptions', async () => {
    stripe.setStatusAfterRetries('canceled')
    const subscriber = await overdue()
    stripe.advance({ days: 16 })
    await eventuallyMatches(subscriber, subscriber.path, { status: 'canceled', active: false })
    expect(await modulesOf(subscriber)).toEqual([])
  })

  test('trialing becomes active when the trial ends with a card', async () => {
    const subscriber = await trial()
    expect((await subscriber.api.post('/payment-methods', { externalId: 'pm_card_visa' })).status).toBe(201)
    stripe.advance({ days: 8 })
    await eventuallyMatches(subscriber, subscriber.path, { status: 'active' })
  })

  test('active becomes paused when it is paused at Stripe, and active when the resumption invoice is paid', async () => {
    const subscriber = await running()
    await dashboard.subscriptions.pause(subscriber.externalId, { bill_for: { unused_time_from: { type: 'none' } } })
    await eventuallyMatches(subscriber, subscriber.path, { status: 'paused', active: false })
    expect(await modulesOf(subscriber)).toEqual([])
    const { latest_invoice } = await dashboard.subscriptions.resume(subscriber.externalId)
    await eventuallyMatches(subscriber, `${subscriber.path}/invoices?status=open`, { totalItems: 1 })
    expect((await subscriber.api.get(subscriber.path)).body.status).toBe('paused')
    await dashboard.invoices.pay(latest_invoice as string)
    await eventuallyMatches(subscriber, subscriber.path, { status: 'active', active: true })
    expect(await modulesOf(subscriber)).toEqual(['planning'])
  })

  test('past_due becomes active when its invoice is marked uncollectible at Stripe', async () => {
    const subscriber = await overdue()
    await eventuallyMatches(subscriber, subscriber.path, { status: 'past_due' })
    const [invoice] = (await dashboard.invoices.list({ subscription: subscriber.externalId, status: 'open' })).data
    await dashboard.invoices.markUncollectible(invoice.id)
    await eventuallyMatches(subscriber, subscriber.path, { status: 'active' })
  })

  test('paused becomes active when it is resumed at Stripe with a card', async () => {
    const subscriber = await ways.paused()
    await eventuallyMatches(subscriber, subscriber.path, { status: 'paused' })
    await subscriber.api.post('/payment-methods', { externalId: 'pm_card_visa' })
    await dashboard.subscriptions.resume(subscriber.externalId, { payment_behavior: 'resume_on_payment_success' })
    await eventuallyMatches(subscriber, subscriber.path, { status: 'active' })
    expect(await modulesOf(subscriber)).toEqual(['planning'])
  })

  test.each(['trialing', 'past_due', 'unpaid', 'paused'])('%s becomes canceled on request', async (status) => {
    const subscriber = await ways[status]()
    await eventuallyMatches(subscriber, subscriber.path, { status })
    const { status: code, body } = await subscriber.api.post(`${subscriber.path}/cancel`, { immediately: true })
    expect([code, body.status]).toEqual([201, 'canceled'])
  })

  test('incomplete_expired has no valid secret', async () => {
    const subscriber = await waiting()
    const { confirmationSecret } = (await subscriber.api.get(subscriber.path)).body
    stripe.advance({ hours: 23 })
    await eventuallyMatches(subscriber, subscriber.path, { status: 'incomplete_expired', confirmationSecret: null })
    expect((await confirmIntent(confirmationSecret, 'pm_card_visa')).status).toBe(400)
  })
})

test('a subscription from the dashboard of Stripe is stored for the organization', async () => {
  const subscriber = await trial()
  await eventuallyMatches(subscriber, subscriber.path, {
    status: 'trialing',
    seats: 1,
    modules: ['planning'],
    type: 'monthly',
  })
  const { organization } = subscriber.tenant
  await eventuallyMatches(subscriber, `/organizations/${organization.id}`, { currentSubscription: subscriber.path })
  const [event] = await database.manager.find(AuditEvent, { where: { target: subscriber.path } })
  expect([event.action, event.actorId]).toEqual(['subscription.follow', null])
})

test('the deletion of a customer at Stripe ends its subscription, and the organization can create another', async () => {
  const subscriber = await running()
  await dashboard.customers.del(subscriber.customer)
  await eventuallyMatches(subscriber, subscriber.path, { status: 'canceled', active: false, paymentMethod: null })
  const { organization } = subscriber.tenant
  await eventuallyMatches(subscriber, `/organizations/${organization.id}`, {
    currentSubscription: null,
    stripeCustomerId: null,
  })
  await eventuallyMatches(subscriber, '/payment-methods', { totalItems: 0 })
  expect(await modulesOf(subscriber)).toEqual([])

  const { body: card } = await subscriber.api.post('/payment-methods', { externalId: 'pm_card_visa' })
  const { status, body } = await subscriber.api.post('/subscriptions', { paymentMethod: card['@id'] })
  expect([status, body.status]).toEqual([201, 'active'])
  expect(await customerIdOf(subscriber)).not.toBe(subscriber.customer)
  expect(await database.manager.countBy(Subscription, { organizationId: organization.id })).toBe(2)
})

test('a renewal that requires consent is past_due until the holder has given it', async () => {
  const subscriber = await payingCustomer('pm_card_authenticationRequired')
  const { body } = await subscriber.api.post('/subscriptions', { paymentMethod: subscriber.card })
  await confirmIntent(body.confirmationSecret)
  await eventuallyMatches(subscriber, body['@id'], { status: 'active' })
  stripe.advance({ days: 32 })
  await eventuallyMatches(subscriber, body['@id'], { status: 'past_due', active: true, awaiting: false })
  const { confirmationSecret } = (await subscriber.api.get(body['@id'])).body
  expect((await confirmIntent(confirmationSecret)).body.status).toBe('succeeded')
  await eventuallyMatches(subscriber, body['@id'], { status: 'active', confirmationSecret: null })
})
