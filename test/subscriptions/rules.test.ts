import { Employee, OrganizationUser } from '../../entities/index.ts'
import { confirmedSubscriber, customer, ownedBy, violationsOf } from '../support/billing/manual-billing.ts'
import { givenInvitation } from '../support/rows/sample-rows.ts'
import { openWorld, type Tenant } from '../support/world.ts'

const { as, foundTenant, given, givenAddress, person } = await openWorld()

const day = 24 * 60 * 60 * 1000

test('each member and each pending invitation takes a seat', async () => {
  const { api, tenant } = await customer()
  const invited = { ...ownedBy(tenant), invitedBy: tenant.users.owner }
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

test('twenty entries of metadata are accepted', async () => {
  const { api } = await customer()
  const { status, body } = await api.post('/subscriptions', { metadata: notes(...letters(20)) })
  expect([status, body.metadata]).toEqual([201, notes(...letters(20))])
})

test('the address is required when the organization has none or several', async () => {
  const tenant = await foundTenant('Homeless', 'homeless')
  const api = as(tenant.users.owner)
  await givenAddress({ ...ownedBy(tenant), kind: 'visiting' })
  const none = await api.post('/subscriptions')
  expect([none.status, violationsOf(none.body)]).toEqual([422, { organizationAddress: 'isNotEmpty' }])

  const first = await givenAddress(ownedBy(tenant))
  await givenAddress(ownedBy(tenant))
  const several = await api.post('/subscriptions', { seats: 1 })
  expect(violationsOf(several.body)).toEqual({ organizationAddress: 'isNotEmpty', seats: 'min' })
  const named = await api.post('/subscriptions', { organizationAddress: `/organization-addresses/${first.id}` })
  expect(named.status).toBe(201)
  expect((await api.delete(`/organization-addresses/${first.id}`)).status).toBe(409)
})

test('another organization of the caller is refused', async () => {
  const { tenant } = await customer()
  const { users, organization } = await foundTenant('Two', 'two-homes')
  await given(OrganizationUser, { ...ownedBy({ organization } as Tenant), user: tenant.users.owner, name: 'x' })
  const api = as(tenant.users.owner, { organization: tenant.organization.id })
  const { status, body } = await api.post('/subscriptions', { organization: `/organizations/${organization.id}` })
  expect([status, violationsOf(body)]).toEqual([422, { organization: 'isCurrent' }])
  expect((await as(users.owner).get('/subscriptions')).body.totalItems).toBe(0)
})

test('a new member needs a seat, a new employee does not', async () => {
  const { api, tenant, path } = await confirmedSubscriber()
  await given(Employee, { ...ownedBy(tenant), name: 'Ada' })
  expect((await api.patch(path, { seats: 3 })).status).toBe(200)
  await given(OrganizationUser, { ...ownedBy(tenant), user: await person(`fourth-${path}`), name: 'fourth' })
  expect((await api.patch(path, { seats: 3 })).status).toBe(422)
})

function notes(...names: string[]): { name: string; value: string }[] {
  return names.map((name) => ({ name, value: 'x' }))
}

function letters(count: number): string[] {
  return Array.from({ length: count }, (_, index) => String.fromCharCode(97 + index))
}
