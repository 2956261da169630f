import { OrganizationAddress, PaymentMethod } from '../../../entities/index.ts'
import { payingCustomer, stripeCustomer } from '../../support/billing/billing.ts'
import { customerIdOf, dashboard, subscribed } from '../../support/billing/stripe.ts'
import { createEvent, deliver, storedEvent } from '../../support/billing/stripe-events.ts'
import { customerEvent, syncNow } from '../../support/billing/sync-now.ts'
import { eventually } from '../../support/eventually.ts'
import { startJobs } from '../../support/jobs.ts'
import { openWorld } from '../../support/world.ts'

const { database, given, stripe } = await openWorld()

afterEach(() => stripe.clearFaults())

/** A subscription that the operator creates at Stripe for an organization with a card and without a billing address. */
async function withoutAddress() {
  const subscriber = await payingCustomer()
  await database.manager.delete(OrganizationAddress, { id: subscriber.address.id })
  const customer = await customerIdOf(subscriber)
  const { data: prices } = await dashboard.prices.list({ lookup_keys: ['seat_monthly', 'module_planning_monthly'] })
  const { externalId } = (await subscriber.api.get(subscriber.card)).body
  const subscription = await dashboard.subscriptions.create({
    customer,
    items: prices.map(({ id }) => ({ price: id })),
    default_payment_method: externalId,
  })
  return { subscriber, customer, subscription }
}

test('a subscription from Stripe is stored without a billing address, and the missing address is reported', async () => {
  const { subscriber, customer, subscription } = await withoutAddress()
  const event = customerEvent(customer)
  await deliver(event)
  await syncNow(customer)
  const { body } = await subscriber.api.get('/subscriptions')
  expect(body.member).toEqual([
    expect.objectContaining({
      externalId: subscription.id,
      status: 'active',
      modules: ['planning'],
      organizationAddress: null,
      paymentMethod: subscriber.card,
    }),
  ])
  expect((await subscriber.api.get('/invoices')).body.totalItems).toBe(1)
  expect(await storedEvent(event.id)).toMatchObject({
    status: 'done',
    error: expect.stringContaining('billing address'),
  })
  expect((await subscriber.api.patch(body.member[0]['@id'], { seats: 7 })).status).toBe(200)
})

test.each(['subscriptions', 'invoices', 'payment_methods'])(
  'a malformed object among the %s does not prevent the others, and its event stays pending',
  async (kind) => {
    const subscriber = await subscribed()
    const { customer, api, path } = subscriber
    await dashboard.paymentMethods.attach('pm_card_amex', { customer })
    await dashboard.subscriptions.cancel(subscriber.externalId)
    const lists = {
      subscriptions: {
        path: '/v1/subscriptions',
        list: await dashboard.subscriptions.list({ customer, status: 'all' }),
      },
      invoices: { path: '/v1/invoices', list: await dashboard.invoices.list({ customer }) },
      payment_methods: {
        path: `/v1/customers/${customer}/payment_methods`,
        list: await dashboard.customers.listPaymentMethods(customer),
      },
    }
    const { path: where, list } = lists[kind as keyof typeof lists]
    const data = [{ ...(list.data[0] as object), id: 5 }, ...list.data, null]
    stripe.fault({ kind: 'nonsense', method: 'GET', path: where, body: JSON.stringify({ ...list, data }) })
    const event = customerEvent(customer)
    await deliver(event)
    await syncNow(customer)
    expect((await api.get(path)).body.status).toBe('canceled')
    expect((await api.get('/payment-methods')).body.totalItems).toBe(2)
    expect((await api.get('/invoices')).body.totalItems).toBe(1)
    expect(await storedEvent(event.id)).toMatchObject({
      status: 'pending',
      attempts: 0,
      error: expect.stringContaining('malformed objects'),
    })
    await syncNow(customer)
    expect((await storedEvent(event.id))?.status).toBe('done')
  },
)

test('an object that the database refuses does not prevent the others', async () => {
  const subscriber = await subscribed()
  const attached = await dashboard.paymentMethods.attach('pm_card_amex', { customer: subscriber.customer })
  await database.query(`ALTER TABLE "payment_method" ADD CONSTRAINT "refused" CHECK ("externalId" <> '${attached.id}')`)
  await dashboard.subscriptions.cancel(subscriber.externalId)
  const event = createEvent('customer.updated', { id: subscriber.customer, object: 'customer' })
  await deliver(event)
  await syncNow(subscriber.customer)
  expect((await subscriber.api.get(subscriber.path)).body.status).toBe('canceled')
  expect((await subscriber.api.get('/payment-methods')).body.totalItems).toBe(1)
  expect((await storedEvent(event.id))?.status).toBe('pending')
  await database.query(`ALTER TABLE "payment_method" DROP CONSTRAINT "refused"`)
})

test('an object that another organization has is stored for the organization of its customer', async () => {
  const subscriber = await subscribed()
  const stranger = await stripeCustomer()
  const attached = await dashboard.paymentMethods.attach('pm_card_amex', { customer: subscriber.customer })
  await given(PaymentMethod, { organizationId: stranger.tenant.organization.id, externalId: attached.id, type: 'card' })
  await syncNow(subscriber.customer)
  expect((await subscriber.api.get('/payment-methods')).body.totalItems).toBe(2)
})

test('a new billing address is added to the subscription', async () => {
  await startJobs()
  const { subscriber, customer } = await withoutAddress()
  await syncNow(customer)
  const street = { kind: 'billing', name: 'Subscriber', street: 'Damrak', city: 'Amsterdam', country: '/countries/NL' }
  const { body: address } = await subscriber.api.post('/organization-addresses', street).expect(201)
  await eventually(
    async () => (await subscriber.api.get('/subscriptions')).body.member[0].organizationAddress,
    (shown) => expect(shown).toBe(address['@id']),
  )
})
