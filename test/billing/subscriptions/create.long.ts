import { AuditEvent, OrganizationAddress, PaymentMethod, Subscription } from '../../../entities/index.ts'
import { payingCustomer, stripeCustomer } from '../../support/billing/billing.ts'
import {
  confirmIntent,
  customerIdOf,
  dashboard,
  deliverEvents,
  eventuallyMatches,
  modulesOf,
  serverRequests,
  serverRequestsWithoutSyncs,
  tablesWith,
  violationsOf,
} from '../../support/billing/stripe.ts'
import { eventually } from '../../support/eventually.ts'
import { openWorld } from '../../support/world.ts'

const { as, billing, database, given, stripe } = await openWorld()

beforeAll(deliverEvents)

describe('without a payment method', () => {
  test('a subscription is incomplete, and owners and admins get the secret that confirms its payment', async () => {
    const { api, tenant } = await stripeCustomer()
    const { status, body, headers } = await api.post('/subscriptions').set('Idempotency-Key', 'a-secret-is-not-kept')
    expect(status).toBe(201)
    expect(headers.location).toBe(body['@id'])
    expect(body).toMatchObject({
      status: 'incomplete',
      awaiting: true,
      active: false,
      seats: 3,
      paymentMethod: null,
      externalId: expect.stringMatching(/^sub_/),
      confirmationSecret: expect.stringMatching(/^pi_\w+_secret_/),
    })
    for (const user of [tenant.users.owner, tenant.users.admin])
      expect((await as(user).get(body['@id'])).body.confirmationSecret).toBe(body.confirmationSecret)
    expect((await as(tenant.users.member).get(body['@id'])).status).toBe(403)
    expect((await api.get('/subscriptions')).body.member).toEqual([
      expect.objectContaining({ '@id': body['@id'], confirmationSecret: null }),
    ])
    await stripe.settled()
    expect(await tablesWith(body.confirmationSecret)).toEqual([])
  })

  test('the subscription is active once the browser has confirmed the payment', async () => {
    const subscriber = await stripeCustomer()
    const { body } = await subscriber.api.post('/subscriptions', { modules: ['planning'], seats: 7 })
    expect(await modulesOf(subscriber)).toEqual([])
    expect(await confirmIntent(body.confirmationSecret, 'pm_card_visa')).toMatchObject({
      body: { status: 'succeeded' },
    })

    await eventuallyMatches(subscriber, body['@id'], {
      status: 'active',
      active: true,
      awaiting: false,
      confirmationSecret: null,
      paymentMethod: expect.stringMatching(/^\/payment-methods\//),
      seats: 7,
      modules: ['planning'],
    })
    expect(await modulesOf(subscriber)).toEqual(['planning'])
    expect((await subscriber.api.get('/payment-methods')).body.member).toEqual([
      expect.objectContaining({ last4: '4242' }),
    ])
    expect((await subscriber.api.get(`${body['@id']}/invoices`)).body.member).toEqual([
      expect.objectContaining({ status: 'paid', total: 7 * 1200 + 900, amountDue: 9300, currency: 'EUR' }),
    ])
  })

  test('the subscription stays incomplete when the card is declined, and another card can pay', async () => {
    const subscriber = await stripeCustomer()
    const { body } = await subscriber.api.post('/subscriptions')
    expect((await confirmIntent(body.confirmationSecret, 'pm_card_chargeDeclined')).status).toBe(402)
    expect((await subscriber.api.get(body['@id'])).body).toMatchObject({
      status: 'incomplete',
      confirmationSecret: body.confirmationSecret,
    })
    await confirmIntent(body.confirmationSecret, 'pm_card_mastercard')
    await eventuallyMatches(subscriber, body['@id'], { status: 'active' })
  })

  test('the stored state is shown while Stripe is unreachable', async () => {
    const { api } = await stripeCustomer()
    const { body } = await api.post('/subscriptions')
    stripe.fault({ kind: 'status', status: 500, method: 'GET', path: `/v1/subscriptions/${body.externalId}`, times: 2 })
    expect((await api.get(body['@id'])).body).toMatchObject({ status: 'incomplete', confirmationSecret: null })
  })
})

describe('with a payment method', () => {
  test('the subscription is charged and active at once', async () => {
    const subscriber = await payingCustomer()
    const { status, body } = await subscriber.api.post('/subscriptions', {
      paymentMethod: subscriber.card,
      modules: ['banking'],
    })
    expect([status, body.status, body.confirmationSecret]).toEqual([201, 'active', null])
    expect(body).toMatchObject({ active: true, awaiting: false, paymentMethod: subscriber.card, modules: ['banking'] })
    expect((await subscriber.api.get(`/organizations/${subscriber.tenant.organization.id}`)).body).toMatchObject({
      currentSubscription: body['@id'],
      stripeCustomerId: expect.stringMatching(/^cus_/),
    })
    expect(await modulesOf(subscriber)).toEqual(['banking'])
  })

  test('Stripe receives the metadata and the recipient of the invoices', async () => {
    const subscriber = await payingCustomer()
    const since = stripe.requests.length
    const note = { name: 'purchase order', value: '2026-7' }
    const { body } = await subscriber.api.post('/subscriptions', {
      paymentMethod: subscriber.card,
      type: 'yearly',
      modules: ['planning'],
      seats: 4,
      metadata: [note, { name: 'cost centre', value: '' }],
    })
    expect(body).toMatchObject({ type: 'yearly', seats: 4, modules: ['planning'] })
    const sent = serverRequests(since).find(({ what }) => what === 'POST /subscriptions')
    const customer = await customerIdOf(subscriber)
    expect(sent).toMatchObject({
      headers: { 'idempotency-key': `subscription:${body.id}` },
      params: {
        customer,
        items: [{ quantity: '4' }, { quantity: '1' }],
        metadata: {
          organization: subscriber.tenant.organization.id,
          subscription: body.id,
          'purchase order': '2026-7',
        },
        payment_behavior: 'allow_incomplete',
      },
    })
    expect(await dashboard.customers.retrieve(customer)).toMatchObject({
      name: 'Subscriber',
      address: { line1: 'Damrak 1', city: 'Amsterdam', country: 'NL' },
      metadata: { organization: subscriber.tenant.organization.id },
    })
  })

  test('the subscription is incomplete until the holder has given consent with the secret', async () => {
    const subscriber = await payingCustomer('pm_card_authenticationRequired')
    const { status, body } = await subscriber.api.post('/subscriptions', { paymentMethod: subscriber.card })
    expect([status, body.status]).toEqual([201, 'incomplete'])
    expect(body.confirmationSecret).toMatch(/^pi_\w+_secret_/)
    expect((await confirmIntent(body.confirmationSecret)).body.status).toBe('succeeded')
    await eventuallyMatches(subscriber, body['@id'], {
      status: 'active',
      confirmationSecret: null,
      paymentMethod: subscriber.card,
    })
  })

  test('a declined card is a 402 with its reason, nothing is live, and another card works', async () => {
    const subscriber = await payingCustomer('pm_card_chargeCustomerFail')
    const refused = await subscriber.api.post('/subscriptions', { paymentMethod: subscriber.card })
    expect(refused.status).toBe(402)
    expect(refused.body.detail).toMatch(/declined \(generic_decline\): .*bank/)
    const { organization } = subscriber.tenant
    expect((await subscriber.api.get(`/organizations/${organization.id}`)).body.currentSubscription).toBeNull()
    expect(await billing.listLiveSubscriptions(await customerIdOf(subscriber))).toEqual([])

    const { body: card } = await subscriber.api.post('/payment-methods', { externalId: 'pm_card_visa' })
    const { status, body } = await subscriber.api.post('/subscriptions', { paymentMethod: card['@id'] })
    expect([status, body.status]).toEqual([201, 'active'])
    await stripe.settled()
    await eventually(
      () => database.manager.findBy(Subscription, { organizationId: organization.id }),
      (rows) => expect(rows.filter(({ live }) => live)).toHaveLength(1),
    )
  })

  test.each([
    ['insufficient_funds', /\(insufficient_funds\): the account has insufficient funds/],
    ['expired_card', /\(expired_card\): the card has expired/],
    ['lost_card', /\(generic_decline\): the bank declines it/],
    ['stolen_card', /\(generic_decline\): the bank declines it/],
    ['do_not_honor', /\(do_not_honor\): the bank gives no reason/],
  ])('the decline code %s is reported as far as it may be', async (reason, words) => {
    const subscriber = await payingCustomer()
    const { externalId } = (await subscriber.api.get(subscriber.card)).body
    stripe.decline(externalId, reason)
    const { status, body } = await subscriber.api.post('/subscriptions', { paymentMethod: subscriber.card })
    expect([status, body.detail]).toEqual([402, expect.stringMatching(words)])
    expect(
      (await subscriber.api.get('/subscriptions')).body.member.filter(({ cancel }: { cancel?: string }) => cancel),
    ).toEqual([])
  })

  test('a payment method of another tenant is as unknown as any other', async () => {
    const [subscriber, other] = [await payingCustomer(), await payingCustomer()]
    const answers = []
    for (const paymentMethod of [other.card, '/payment-methods/0199e0a0-0000-7000-8000-000000000000']) {
      const { status, body } = await subscriber.api.post('/subscriptions', { paymentMethod })
      answers.push([status, violationsOf(body), body.detail.replace(paymentMethod, '')])
    }
    expect(answers[0]).toEqual([422, { paymentMethod: 'unknownReference' }, expect.any(String)])
    expect(answers[1]).toEqual(answers[0])
  })
})

test('a card that Stripe no longer has is a violation of paymentMethod', async () => {
  const { api, tenant } = await stripeCustomer()
  const values = { organizationId: tenant.organization.id, type: 'card', externalId: 'pm_gone' }
  const { id } = await given(PaymentMethod, values)
  // Its event must not arrive before the request.
  stripe.deliveries.hold()
  const { status, body } = await api.post('/subscriptions', { paymentMethod: `/payment-methods/${id}` })
  stripe.deliveries.release()
  expect([status, violationsOf(body)]).toEqual([422, { paymentMethod: 'resource_missing' }])
  expect((await api.get('/subscriptions')).body.totalItems).toBe(0)
})

test('an invalid body is rejected before any request to Stripe', async () => {
  const { api, tenant } = await stripeCustomer()
  const since = stripe.requests.length
  const { status, body } = await api.post('/subscriptions', { seats: 0, type: 'weekly', modules: ['astrology'] })
  expect([status, violationsOf(body)]).toEqual([422, { seats: 'min', type: 'isIn', modules: 'isIn' }])
  expect(serverRequestsWithoutSyncs(since)).toEqual([])
  expect(await database.manager.countBy(AuditEvent, { organizationId: tenant.organization.id })).toBe(0)
})

test('without a billing address no request is sent to Stripe', async () => {
  const { api, address } = await stripeCustomer()
  await database.manager.delete(OrganizationAddress, { id: address.id })
  const since = stripe.requests.length
  expect(violationsOf((await api.post('/subscriptions')).body)).toEqual({ organizationAddress: 'isNotEmpty' })
  expect(serverRequestsWithoutSyncs(since)).toEqual([])
})

test('creating a subscription is for owners and admins', async () => {
  const { tenant } = await stripeCustomer()
  expect((await as(tenant.users.member).post('/subscriptions')).status).toBe(403)
  expect((await as(tenant.users.admin).post('/subscriptions')).status).toBe(201)
})

test('an address with only its required properties is enough for Stripe', async () => {
  const { api, tenant, address } = await stripeCustomer()
  await database.manager.delete(OrganizationAddress, { id: address.id })
  const least = { kind: 'billing', name: 'Subscriber', street: 'Damrak', city: 'Amsterdam', countryId: 'NL' }
  await given(OrganizationAddress, { organizationId: tenant.organization.id, ...least })
  expect((await api.post('/subscriptions')).status).toBe(201)
})

test('metadata with any names is sent to Stripe and stays as it was', async () => {
  const subscriber = await payingCustomer()
  const names = ['0', '1', '__proto__', 'constructor', 'a&b=c', 'été 🎈', 'x'.repeat(40), ' spaced ', 'a.b', '%5B0%5D']
  const metadata = names.map((name) => ({ name, value: `value of ${name} &=[]` }))
  const { status, body } = await subscriber.api.post('/subscriptions', { paymentMethod: subscriber.card, metadata })
  expect([status, body.metadata]).toEqual([201, metadata])
  const { metadata: kept } = await dashboard.subscriptions.retrieve(body.externalId)
  expect(Object.entries(kept).map(([name]) => name)).toEqual(expect.arrayContaining(names))
})

test('a declined subscription that could not be ended at Stripe is shown, and can be canceled', async () => {
  const subscriber = await payingCustomer('pm_card_chargeCustomerFail')
  stripe.fault({ kind: 'status', status: 500, method: 'DELETE', times: 2 })
  expect((await subscriber.api.post('/subscriptions', { paymentMethod: subscriber.card })).status).toBe(402)
  stripe.clearFaults()
  await eventuallyMatches(subscriber, '/subscriptions', { totalItems: 1, member: [{ status: 'incomplete' }] })
  const { body } = await subscriber.api.get('/subscriptions')
  expect((await subscriber.api.post(`${body.member[0]['@id']}/cancel`)).status).toBe(201)
  expect((await subscriber.api.post('/subscriptions')).status).toBe(201)
})
