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
  const payer = await stripeCustomer()
  const { body } = await payer.api.post('/subscriptions', { modules: ['planning'] })
  return { ...payer, path: body['@id'], externalId: body.externalId }
}

const running = () => subscribed({ modules: ['planning'] })

/** Its next payment is declined. */
async function overdue(): Promise<Subscribed> {
  const payer = await running()
  const { externalId } = (await payer.api.get(payer.card)).body
  stripe.decline(externalId, 'insufficient_funds')
  stripe.advance({ days: 32 })
  return payer
}

/** The operator has given it a trial at Stripe, and there is no payment method yet. */
async function trial(): Promise<Known> {
  const payer = await stripeCustomer()
  await payer.api.post('/payment-methods/setup')
  const lookup_keys = ['seat_monthly', 'module_planning_monthly']
  const { data } = await dashboard.prices.list({ lookup_keys })
  const { id: externalId } = await dashboard.subscriptions.create({
    customer: await customerIdOf(payer),
    items: lookup_keys.map((key) => ({ price: data.find(({ lookup_key }) => lookup_key === key)?.id, quantity: 1 })),
    trial_period_days: 7,
    trial_settings: { end_behavior: { missing_payment_method: 'pause' } },
  })
  await eventuallyMatches(payer, '/subscriptions', { totalItems: 1 })
  const { body } = await payer.api.get('/subscriptions')
  return { ...payer, path: body.member[0]['@id'], externalId }
}

/** The steps that bring a subscription into each of Stripe's statuses. */
const ways: Record<string, () => Promise<Known>> = {
  incomplete: waiting,
  async incomplete_expired() {
    const payer = await waiting()
    stripe.advance({ hours: 23 })
    return payer
  },
  trialing: trial,
  active: running,
  past_due: overdue,
  async unpaid() {
    const payer = await overdue()
    stripe.advance({ days: 16 })
    return payer
  },
  async paused() {
    const payer = await trial()
    stripe.advance({ days: 8 })
    return payer
  },
  async canceled() {
    const payer = await running()
    await dashboard.subscriptions.cancel(payer.externalId)
    return payer
  },
  /** A status that Stripe may add in the future. */
  async suspended() {
    const payer = await running()
    const { account } = stripe.stripe
    const found = account.store.find('subscription', payer.externalId)
    account.transaction(() => found && account.update(found, () => Object.assign(found, { status: 'suspended' })))
    return payer
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
  const payer = await ways[status]()
  await eventuallyMatches(payer, payer.path, { status, active, awaiting, externalId: payer.externalId })
  expect(await billing.retrieveSubscription(payer.externalId)).toMatchObject({ status })
  const { body } = await payer.api.get(payer.path)
  expect([typeof body.confirmationSecret, 'cancel' in body]).toEqual([
    owing.includes(status) ? 'string' : 'object',
    live,
  ])
  expect((await payer.api.get('/subscriptions')).body.member[0]).toMatchObject({ status, active, awaiting })
  const { body: organization } = await payer.api.get(`/organizations/${payer.tenant.organization.id}`)
  expect(organization.currentSubscription).toBe(live ? payer.path : null)
  expect(await modulesOf(payer)).toEqual(active ? ['planning'] : [])
  expect((await payer.api.post('/subscriptions')).status).toBe(live ? 409 : 201)
})

test.each([
  ['keep_as_draft', true],
  ['mark_uncollectible', true],
  ['void', false],
] as const)('while its collection is paused with %s, it is active: %s', async (behavior, active) => {
  const payer = await running()
  const resumes_at = stripe.now() + 86_400
  await dashboard.subscriptions.update(payer.externalId, { pause_collection: { behavior, resumes_at } })
  await eventuallyMatches(payer, payer.path, { status: 'active', paused: behavior, active })
  expect(await modulesOf(payer)).toEqual(active ? ['planning'] : [])
  const { body } = await payer.api.patch(payer.path, { seats: 8 })
  expect(body).toMatchObject({ seats: 8, paused: behavior, active })
  stripe.advance({ days: 2 })
  await eventuallyMatches(payer, payer.path, { paused: null, active: true })
  expect(await modulesOf(payer)).toEqual(['planning'])
})

describe('the next status', () => {
  test('past_due becomes active once the open invoice is paid', async () => {
    const payer = await overdue()
    await eventuallyMatches(payer, payer.path, { status: 'past_due' })
    await eventuallyMatches(payer, `${payer.path}/invoices`, { member: [{ status: 'open' }, { status: 'paid' }] })
    stripe.decline((await payer.api.get(payer.card)).body.externalId, null)
    stripe.advance({ days: 4 })
    await eventuallyMatches(payer, payer.path, { status: 'active' })
    await eventuallyMatches(payer, `${payer.path}/invoices`, {
      member: [{ status: 'paid', amountDue: expect.any(Number) }, {}],
    })
  })

  test('past_due becomes active when another card is charged', async () => {
    const payer = await overdue()
    await eventuallyMatches(payer, payer.path, { status: 'past_due' })
    const { body: card } = await payer.api.post('/payment-methods', { externalId: 'pm_card_amex' })
    expect((await payer.api.patch(payer.path, { paymentMethod: card['@id'] })).status).toBe(200)
    stripe.advance({ days: 4 })
    await eventuallyMatches(payer, payer.path, { status: 'active', paymentMethod: card['@id'] })
  })

  test('past_due becomes canceled when the account cancels unpaid subscriptions', async () => {
    stripe.setStatusAfterRetries('canceled')
    const payer = await overdue()
    stripe.advance({ days: 16 })
    await eventuallyMatches(payer, payer.path, { status: 'canceled', active: false })
    expect(await modulesOf(payer)).toEqual([])
  })

  test('trialing becomes active when the trial ends with a card', async () => {
    const payer = await trial()
    expect((await payer.api.post('/payment-methods', { externalId: 'pm_card_visa' })).status).toBe(201)
    stripe.advance({ days: 8 })
    await eventuallyMatches(payer, payer.path, { status: 'active' })
  })

  test('active becomes paused when it is paused at Stripe, and active when the resumption invoice is paid', async () => {
    const payer = await running()
    await dashboard.subscriptions.pause(payer.externalId, { bill_for: { unused_time_from: { type: 'none' } } })
    await eventuallyMatches(payer, payer.path, { status: 'paused', active: false })
    expect(await modulesOf(payer)).toEqual([])
    const { latest_invoice } = await dashboard.subscriptions.resume(payer.externalId)
    await eventuallyMatches(payer, `${payer.path}/invoices`, { member: [{ status: 'open' }, { status: 'paid' }] })
    expect((await payer.api.get(payer.path)).body.status).toBe('paused')
    await dashboard.invoices.pay(latest_invoice as string)
    await eventuallyMatches(payer, payer.path, { status: 'active', active: true })
    expect(await modulesOf(payer)).toEqual(['planning'])
  })

  test('past_due becomes active when its invoice is marked uncollectible at Stripe', async () => {
    const payer = await overdue()
    await eventuallyMatches(payer, payer.path, { status: 'past_due' })
    const [invoice] = (await dashboard.invoices.list({ subscription: payer.externalId, status: 'open' })).data
    await dashboard.invoices.markUncollectible(invoice.id)
    await eventuallyMatches(payer, payer.path, { status: 'active' })
  })

  test('paused becomes active when it is resumed at Stripe with a card', async () => {
    const payer = await ways.paused()
    await eventuallyMatches(payer, payer.path, { status: 'paused' })
    await payer.api.post('/payment-methods', { externalId: 'pm_card_visa' })
    await dashboard.subscriptions.resume(payer.externalId, { payment_behavior: 'resume_on_payment_success' })
    await eventuallyMatches(payer, payer.path, { status: 'active' })
    expect(await modulesOf(payer)).toEqual(['planning'])
  })

  test.each(['trialing', 'past_due', 'unpaid', 'paused'])('%s becomes canceled on request', async (status) => {
    const payer = await ways[status]()
    await eventuallyMatches(payer, payer.path, { status })
    const { status: code, body } = await payer.api.post(`${payer.path}/cancel`, { immediately: true })
    expect([code, body.status]).toEqual([201, 'canceled'])
  })

  test('incomplete_expired has no valid secret', async () => {
    const payer = await waiting()
    const { confirmationSecret } = (await payer.api.get(payer.path)).body
    stripe.advance({ hours: 23 })
    await eventuallyMatches(payer, payer.path, { status: 'incomplete_expired', confirmationSecret: null })
    expect((await confirmIntent(confirmationSecret, 'pm_card_visa')).status).toBe(400)
  })
})

test('a subscription from the dashboard of Stripe is stored for the organization', async () => {
  const payer = await trial()
  await eventuallyMatches(payer, payer.path, { status: 'trialing', seats: 1, modules: ['planning'], type: 'monthly' })
  const { organization } = payer.tenant
  await eventuallyMatches(payer, `/organizations/${organization.id}`, { currentSubscription: payer.path })
  const [event] = await database.manager.find(AuditEvent, { where: { target: payer.path } })
  expect([event.action, event.actorId]).toEqual(['subscription.follow', null])
})

test('the deletion of a customer at Stripe ends its subscription, and the organization can create another', async () => {
  const payer = await running()
  await dashboard.customers.del(payer.customer)
  await eventuallyMatches(payer, payer.path, { status: 'canceled', active: false, paymentMethod: null })
  const { organization } = payer.tenant
  await eventuallyMatches(payer, `/organizations/${organization.id}`, {
    currentSubscription: null,
    stripeCustomerId: null,
  })
  await eventuallyMatches(payer, '/payment-methods', { totalItems: 0 })
  expect(await modulesOf(payer)).toEqual([])

  const { body: card } = await payer.api.post('/payment-methods', { externalId: 'pm_card_visa' })
  const { status, body } = await payer.api.post('/subscriptions', { paymentMethod: card['@id'] })
  expect([status, body.status]).toEqual([201, 'active'])
  expect(await customerIdOf(payer)).not.toBe(payer.customer)
  expect(await database.manager.countBy(Subscription, { organizationId: organization.id })).toBe(2)
})

test('a renewal that requires consent is past_due until the holder has given it', async () => {
  const payer = await payingCustomer('pm_card_authenticationRequired')
  const { body } = await payer.api.post('/subscriptions', { paymentMethod: payer.card })
  await confirmIntent(body.confirmationSecret)
  await eventuallyMatches(payer, body['@id'], { status: 'active' })
  stripe.advance({ days: 32 })
  await eventuallyMatches(payer, body['@id'], { status: 'past_due', active: true, awaiting: false })
  const { confirmationSecret } = (await payer.api.get(body['@id'])).body
  expect((await confirmIntent(confirmationSecret)).body.status).toBe('succeeded')
  await eventuallyMatches(payer, body['@id'], { status: 'active', confirmationSecret: null })
})
