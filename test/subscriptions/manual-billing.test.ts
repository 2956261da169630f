import { AuditEvent, PaymentMethod, Subscription } from '../../entities/index.ts'
import { endDuePeriods } from '../../src/billing/end-periods.ts'
import {
  confirmedSubscriber,
  customer,
  modulesOf,
  ownedBy,
  subscriber,
  violationsOf,
} from '../support/billing/manual-billing.ts'
import { openWorld } from '../support/world.ts'

const { as, database, elsewhere, given, operator } = await openWorld()

const day = 24 * 60 * 60 * 1000

describe('with manual billing', () => {
  test('a subscription awaits the operator, who finds it by the link of its organization', async () => {
    const { api, tenant, path } = await subscriber({ modules: ['planning'] })
    expect((await api.get(path)).body).toMatchObject({ awaiting: true, active: false })
    expect(await modulesOf({ api })).toEqual([])

    const { body: seen } = await as(operator).get(`/organizations/${tenant.organization.id}`)
    expect(seen.confirmSubscription).toBe(`${path}/confirm`)
    const confirmed = await as(operator).post(seen.confirmSubscription)
    expect(confirmed.status).toBe(201)
    expect(confirmed.body).toMatchObject({ '@id': path, status: 'active', active: true, awaiting: false })
    expect((await as(operator).post(seen.confirmSubscription)).status).toBe(200)

    const { body } = await api.get(`/organizations/${tenant.organization.id}`)
    expect(body).toMatchObject({ currentSubscription: path, subscriptions: [path] })
    expect(await modulesOf({ api })).toEqual(['planning'])
  })

  test('only the operator can confirm', async () => {
    const { tenant, path } = await subscriber()
    for (const user of [tenant.users.member, tenant.users.admin, tenant.users.owner])
      expect((await as(user).post(`${path}/confirm`)).status).toBe(403)
    expect((await as().post(`${path}/confirm`)).status).toBe(401)
  })

  test('an ended subscription cannot be confirmed', async () => {
    const { api, path } = await subscriber()
    await api.post(`${path}/cancel`)
    expect((await as(operator).post(`${path}/confirm`)).status).toBe(409)
  })
})

describe('updating a subscription', () => {
  test('changes the seats and the modules of the organization', async () => {
    const { api, path } = await confirmedSubscriber({ modules: ['planning'] })
    const { status, body } = await api.patch(path, { seats: 20, modules: ['banking', 'reporting'] })
    expect(status).toBe(200)
    expect(body).toMatchObject({ seats: 20, modules: ['banking', 'reporting'], status: 'active' })
    expect(body.products).toEqual([
      { name: 'seat', quantity: 20 },
      { name: 'banking', quantity: 1 },
      { name: 'reporting', quantity: 1 },
    ])
    expect(await modulesOf({ api })).toEqual(['banking', 'reporting'])
    expect((await api.patch(path, { modules: [] })).body.modules).toEqual([])
    expect(await modulesOf({ api })).toEqual([])
  })

  test('keeps a module that the operator has enabled', async () => {
    const { api, tenant, path } = await confirmedSubscriber({ modules: ['planning'] })
    await database.query(
      `UPDATE "organization_module" SET "enabled" = true, "source" = 'operator' WHERE "organizationId" = $1 AND "name" = 'invoicing'`,
      [tenant.organization.id],
    )
    await api.patch(path, { modules: [] })
    expect(await modulesOf({ api })).toEqual(['invoicing'])
  })

  test.each([
    [{ seats: 2 }, { seats: 'min' }],
    [{ seats: null }, { seats: 'isInt' }],
    [{ modules: ['astrology'] }, { modules: 'isIn' }],
    [{ modules: null }, { modules: 'isArray' }],
    [{ paymentMethod: '/payment-methods/1' }, { paymentMethod: 'unknownReference' }],
  ])('rejects %j', async (change, faults) => {
    const { api, path } = await confirmedSubscriber()
    const { status, body } = await api.patch(path, change)
    expect([status, violationsOf(body)]).toEqual([422, faults])
  })

  test('does not change type, address, metadata and status', async () => {
    const { api, path } = await confirmedSubscriber()
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
    expect(Object.keys(violationsOf(strict.body)).sort()).toEqual(Object.keys(sent).sort())
  })

  test('sets and removes the payment method', async () => {
    const { api, tenant, path } = await confirmedSubscriber()
    const { id } = await given(PaymentMethod, { ...ownedBy(tenant), type: 'card', externalId: `pm_${path}` })
    expect((await api.patch(path, { paymentMethod: `/payment-methods/${id}` })).body.paymentMethod).toBe(
      `/payment-methods/${id}`,
    )
    expect((await api.patch(path, { paymentMethod: null })).body.paymentMethod).toBeNull()
  })

  test('is refused with 409 once the subscription has ended', async () => {
    const { api, path } = await confirmedSubscriber()
    await api.post(`${path}/cancel`, { immediately: true })
    expect((await api.patch(path, { seats: 9 })).status).toBe(409)
  })
})

describe('canceling a subscription', () => {
  test('keeps it active until the end of its period', async () => {
    const { api, path, tenant } = await confirmedSubscriber({ modules: ['planning'] })
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
    expect(await modulesOf({ api })).toEqual(['planning'])
    expect((await api.post('/subscriptions')).status).toBe(409)
    expect((await api.get(`/organizations/${tenant.organization.id}`)).body.currentSubscription).toBe(path)
  })

  test('ends a yearly one with its year', async () => {
    const { api, path } = await confirmedSubscriber({ type: 'yearly' })
    const { body } = await api.post(`${path}/cancel`)
    expect(new Date(body.cancelAt).getTime() - Date.now()).toBeGreaterThan(364 * day)
  })

  test('immediately turns off its modules and removes the link to cancel it', async () => {
    const { api, path, tenant } = await confirmedSubscriber({ modules: ['planning'] })
    const cancelled = await api.post(`${path}/cancel`, { immediately: true })
    expect(cancelled.status).toBe(201)
    expect(cancelled.body).toMatchObject({ '@id': path, status: 'canceled', active: false, awaiting: false })
    for (const name of ['cancel', 'applyCoupon', 'clearCoupon']) expect(cancelled.body).not.toHaveProperty(name)
    expect(cancelled.body.invoices).toBe(`${path}/invoices`)
    expect(await modulesOf({ api })).toEqual([])

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

  test('immediately also ends one that was to end with its period', async () => {
    const { api, path } = await confirmedSubscriber()
    await api.post(`${path}/cancel`)
    const { status, body } = await api.post(`${path}/cancel`, { immediately: true })
    expect([status, body.status]).toEqual([201, 'canceled'])
  })

  test('ends an unconfirmed one at once', async () => {
    const { api, path } = await subscriber()
    expect((await api.post(`${path}/cancel`)).body).toMatchObject({ status: 'canceled', awaiting: false })
  })

  test.each(['yes', null, 1, [], {}])('rejects %j as immediately', async (immediately) => {
    const { api, path } = await confirmedSubscriber()
    const { status, body } = await api.post(`${path}/cancel`, { immediately })
    expect([status, violationsOf(body)]).toEqual([422, { immediately: 'isBoolean' }])
    expect((await api.get(path)).body.cancelAt).toBeNull()
  })

  test('is for admins and owners', async () => {
    const { tenant, path } = await confirmedSubscriber()
    expect((await as(tenant.users.member).post(`${path}/cancel`)).status).toBe(403)
    expect((await as(operator).post(`${path}/cancel`)).status).toBe(403)
    expect((await as(elsewhere.users.owner).post(`${path}/cancel`)).status).toBe(404)
    expect((await as(tenant.users.admin).post(`${path}/cancel`)).status).toBe(201)
  })
})

describe('at the end of a period', () => {
  test('only subscriptions that are due end', async () => {
    const [due, later, steady] = [
      await confirmedSubscriber({ modules: ['planning'] }),
      await confirmedSubscriber(),
      await confirmedSubscriber(),
    ]
    for (const { api, path } of [due, later]) await api.post(`${path}/cancel`)
    await endDuePeriods(database)
    expect((await due.api.get(due.path)).body.status).toBe('active')

    const id = due.path.split('/').at(-1)
    await database.manager.update(Subscription, { id }, { cancelAt: new Date(Date.now() - 1000) })
    const { headers } = await due.api.get(due.path)
    await Promise.all([endDuePeriods(database), endDuePeriods(database), endDuePeriods(database)])
    const ended = await due.api.get(due.path)
    expect(ended.body).toMatchObject({ status: 'canceled', active: false })
    expect(ended.headers.etag).not.toBe(headers.etag)
    expect(await modulesOf(due)).toEqual([])
    expect((await due.api.post('/subscriptions')).status).toBe(201)
    expect((await later.api.get(later.path)).body.status).toBe('active')
    expect((await steady.api.get(steady.path)).body.status).toBe('active')

    await endDuePeriods(database, new Date(Date.now() + 40 * day))
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
  ])('a subscription confirmed on %s and %s, canceled on %s ends on %s', (confirmed, type, now, end) => {
    const subscription = Object.assign(new Subscription(), { type }).confirm(new Date(confirmed))
    expect(subscription.cancel(false, new Date(now)).cancelAt?.toISOString()).toBe(end)
  })
})

describe('coupons', () => {
  test('are refused with manual billing, and have no link', async () => {
    const { api, path } = await confirmedSubscriber()
    const { body } = await api.get(path)
    for (const name of ['applyCoupon', 'clearCoupon']) expect(body).not.toHaveProperty(name)
    expect((await api.post('/subscriptions/apply-coupon', { code: 'SPRING' })).status).toBe(409)
    expect((await api.post('/subscriptions/apply-coupon', { code: 'SPRING', subscription: path })).status).toBe(409)
    expect((await api.post('/subscriptions/clear-coupon')).status).toBe(409)
    expect((await api.post('/subscriptions/clear-coupon', { subscription: path })).status).toBe(409)
  })

  test('are refused without a live subscription', async () => {
    const { api } = await customer({ manualBilling: false })
    const { status, body } = await api.post('/subscriptions/apply-coupon', { code: 'SPRING' })
    expect(status).toBe(409)
    expect(body.detail).toMatch(/no live subscription/)
  })

  test.each([{}, { code: '' }, { code: null }, { code: 5 }, { code: 'x'.repeat(256) }])(
    'are not named by %j',
    async (body) => {
      const { api } = await confirmedSubscriber()
      const answer = await api.post('/subscriptions/apply-coupon', body)
      expect([answer.status, Object.keys(violationsOf(answer.body))]).toEqual([422, ['code']])
    },
  )
})

test('the audit log has every change with its author and both values', async () => {
  const { api, tenant, path } = await confirmedSubscriber({ modules: ['planning'] })
  await api.patch(path, { seats: 9 })
  await api.patch(path, { seats: 9 })
  await as(tenant.users.admin).post(`${path}/cancel`)
  await api.post(`${path}/cancel`)
  await api.post(`${path}/cancel`, { immediately: true })

  const events = await database.manager.find(AuditEvent, { where: ownedBy(tenant), order: { id: 'ASC' } })
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

function notes(...names: string[]): { name: string; value: string }[] {
  return names.map((name) => ({ name, value: 'x' }))
}
