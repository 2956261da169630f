import { stripeCustomer } from '../../support/billing/billing.ts'
import { confirmedSubscriber } from '../../support/billing/manual-billing.ts'
import { customerIdOf, dashboard, subscribed } from '../../support/billing/stripe.ts'
import { syncNow } from '../../support/billing/sync-now.ts'
import { openWorld } from '../../support/world.ts'

const { as, operator } = await openWorld()

const patch = (organization: { id: string }, body: object) =>
  as(operator).patch(`/organizations/${organization.id}`, body)

test.each([
  ['manual billing', { manualBilling: true, stripeCustomerId: null }],
  ['another customer', { stripeCustomerId: 'cus_other' }],
  ['no customer', { stripeCustomerId: null }],
])('%s is refused with 409 while Stripe bills the organization', async (_, body) => {
  const subscriber = await subscribed()
  const { organization } = subscriber.tenant
  const refused = await patch(organization, body)
  expect([refused.status, refused.body.detail]).toEqual([409, expect.stringContaining(subscriber.externalId)])
  expect((await subscriber.api.get(subscriber.path)).body).toMatchObject({ status: 'active' })

  const ended = await subscriber.api.post(`${subscriber.path}/cancel`, { immediately: true })
  expect(ended.body.status).toBe('canceled')
  expect((await dashboard.subscriptions.retrieve(subscriber.externalId)).status).toBe('canceled')
  expect((await patch(organization, body)).status).toBe(200)
  expect((await subscriber.api.get('/payment-methods')).body.totalItems).toBe(0)
})

test('a subscription that only Stripe knows also prevents the switch', async () => {
  const subscriber = await subscribed()
  const { items } = await dashboard.subscriptions.retrieve(subscriber.externalId)
  await subscriber.api.post(`${subscriber.path}/cancel`, { immediately: true })
  const item = { price: items.data[0].price.id, quantity: 3 }
  const { id } = await dashboard.subscriptions.create({ customer: subscriber.customer, items: [item] })
  const { status, body } = await patch(subscriber.tenant.organization, { manualBilling: true, stripeCustomerId: null })
  expect([status, body.detail]).toEqual([409, expect.stringContaining(id)])
})

test('a manually billed subscription must end before Stripe can bill the organization', async () => {
  const { api, path, tenant } = await confirmedSubscriber()
  expect((await patch(tenant.organization, { manualBilling: false })).status).toBe(409)
  await api.post(`${path}/cancel`, { immediately: true })
  expect((await patch(tenant.organization, { manualBilling: false })).status).toBe(200)
})

test('an organization with a new customer gets the state of that customer', async () => {
  const { tenant, api } = await stripeCustomer()
  const { id } = await dashboard.customers.create({ name: 'Made in the dashboard' })
  await dashboard.paymentMethods.attach('pm_card_amex', { customer: id })
  expect((await patch(tenant.organization, { stripeCustomerId: id })).status).toBe(200)
  await syncNow(id)
  expect((await api.get('/payment-methods')).body.member).toMatchObject([{ last4: '8431' }])
  expect(await customerIdOf({ tenant, api } as never)).toBe(id)
})
