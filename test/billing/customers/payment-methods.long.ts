import { AuditEvent, PaymentMethod } from '../../../entities/index.ts'
import { payingCustomer, stripeCustomer } from '../../support/billing/billing.ts'
import {
  confirmIntent,
  customerIdOf,
  dashboard,
  deliverEvents,
  eventuallyMatches,
  serverRequestsWithoutSyncs,
  subscribed,
  tablesWith,
  violationsOf,
} from '../../support/billing/stripe.ts'
import { jobs } from '../../support/jobs.ts'
import { eventsAbout } from '../../support/rows/audit-events.ts'
import { openWorld } from '../../support/world.ts'

const { as, billing, database, elsewhere, foundTenant, operator, stripe } = await openWorld()

beforeAll(deliverEvents)
afterEach(() => stripe.clearFaults())

describe('setting up a payment method', () => {
  test('returns a client secret, with which the browser adds a payment method', async () => {
    const subscriber = await stripeCustomer()
    const { status, body } = await subscriber.api.post('/payment-methods/setup').set('Idempotency-Key', 'setup')
    expect([status, body['@type']]).toEqual([200, 'PaymentMethodSetup'])
    expect(body).toMatchObject({
      clientSecret: expect.stringMatching(/^seti_\w+_secret_/),
      publishableKey: stripe.publishableKey,
    })
    const again = await subscriber.api.post('/payment-methods/setup').set('Idempotency-Key', 'setup')
    expect([again.status, again.body]).toEqual([200, { ...body, clientSecret: expect.stringMatching(/_secret_/) }])

    const { body: intent } = await confirmIntent(body.clientSecret, 'pm_card_visa')
    expect(intent.status).toBe('succeeded')
    await eventuallyMatches(subscriber, '/payment-methods', {
      totalItems: 1,
      member: [{ last4: '4242', brand: 'visa' }],
    })
    const attached = await subscriber.api.post('/payment-methods', { externalId: intent.payment_method })
    expect([attached.status, attached.body.externalId]).toEqual([200, intent.payment_method])
    expect(await tablesWith(body.clientSecret)).toEqual([])
  })

  test('adds nothing when Stripe declines the card', async () => {
    const subscriber = await stripeCustomer()
    const { body } = await subscriber.api.post('/payment-methods/setup')
    expect((await confirmIntent(body.clientSecret, 'pm_card_chargeDeclined')).status).toBe(402)
    expect((await subscriber.api.get('/payment-methods')).body.totalItems).toBe(0)
  })
})

describe('attaching a payment method', () => {
  test('makes the first one the preferred one', async () => {
    const subscriber = await stripeCustomer()
    const first = await subscriber.api.post('/payment-methods', { externalId: 'pm_card_visa' })
    expect(first.status).toBe(201)
    expect(first.headers.location).toBe(first.body['@id'])
    expect(first.body).toMatchObject({
      name: 'Visa •••• 4242',
      type: 'card',
      brand: 'visa',
      last4: '4242',
      expiryMonth: 8,
      externalId: expect.stringMatching(/^pm_/),
      preferred: true,
    })
    const second = await subscriber.api.post('/payment-methods', { externalId: 'pm_card_mastercard' })
    expect([second.status, second.body.preferred]).toEqual([201, false])
    expect(await dashboard.customers.retrieve(await customerIdOf(subscriber))).toMatchObject({
      invoice_settings: { default_payment_method: first.body.externalId },
    })
    expect((await subscriber.api.get(first.body['@id'])).body).toMatchObject({
      name: 'Visa •••• 4242',
      preferred: true,
    })
  })

  test('twice has the effect of once', async () => {
    const subscriber = await payingCustomer()
    const { body: card } = await subscriber.api.get(subscriber.card)
    const since = stripe.requests.length
    const again = await subscriber.api.post('/payment-methods', { externalId: card.externalId })
    expect([again.status, again.body['@id'], serverRequestsWithoutSyncs(since)]).toEqual([200, subscriber.card, []])
    expect(await database.manager.countBy(AuditEvent, { target: subscriber.card })).toBe(1)
  })

  test('twice at the same time has the effect of once', async () => {
    const subscriber = await stripeCustomer()
    const { id } = await dashboard.paymentMethods.create({ type: 'card', card: { token: 'tok_visa' } })
    const attempts = [1, 2, 3].map(() => subscriber.api.post('/payment-methods', { externalId: id }))
    const answers = await Promise.all(attempts)
    expect(new Set(answers.map(({ body }) => body['@id'])).size).toBe(1)
    expect(answers.every(({ status }) => status < 300)).toBe(true)
  })

  test('is not undone by a sync that fetched its state before', async () => {
    const subscriber = await payingCustomer()
    const customer = await customerIdOf(subscriber)
    stripe.deliveries.hold()
    stripe.fault({ kind: 'slow', ms: 400, path: '/v1/invoices' })
    const looking = jobs.followCustomer({ customer })
    await new Promise((resolve) => setTimeout(resolve, 150))
    const { body } = await subscriber.api.post('/payment-methods', { externalId: 'pm_card_amex' })
    await looking
    expect((await subscriber.api.get(body['@id'])).status).toBe(200)
    stripe.deliveries.release()
    await jobs.followCustomer({ customer })
    expect((await subscriber.api.get(body['@id'])).body).toMatchObject({ last4: '8431' })
  })

  test.each([
    ['pm_unknown', { externalId: 'resource_missing' }],
    ['cus_1', { externalId: 'matches' }],
    [7, { externalId: expect.any(String) }],
  ])('rejects %s, which is not a payment method', async (externalId, faults) => {
    const subscriber = await stripeCustomer()
    const { status, body } = await subscriber.api.post('/payment-methods', { externalId })
    expect([status, violationsOf(body)]).toEqual([422, faults])
    expect((await subscriber.api.get('/payment-methods')).body.totalItems).toBe(0)
  })

  test('rejects a payment method of another customer with the same error for every customer', async () => {
    const other = await payingCustomer()
    const { externalId } = (await other.api.get(other.card)).body
    const subscriber = await stripeCustomer()
    const { status, body } = await subscriber.api.post('/payment-methods', { externalId })
    expect([status, Object.keys(violationsOf(body))]).toEqual([422, ['externalId']])
    expect((await other.api.get(other.card)).status).toBe(200)
  })

  test.each([
    ['pm_card_chargeDeclined', /\(generic_decline\): the bank gives no reason/],
    ['pm_card_chargeDeclinedInsufficientFunds', /\(insufficient_funds\): the account has insufficient funds/],
    ['pm_card_chargeDeclinedExpiredCard', /\(expired_card\): the card has expired/],
    ['pm_card_chargeDeclinedIncorrectCvc', /\(incorrect_cvc\): the security code/],
    ['pm_card_chargeDeclinedLostCard', /\(generic_decline\): the bank declines it/],
  ])('returns 402 with the reason for %s', async (externalId, words) => {
    const subscriber = await stripeCustomer()
    const { status, body } = await subscriber.api.post('/payment-methods', { externalId })
    expect([status, body.detail]).toEqual([402, expect.stringMatching(words)])
    expect((await subscriber.api.get('/payment-methods')).body.totalItems).toBe(0)
  })

  test('attaches once when the response of Stripe is lost', async () => {
    const subscriber = await stripeCustomer()
    stripe.fault({ kind: 'lost', method: 'POST', path: '/v1/payment_methods' })
    expect((await subscriber.api.post('/payment-methods', { externalId: 'pm_card_visa' })).status).toBe(201)
    const { data } = await dashboard.customers.listPaymentMethods(await customerIdOf(subscriber))
    expect(data).toHaveLength(1)
  })
})

describe('removing a payment method', () => {
  test('detaches it, and it is no longer the preferred one', async () => {
    const subscriber = await payingCustomer()
    const { externalId } = (await subscriber.api.get(subscriber.card)).body
    expect((await subscriber.api.delete(subscriber.card)).status).toBe(204)
    expect((await subscriber.api.get(subscriber.card)).status).toBe(404)
    expect(await dashboard.paymentMethods.retrieve(externalId)).toMatchObject({ customer: null })
    expect((await subscriber.api.delete(subscriber.card)).status).toBe(404)
    const events = await eventsAbout(subscriber.card)
    expect(events.map(({ action }) => action)).toEqual(['paymentMethod.create', 'paymentMethod.remove'])
  })

  test('returns 409 while the live subscription is paid with it', async () => {
    const subscriber = await subscribed()
    const { status, body } = await subscriber.api.delete(subscriber.card)
    expect([status, body.detail]).toEqual([409, expect.stringMatching(/paid with this payment method/)])
    const { body: other } = await subscriber.api.post('/payment-methods', { externalId: 'pm_card_amex' })
    await subscriber.api.patch(subscriber.path, { paymentMethod: other['@id'] })
    expect((await subscriber.api.delete(subscriber.card)).status).toBe(204)
    expect((await subscriber.api.delete(other['@id'])).status).toBe(409)
    await subscriber.api.post(`${subscriber.path}/cancel`, { immediately: true })
    expect((await subscriber.api.delete(other['@id'])).status).toBe(204)
    expect((await subscriber.api.get(subscriber.path)).body.paymentMethod).toBeNull()
  })

  test('returns 409 for the preferred one while the live subscription names none', async () => {
    const subscriber = await payingCustomer()
    const { body: other } = await subscriber.api.post('/payment-methods', { externalId: 'pm_card_amex' })
    const { body } = await subscriber.api.post('/subscriptions', { paymentMethod: other['@id'] })
    await dashboard.paymentMethods.detach(other.externalId)
    await eventuallyMatches(subscriber, body['@id'], { status: 'active', paymentMethod: null })
    expect((await subscriber.api.delete(subscriber.card)).status).toBe(409)
    await subscriber.api.post(`${body['@id']}/cancel`, { immediately: true })
    expect((await subscriber.api.delete(subscriber.card)).status).toBe(204)
  })

  test('happens here when Stripe has detached it', async () => {
    const subscriber = await subscribed()
    const { externalId } = (await subscriber.api.get(subscriber.card)).body
    await dashboard.paymentMethods.detach(externalId)
    await eventuallyMatches(subscriber, '/payment-methods', { totalItems: 0 })
    await eventuallyMatches(subscriber, subscriber.path, { status: 'active', paymentMethod: null })
  })

  test('succeeds when Stripe has detached it and the event has not arrived yet', async () => {
    const subscriber = await payingCustomer()
    const { externalId } = (await subscriber.api.get(subscriber.card)).body
    stripe.deliveries.hold()
    await dashboard.paymentMethods.detach(externalId)
    const { status } = await subscriber.api.delete(subscriber.card)
    stripe.deliveries.release()
    expect(status).toBe(204)
  })

  test('changes nothing when Stripe fails', async () => {
    const subscriber = await payingCustomer()
    stripe.fault({ kind: 'status', status: 500, method: 'POST', path: '/v1/payment_methods', times: 2 })
    expect((await subscriber.api.delete(subscriber.card)).status).toBe(502)
    expect((await subscriber.api.get(subscriber.card)).status).toBe(200)
  })
})

test('a change of a card or of the default card at Stripe is stored here', async () => {
  const subscriber = await payingCustomer()
  const { body: other } = await subscriber.api.post('/payment-methods', { externalId: 'pm_card_amex' })
  await dashboard.paymentMethods.update(other.externalId, { card: { exp_month: 3 } })
  await dashboard.customers.update(await customerIdOf(subscriber), {
    invoice_settings: { default_payment_method: other.externalId },
  })
  await eventuallyMatches(subscriber, other['@id'], { expiryMonth: 3, preferred: true })
  await eventuallyMatches(subscriber, subscriber.card, { preferred: false })
})

test('payment methods are for owners and admins of the organization', async () => {
  const { tenant, card } = await payingCustomer()
  const { member, admin } = tenant.users
  for (const [user, status] of [
    [member, 403],
    [operator, 403],
    [elsewhere.users.owner, 404],
    [admin, 200],
  ] as const)
    expect((await as(user).get(card)).status).toBe(status)
  expect((await as(member).post('/payment-methods/setup')).status).toBe(403)
  expect((await as(member).post('/payment-methods', { externalId: 'pm_card_visa' })).status).toBe(403)
  expect((await as(member).delete(card)).status).toBe(403)
  expect((await as(elsewhere.users.owner).delete(card)).status).toBe(404)
})

test('an organization with manual billing has no payment methods', async () => {
  const { users, organization } = await foundTenant('Byhand', 'by-hand-cards')
  const api = as(users.owner)
  expect((await api.post('/payment-methods/setup')).status).toBe(409)
  expect((await api.post('/payment-methods', { externalId: 'pm_card_visa' })).status).toBe(409)
  expect(await database.manager.countBy(PaymentMethod, { organizationId: organization.id })).toBe(0)
  expect(billing.publishableKey).toBe(stripe.publishableKey)
})
