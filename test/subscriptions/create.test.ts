import { AuditEvent, PaymentMethod, Subscription } from '../../entities/index.ts'
import { customer, ownedBy } from '../support/billing/manual-billing.ts'
import { openWorld } from '../support/world.ts'

const { as, database, given, operator, publicUrl } = await openWorld()

test('every property of a subscription has a default', async () => {
  const { api, tenant, address } = await customer()
  const { status, body, headers } = await api.post('/subscriptions')
  expect(status).toBe(201)
  expect(headers.location).toBe(body['@id'])
  expect(body).toMatchObject({
    '@type': 'Subscription',
    organization: `/organizations/${tenant.organization.id}`,
    organizationAddress: `/organization-addresses/${address.id}`,
    type: 'monthly',
    paymentMethod: null,
    products: [{ name: 'seat', quantity: 3 }],
    seats: 3,
    modules: [],
    status: 'incomplete',
    externalId: null,
    metadata: [],
    active: false,
    awaiting: true,
    cancelAt: null,
  })
  expect((await api.get(body['@id'])).body).toEqual(body)
  expect((await api.get('/subscriptions')).body.member).toEqual([expect.objectContaining({ '@id': body['@id'] })])
})

test('an empty object and a complete one create a subscription', async () => {
  const { api, tenant, address } = await customer()
  const card = await given(PaymentMethod, { ...ownedBy(tenant), type: 'card', externalId: 'pm_whole' })
  const whole = {
    organization: `/organizations/${tenant.organization.id}`,
    organizationAddress: `${publicUrl}/organization-addresses/${address.id}`,
    type: 'yearly',
    paymentMethod: { '@id': `/payment-methods/${card.id}` },
    modules: ['planning', 'banking'],
    seats: 12,
    metadata: [
      { name: 'purchase order', value: '2026-7' },
      { name: 'cost centre', value: '' },
    ],
  }
  const { status, body } = await api.post('/subscriptions', whole)
  expect(status).toBe(201)
  expect(body).toMatchObject({
    ...whole,
    organizationAddress: `/organization-addresses/${address.id}`,
    paymentMethod: `/payment-methods/${card.id}`,
    products: [
      { name: 'seat', quantity: 12 },
      { name: 'planning', quantity: 1 },
      { name: 'banking', quantity: 1 },
    ],
  })
  expect((await (await customer()).api.post('/subscriptions', {})).status).toBe(201)
})

test('a client cannot set read-only properties such as status and products', async () => {
  const { api } = await customer()
  const { body } = await api.post('/subscriptions', {
    status: 'active',
    active: true,
    awaiting: false,
    externalId: 'sub_1',
    products: [],
    confirmedAt: '2026-01-01T00:00:00Z',
    cancelAt: '2026-01-01T00:00:00Z',
  })
  expect(body).toMatchObject({
    status: 'incomplete',
    active: false,
    awaiting: true,
    externalId: null,
    cancelAt: null,
  })
})

test('a second live subscription is refused with 409', async () => {
  const { api } = await customer()
  expect((await api.post('/subscriptions')).status).toBe(201)
  const { status, body } = await api.post('/subscriptions')
  expect(status).toBe(409)
  expect(body.detail).toMatch(/live subscription/)
})

test('of ten simultaneous requests one creates a subscription', async () => {
  const { api, tenant } = await customer()
  const made = await Promise.all(Array.from({ length: 10 }, () => api.post('/subscriptions')))
  expect(made.map(({ status }) => status).sort()).toEqual([201, ...Array(9).fill(409)])
  expect(await database.manager.countBy(Subscription, ownedBy(tenant))).toBe(1)
  expect(await database.manager.countBy(AuditEvent, { ...ownedBy(tenant), action: 'subscription.create' })).toBe(1)
})

test('creating a subscription is for admins and owners', async () => {
  const { tenant } = await customer()
  expect((await as(tenant.users.member).post('/subscriptions')).status).toBe(403)
  expect((await as(operator).post('/subscriptions')).status).toBe(403)
  expect((await as(tenant.users.admin).post('/subscriptions')).status).toBe(201)
})
