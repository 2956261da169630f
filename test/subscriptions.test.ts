import {
  AuditEvent,
  Employee,
  Invoice,
  type Organization,
  OrganizationAddress,
  OrganizationUser,
  PaymentMethod,
  Subscription,
} from '../entities/index.ts'
import { endDue } from '../src/billing/periods.ts'
import { as, database, elsewhere, foundTenant, given, operator, person, publicUrl, type Tenant } from './world/index.ts'
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
    expect([few.status, faultsOf(few.body)]).toEqual([422, { seats: 'min' }])
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
    expect([answer.status, faultsOf(answer.body)]).toEqual([422, faults])
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
    await givenAddressOf(tenant, { kind: 'visiting' })
    const none = await api.post('/subscriptions')
    expect([none.status, faultsOf(none.body)]).toEqual([422, { organizationAddress: 'isNotEmpty' }])

    const first = await givenAddressOf(tenant)
    await givenAddressOf(tenant)
    const several = await api.post('/subscriptions', { seats: 1 })
    expect(faultsOf(several.body)).toEqual({ organizationAddress: 'isNotEmpty', seats: 'min' })
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
    expect([status, faultsOf(body)]).toEqual([422, { organization: 'isCurrent' }])
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
  test('is told that it cannot yet, and nothing is written', async () => {
    const { api, tenant } = await customer({ manualBilling: false })
    const { status, body } = await api.post('/subscriptions')
    expect(status).toBe(503)
    expect(body.detail).toMatch(/Stripe/)
    expect(await database.manager.countBy(Subscription, own(tenant))).toBe(0)
    expect(await database.manager.countBy(AuditEvent, own(tenant))).toBe(0)
    expect((await api.post('/subscriptions', { seats: 0 })).status).toBe(422)
  })

  test('neither changes nor ends what it has', async () => {
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
      expect(asked.status).toBe(503)
    expect((await api.get(path)).body).toEqual(before)
    expect((await as(operator).post(`${path}/confirm`)).status).toBe(404)
    expect(await database.manager.countBy(AuditEvent, own(tenant))).toBe(0)
  })
})

describe('confirming', () => {
  test('a subscription awaits the operator, who finds it by the link on its organization', async () => {
    const { api, tenant, path } = await subscriber({ modules: ['planning'] })
    expect((await api.get(path)).body).toMatchObject({ awaiting: true, active: false })
    expect(await modulesOf(api)).toEqual([])

    const { body: seen } = await as(operator).get(`/organizations/${tenant.organization.id}`)
    expect(seen.confirmSubscription).toBe(`${path}/confirm`)
    const confirmed = await as(operator).post(seen.confirmSubscription)
    expect(confirmed.status).toBe(201)
    expect(confirmed.body).toMatchObject({ '@id': path, status: 'active', active: true, awaiting: false })
    expect((await as(operator).post(seen.confirmSubscription)).status).toBe(200)

    const { body } = await api.get(`/organizations/${tenant.organization.id}`)
    expect(body).toMatchObject({ currentSubscription: path, subscriptions: [path] })
    expect(await modulesOf(api)).toEqual(['planning'])
  })

  test('is for nobody but the operator', async () => {
    const { tenant, path } = await subscriber()
    for (const user of [tenant.users.member, tenant.users.admin, tenant.users.owner])
      expect((await as(user).post(`${path}/confirm`)).status).toBe(403)
    expect((await as().post(`${path}/confirm`)).status).toBe(401)
  })

  test('an ended subscription does not begin again', async () => {
    const { api, path } = await subscriber()
    await api.post(`${path}/cancel`)
    expect((await as(operator).post(`${path}/confirm`)).status).toBe(409)
  })
})

describe('changing', () => {
  test('seats and modules follow, here and in the organization', async () => {
    const { api, path } = await running({ modules: ['planning'] })
    const { status, body } = await api.patch(path, { seats: 20, modules: ['banking', 'reporting'] })
    expect(status).toBe(200)
    expect(body).toMatchObject({ seats: 20, modules: ['banking', 'reporting'], status: 'active' })
    expect(body.products).toEqual([
      { name: 'seat', quantity: 20 },
      { name: 'banking', quantity: 1 },
      { name: 'reporting', quantity: 1 },
    ])
    expect(await modulesOf(api)).toEqual(['banking', 'reporting'])
    expect((await api.patch(path, { modules: [] })).body.modules).toEqual([])
    expect(await modulesOf(api)).toEqual([])
  })

  test('a module that the operator has given stays, whatever is bought', async () => {
    const { api, tenant, path } = await running({ modules: ['planning'] })
    await database.query(
      `UPDATE "organization_module" SET "enabled" = true, "source" = 'operator' WHERE "organizationId" = $1 AND "name" = 'invoicing'`,
      [tenant.organization.id],
    )
    await api.patch(path, { modules: [] })
    expect(await modulesOf(api)).toEqual(['invoicing'])
  })

  test.each([
    [{ seats: 2 }, { seats: 'min' }],
    [{ seats: null }, { seats: 'isInt' }],
    [{ modules: ['astrology'] }, { modules: 'isIn' }],
    [{ modules: null }, { modules: 'isArray' }],
    [{ paymentMethod: '/payment-methods/1' }, { paymentMethod: 'unknownReference' }],
  ])('%j is refused', async (change, faults) => {
    const { api, path } = await running()
    const { status, body } = await api.patch(path, change)
    expect([status, faultsOf(body)]).toEqual([422, faults])
  })

  test('type, address, metadata and status stay what they were', async () => {
    const { api, path } = await running()
    const { body: before } = await api.get(path)
    const sent = {
      type: 'yearly',
      metadata: notes('a'),
      status: 'canceled',
      organizationAddress: null,
      externalId: 'x',
    }
    expect((await api.patch(path, sent)).body).toEqual(before)
    const strict = await api.patch(path, sent).set('Prefer', 'handling=strict')
    expect(Object.keys(faultsOf(strict.body)).sort()).toEqual(Object.keys(sent).sort())
  })

  test('the card can be chosen, and left out again', async () => {
    const { api, tenant, path } = await running()
    const { id } = await given(PaymentMethod, { ...own(tenant), type: 'card', externalId: `pm_${path}` })
    expect((await api.patch(path, { paymentMethod: `/payment-methods/${id}` })).body.paymentMethod).toBe(
      `/payment-methods/${id}`,
    )
    expect((await api.patch(path, { paymentMethod: null })).body.paymentMethod).toBeNull()
  })

  test('what has ended is not changed', async () => {
    const { api, path } = await running()
    await api.post(`${path}/cancel`, { immediately: true })
    expect((await api.patch(path, { seats: 9 })).status).toBe(409)
  })
})

describe('cancelling', () => {
  test('ends it when the period does: until then it serves', async () => {
    const { api, path, tenant } = await running({ modules: ['planning'] })
    const cancelled = await api.post(`${path}/cancel`)
    expect(cancelled.status).toBe(201)
    expect(cancelled.body).toMatchObject({ status: 'active', active: true, cancel: `${path}/cancel` })
    const left = new Date(cancelled.body.cancelAt).getTime() - Date.now()
    expect(left).toBeGreaterThan(27 * day)
    expect(left).toBeLessThanOrEqual(31 * day)

    for (const body of [undefined, {}, { immediately: false }]) {
      const again = await api.post(`${path}/cancel`, body)
      expect([again.status, again.body]).toEqual([200, cancelled.body])
    }
    expect(await modulesOf(api)).toEqual(['planning'])
    expect((await api.post('/subscriptions')).status).toBe(409)
    expect((await api.get(`/organizations/${tenant.organization.id}`)).body.currentSubscription).toBe(path)
  })

  test('a yearly one ends with its year', async () => {
    const { api, path } = await running({ type: 'yearly' })
    const { body } = await api.post(`${path}/cancel`)
    expect(new Date(body.cancelAt).getTime() - Date.now()).toBeGreaterThan(364 * day)
  })

  test('immediately, it is over: its modules are off and there is no link to cancel it', async () => {
    const { api, path, tenant } = await running({ modules: ['planning'] })
    const cancelled = await api.post(`${path}/cancel`, { immediately: true })
    expect(cancelled.status).toBe(201)
    expect(cancelled.body).toMatchObject({ '@id': path, status: 'canceled', active: false, awaiting: false })
    for (const name of ['cancel', 'applyCoupon', 'clearCoupon']) expect(cancelled.body).not.toHaveProperty(name)
    expect(cancelled.body.invoices).toBe(`${path}/invoices`)
    expect(await modulesOf(api)).toEqual([])

    const { body } = await api.get(`/organizations/${tenant.organization.id}`)
    expect(body).toMatchObject({ currentSubscription: null, subscriptions: [path] })
    const again = await api.post(`${path}/cancel`, { immediately: true })
    expect([again.status, again.body]).toEqual([200, cancelled.body])
    expect((await api.post(`${path}/cancel`)).status).toBe(200)

    const next = await api.post('/subscriptions')
    expect(next.status).toBe(201)
    expect((await api.get(`/organizations/${tenant.organization.id}`)).body).toMatchObject({
      currentSubscription: next.body['@id'],
      subscriptions: [next.body['@id'], path],
    })
  })

  test('one that was to end with its period can still be ended at once', async () => {
    const { api, path } = await running()
    await api.post(`${path}/cancel`)
    const { status, body } = await api.post(`${path}/cancel`, { immediately: true })
    expect([status, body.status]).toEqual([201, 'canceled'])
  })

  test('one that was never confirmed ends at once', async () => {
    const { api, path } = await subscriber()
    expect((await api.post(`${path}/cancel`)).body).toMatchObject({ status: 'canceled', awaiting: false })
  })

  test.each(['yes', null, 1, [], {}])('%j is not a way to cancel', async (immediately) => {
    const { api, path } = await running()
    const { status, body } = await api.post(`${path}/cancel`, { immediately })
    expect([status, faultsOf(body)]).toEqual([422, { immediately: 'isBoolean' }])
    expect((await api.get(path)).body.cancelAt).toBeNull()
  })

  test('is for admins and owners', async () => {
    const { tenant, path } = await running()
    expect((await as(tenant.users.member).post(`${path}/cancel`)).status).toBe(403)
    expect((await as(operator).post(`${path}/cancel`)).status).toBe(403)
    expect((await as(elsewhere.users.owner).post(`${path}/cancel`)).status).toBe(404)
    expect((await as(tenant.users.admin).post(`${path}/cancel`)).status).toBe(201)
  })
})

describe('when periods end', () => {
  test('what is due ends, and nothing else does', async () => {
    const [due, later, steady] = [await running({ modules: ['planning'] }), await running(), await running()]
    for (const { api, path } of [due, later]) await api.post(`${path}/cancel`)
    await endDue(database)
    expect((await due.api.get(due.path)).body.status).toBe('active')

    const id = due.path.split('/').at(-1)
    await database.manager.update(Subscription, { id }, { cancelAt: new Date(Date.now() - 1000) })
    const { headers } = await due.api.get(due.path)
    await Promise.all([endDue(database), endDue(database), endDue(database)])
    const ended = await due.api.get(due.path)
    expect(ended.body).toMatchObject({ status: 'canceled', active: false })
    expect(ended.headers.etag).not.toBe(headers.etag)
    expect(await modulesOf(due.api)).toEqual([])
    expect((await due.api.post('/subscriptions')).status).toBe(201)
    expect((await later.api.get(later.path)).body.status).toBe('active')
    expect((await steady.api.get(steady.path)).body.status).toBe('active')

    await endDue(database, new Date(Date.now() + 40 * day))
    expect((await later.api.get(later.path)).body.status).toBe('canceled')
    expect((await steady.api.get(steady.path)).body.status).toBe('active')
  })

  test.each([
    ['2026-01-31T12:00:00Z', 'monthly', '2026-02-10T00:00:00Z', '2026-02-28T12:00:00.000Z'],
    ['2026-01-31T12:00:00Z', 'monthly', '2026-03-01T00:00:00Z', '2026-03-31T12:00:00.000Z'],
    ['2026-01-15T00:00:00Z', 'monthly', '2026-01-15T00:00:00Z', '2026-02-15T00:00:00.000Z'],
    ['2026-01-15T00:00:00Z', 'monthly', '2026-02-15T00:00:00Z', '2026-03-15T00:00:00.000Z'],
    ['2024-02-29T08:00:00Z', 'yearly', '2024-06-01T00:00:00Z', '2025-02-28T08:00:00.000Z'],
    ['2024-02-29T08:00:00Z', 'yearly', '2027-06-01T00:00:00Z', '2028-02-29T08:00:00.000Z'],
  ])('confirmed on %s and %s, cancelled on %s it ends on %s', (confirmed, type, now, end) => {
    const subscription = Object.assign(new Subscription(), { type }).confirm(new Date(confirmed))
    expect(subscription.cancel(false, new Date(now)).cancelAt?.toISOString()).toBe(end)
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

describe('coupons', () => {
  test('do not go with billing by hand, and are not offered', async () => {
    const { api, path } = await running()
    const { body } = await api.get(path)
    for (const name of ['applyCoupon', 'clearCoupon']) expect(body).not.toHaveProperty(name)
    expect((await api.post('/subscriptions/apply-coupon', { code: 'SPRING' })).status).toBe(409)
    expect((await api.post('/subscriptions/apply-coupon', { code: 'SPRING', subscription: path })).status).toBe(409)
    expect((await api.post('/subscriptions/clear-coupon')).status).toBe(409)
    expect((await api.post('/subscriptions/clear-coupon', { subscription: path })).status).toBe(409)
  })

  test('have nothing to work on where nothing is live', async () => {
    const { api } = await customer({ manualBilling: false })
    const { status, body } = await api.post('/subscriptions/apply-coupon', { code: 'SPRING' })
    expect(status).toBe(409)
    expect(body.detail).toMatch(/no live subscription/)
  })

  test.each([{}, { code: '' }, { code: null }, { code: 5 }, { code: 'x'.repeat(256) }])(
    '%j is no coupon',
    async (body) => {
      const { api } = await running()
      const answer = await api.post('/subscriptions/apply-coupon', body)
      expect([answer.status, Object.keys(faultsOf(answer.body))]).toEqual([422, ['code']])
    },
  )
})

test('every step is written down: who, what, from what to what', async () => {
  const { api, tenant, path } = await running({ modules: ['planning'] })
  await api.patch(path, { seats: 9 })
  await api.patch(path, { seats: 9 })
  await as(tenant.users.admin).post(`${path}/cancel`)
  await api.post(`${path}/cancel`)
  await api.post(`${path}/cancel`, { immediately: true })

  const events = await database.manager.find(AuditEvent, { where: own(tenant), order: { id: 'ASC' } })
  const { owner, admin } = tenant.users
  expect(events.map(({ action, actorId, target }) => [action, actorId, target])).toEqual([
    ['subscription.create', owner.id, path],
    ['subscription.confirm', operator.id, path],
    ['subscription.update', owner.id, path],
    ['subscription.cancel', admin.id, path],
    ['subscription.cancel', owner.id, path],
  ])
  expect(events[2].changes).toEqual({ seats: [3, 9] })
  expect(events[4].changes).toEqual({ status: ['active', 'canceled'] })
  const { body } = await api.get('/audit-events?itemsPerPage=100')
  expect(body.totalItems).toBe(5)
  expect((await api.get(body.member[1].actor)).body.name).toBe('operator')
})

test('an employee more does not need a seat, a member does', async () => {
  const { api, tenant, path } = await running()
  await given(Employee, { ...own(tenant), name: 'Ada' })
  expect((await api.patch(path, { seats: 3 })).status).toBe(200)
  await given(OrganizationUser, { ...own(tenant), user: await person(`fourth-${path}`), name: 'fourth' })
  expect((await api.patch(path, { seats: 3 })).status).toBe(422)
})

interface Customer {
  tenant: Tenant
  api: ReturnType<typeof as>
  address: OrganizationAddress
}

let customers = 0

/** An organization of three people with one billing address. */
async function customer(values: Partial<Organization> = {}): Promise<Customer> {
  const tenant = await foundTenant('Customer', `customer-${++customers}`, values)
  return { tenant, api: as(tenant.users.owner), address: await givenAddressOf(tenant) }
}

/** One that has subscribed, and awaits the operator. */
async function subscriber(body: object = {}): Promise<Customer & { path: string }> {
  const made = await customer()
  return { ...made, path: (await made.api.post('/subscriptions', body)).body['@id'] }
}

/** One whose subscription has been confirmed. */
async function running(body: object = {}): Promise<Customer & { path: string }> {
  const made = await subscriber(body)
  await as(operator).post(`${made.path}/confirm`)
  return made
}

function own({ organization }: Pick<Tenant, 'organization'>): { organizationId: string } {
  return { organizationId: organization.id }
}

function givenAddressOf(tenant: Tenant, values: Partial<OrganizationAddress> = {}): Promise<OrganizationAddress> {
  const street = { kind: 'billing', name: 'Head office', street: 'Damrak', city: 'Amsterdam', countryId: 'NL' }
  return given(OrganizationAddress, { ...own(tenant), ...street, ...values })
}

async function modulesOf(api: Customer['api']): Promise<string[]> {
  const { body } = await api.get('/organization-modules')
  const enabled = body.member.filter(({ enabled }: { enabled: boolean }) => enabled)
  return enabled.map(({ name }: { name: string }) => name).sort()
}

function faultsOf({ violations = [] }: { violations?: { propertyPath: string; code: string }[] }): object {
  return Object.fromEntries(violations.map(({ propertyPath, code }) => [propertyPath, code]))
}

function notes(...names: string[]): { name: string; value: string }[] {
  return names.map((name) => ({ name, value: 'x' }))
}

function letters(count: number): string[] {
  return Array.from({ length: count }, (_, index) => String.fromCharCode(97 + index))
}
