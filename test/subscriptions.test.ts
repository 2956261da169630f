import { AuditEvent, Employee, Invoice, OrganizationUser, PaymentMethod, Subscription } from '../entities/index.ts'
import { customer, own, running, violationsOf } from './world/by-hand.ts'
import {
  as,
  database,
  elsewhere,
  foundTenant,
  given,
  givenAddress,
  operator,
  person,
  publicUrl,
  type Tenant,
} from './world/index.ts'
import { givenInvitation } from './world/rows.ts'

const day = 24 * 60 * 60 * 1000

describe('subscribing', () => {
  test('everything has a default', async () => {
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

  test('an empty object and one with everything serve as well', async () => {
    const { api, tenant, address } = await customer()
    const card = await given(PaymentMethod, { ...own(tenant), type: 'card', externalId: 'pm_whole' })
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

  test('seats are counted: members, and invitations that may still be accepted', async () => {
    const { api, tenant } = await customer()
    const invited = { ...own(tenant), invitedBy: tenant.users.owner }
    await givenInvitation(invited)
    await givenInvitation({ ...invited, revokedAt: new Date() })
    await givenInvitation({ ...invited, acceptedAt: new Date() })
    await givenInvitation({ ...invited, expiresAt: new Date(Date.now() - day) })

    const few = await api.post('/subscriptions', { seats: 3 })
    expect([few.status, violationsOf(few.body)]).toEqual([422, { seats: 'min' }])
    expect((await api.post('/subscriptions', { seats: 4 })).body.seats).toBe(4)
  })

  test.each([
    [{ seats: 0 }, { seats: 'min' }],
    [{ seats: -1 }, { seats: 'min' }],
    [{ seats: 2 }, { seats: 'min' }],
    [{ seats: 2.5 }, { seats: 'isInt' }],
    [{ seats: '5' }, { seats: 'isInt' }],
    [{ seats: null }, { seats: 'isInt' }],
    [{ seats: 1e9 }, { seats: 'max' }],
    [{ type: 'weekly' }, { type: 'isIn' }],
    [{ type: null }, { type: 'isIn' }],
    [{ modules: ['planning', 'astrology'] }, { modules: 'isIn' }],
    [{ modules: ['planning', 'planning'] }, { modules: 'arrayUnique' }],
    [{ modules: 'planning' }, { modules: 'isArray' }],
    [{ modules: null }, { modules: 'isArray' }],
    [{ paymentMethod: 'pm_1' }, { paymentMethod: 'unknownReference' }],
    [{ organization: null }, { organization: 'isObject' }],
    [{ organizationAddress: null }, { organizationAddress: 'isObject' }],
    [
      { organizationAddress: 7, type: 1 },
      { organizationAddress: 'isReference', type: 'isIn' },
    ],
    [{ metadata: {} }, expect.objectContaining({ metadata: 'isArray' })],
    [{ metadata: null }, { metadata: 'isArray' }],
    [{ metadata: ['note'] }, expect.objectContaining({ metadata: 'isObject' })],
    [{ metadata: [null] }, expect.objectContaining({ metadata: 'isObject' })],
    [{ metadata: notes('a', 'a') }, { metadata: 'arrayUnique' }],
    [{ metadata: notes('organization') }, { 'metadata[0].name': 'isNotIn' }],
    [{ metadata: notes('fine', 'subscription') }, { 'metadata[1].name': 'isNotIn' }],
    [{ metadata: notes('') }, { 'metadata[0].name': 'isLength' }],
    [{ metadata: notes('x'.repeat(41)) }, { 'metadata[0].name': 'isLength' }],
    [{ metadata: [{ name: 'a' }] }, { 'metadata[0].value': 'isString' }],
    [{ metadata: [{ name: 'a', value: 5 }] }, { 'metadata[0].value': 'isString' }],
    [{ metadata: [{ name: 'a', value: 'x'.repeat(501) }] }, { 'metadata[0].value': 'maxLength' }],
    [{ metadata: notes(...letters(21)) }, { metadata: 'arrayMaxSize' }],
  ])('%j is refused', async (body, faults) => {
    const { api } = await customer()
    const answer = await api.post('/subscriptions', body)
    expect([answer.status, violationsOf(answer.body)]).toEqual([422, faults])
    expect((await api.get('/subscriptions')).body.totalItems).toBe(0)
  })

  test('twenty notes are not too many', async () => {
    const { api } = await customer()
    const { status, body } = await api.post('/subscriptions', { metadata: notes(...letters(20)) })
    expect([status, body.metadata]).toEqual([201, notes(...letters(20))])
  })

  test('without a billing address, or with several, one must be named', async () => {
    const tenant = await foundTenant('Homeless', 'homeless')
    const api = as(tenant.users.owner)
    await givenAddress({ ...own(tenant), kind: 'visiting' })
    const none = await api.post('/subscriptions')
    expect([none.status, violationsOf(none.body)]).toEqual([422, { organizationAddress: 'isNotEmpty' }])

    const first = await givenAddress(own(tenant))
    await givenAddress(own(tenant))
    const several = await api.post('/subscriptions', { seats: 1 })
    expect(violationsOf(several.body)).toEqual({ organizationAddress: 'isNotEmpty', seats: 'min' })
    const named = await api.post('/subscriptions', { organizationAddress: `/organization-addresses/${first.id}` })
    expect(named.status).toBe(201)
    expect((await api.delete(`/organization-addresses/${first.id}`)).status).toBe(409)
  })

  test('another organization of the caller’s is not the one that is acted for', async () => {
    const { tenant } = await customer()
    const { users, organization } = await foundTenant('Two', 'two-homes')
    await given(OrganizationUser, { ...own({ organization } as Tenant), user: tenant.users.owner, name: 'x' })
    const api = as(tenant.users.owner, { organization: tenant.organization.id })
    const { status, body } = await api.post('/subscriptions', { organization: `/organizations/${organization.id}` })
    expect([status, violationsOf(body)]).toEqual([422, { organization: 'isCurrent' }])
    expect((await as(users.owner).get('/subscriptions')).body.totalItems).toBe(0)
  })

  test('status, products and the like are not the client’s to say', async () => {
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

  test('a second live one is refused', async () => {
    const { api } = await customer()
    expect((await api.post('/subscriptions')).status).toBe(201)
    const { status, body } = await api.post('/subscriptions')
    expect(status).toBe(409)
    expect(body.detail).toMatch(/live subscription/)
  })

  test('of ten that are made at once one is made', async () => {
    const { api, tenant } = await customer()
    const made = await Promise.all(Array.from({ length: 10 }, () => api.post('/subscriptions')))
    expect(made.map(({ status }) => status).sort()).toEqual([201, ...Array(9).fill(409)])
    expect(await database.manager.countBy(Subscription, own(tenant))).toBe(1)
    expect(await database.manager.countBy(AuditEvent, { ...own(tenant), action: 'subscription.create' })).toBe(1)
  })

  test('is for admins and owners', async () => {
    const { tenant } = await customer()
    expect((await as(tenant.users.member).post('/subscriptions')).status).toBe(403)
    expect((await as(operator).post('/subscriptions')).status).toBe(403)
    expect((await as(tenant.users.admin).post('/subscriptions')).status).toBe(201)
  })
})

describe('an organization that pays through Stripe', () => {
  test('changes nothing that Stripe does not know of', async () => {
    const { api, tenant, address } = await customer({ manualBilling: false })
    const values = { ...own(tenant), organizationAddress: address, seats: 5, status: 'active', externalId: 'sub_live' }
    const subscription = await given(Subscription, values)
    const path = `/subscriptions/${subscription.id}`
    const { body: before } = await api.get(path)
    expect(before).toMatchObject({ cancel: `${path}/cancel`, applyCoupon: '/subscriptions/apply-coupon' })

    for (const asked of [
      await api.patch(path, { seats: 9 }),
      await api.post(`${path}/cancel`),
      await api.post('/subscriptions/apply-coupon', { code: 'SPRING' }),
      await api.post('/subscriptions/clear-coupon'),
    ])
      expect(asked.status).toBe(502)
    expect((await api.get(path)).body).toEqual(before)
    expect(await database.manager.countBy(AuditEvent, own(tenant))).toBe(0)
  })

  test('is none whose subscription the operator confirms', async () => {
    const { tenant, address } = await customer({ manualBilling: false })
    const { id } = await given(Subscription, { ...own(tenant), organizationAddress: address, seats: 5 })
    expect((await as(operator).post(`/subscriptions/${id}/confirm`)).status).toBe(404)
  })
})

describe('its status', () => {
  test.each([
    ['incomplete', false, true, true],
    ['incomplete_expired', false, false, false],
    ['trialing', true, false, true],
    ['active', true, false, true],
    ['past_due', true, false, true],
    ['unpaid', false, false, true],
    ['canceled', false, false, false],
    ['paused', false, false, true],
  ])('%s: active is %s, awaiting is %s, live is %s', async (status, active, awaiting, live) => {
    const { api, tenant, address } = await customer()
    const { id } = await given(Subscription, { ...own(tenant), organizationAddress: address, seats: 5, status })
    const { body } = await api.get(`/subscriptions/${id}`)
    expect(body).toMatchObject({ status, active, awaiting })
    expect('cancel' in body).toBe(live)
    const { currentSubscription } = (await api.get(`/organizations/${tenant.organization.id}`)).body
    expect(currentSubscription).toBe(live ? `/subscriptions/${id}` : null)
    expect((await api.post('/subscriptions')).status).toBe(live ? 409 : 201)
  })
})

describe('invoices', () => {
  test('there are none where billing is by hand', async () => {
    const { api, path } = await running()
    const { status, body } = await api.get((await api.get(path)).body.invoices)
    expect([status, body.totalItems, body.member]).toEqual([200, 0, []])
    expect(body).toMatchObject({ '@context': '/contexts/Invoice', '@id': `${path}/invoices`, '@type': 'Collection' })
  })

  test('those of one subscription, newest first', async () => {
    const { api, tenant, address } = await customer({ manualBilling: false })
    const values = { ...own(tenant), organizationAddress: address, seats: 5 }
    const [old, current] = [
      await given(Subscription, { ...values, status: 'canceled' }),
      await given(Subscription, values),
    ]
    const bill = { ...own(tenant), status: 'open', currency: 'EUR', total: 12_345, amountDue: 12_345 }
    const billed = []
    for (const [index, subscription] of [current, old, current, current].entries())
      billed.push(await given(Invoice, { ...bill, subscription, name: `A-${index}`, externalId: `in_${index}` }))

    const { body } = await api.get(`/subscriptions/${current.id}/invoices`)
    expect(body.member.map(({ name }: Invoice) => name)).toEqual(['A-3', 'A-2', 'A-0'])
    expect(body.totalItems).toBe(3)
    expect((await api.get(body.member[0]['@id'])).body).toMatchObject({
      '@type': 'Invoice',
      subscription: `/subscriptions/${current.id}`,
      total: 12_345,
      currency: 'EUR',
    })
    const paged = await api.get(`/subscriptions/${current.id}/invoices?itemsPerPage=2&page=2`)
    expect(paged.body.member.map(({ name }: Invoice) => name)).toEqual(['A-0'])
    expect((await as(tenant.users.member).get(`/subscriptions/${current.id}/invoices`)).status).toBe(403)
    expect((await as(elsewhere.users.owner).get(`/subscriptions/${current.id}/invoices`)).status).toBe(404)
  })
})

test('an employee more does not need a seat, a member does', async () => {
  const { api, tenant, path } = await running()
  await given(Employee, { ...own(tenant), name: 'Ada' })
  expect((await api.patch(path, { seats: 3 })).status).toBe(200)
  await given(OrganizationUser, { ...own(tenant), user: await person(`fourth-${path}`), name: 'fourth' })
  expect((await api.patch(path, { seats: 3 })).status).toBe(422)
})

function notes(...names: string[]): { name: string; value: string }[] {
  return names.map((name) => ({ name, value: 'x' }))
}

function letters(count: number): string[] {
  return Array.from({ length: count }, (_, index) => String.fromCharCode(97 + index))
}
