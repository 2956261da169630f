import { OrganizationUser } from '../../entities/index.ts'
import { eventsAbout } from '../support/rows/audit-events.ts'
import { openWorld } from '../support/world.ts'
import { invited, newcomer, path, tally } from './invitees.ts'

const { api, as, database, elsewhere, given, organization, person, tenant } = await openWorld()

const { owner } = tenant.users

test('a newcomer who accepts is a user, and a member in the role and under the name of the invitation', async () => {
  const { token, iri } = await invited({ name: 'Ada Adams', role: 'admin' })
  const ada = as(newcomer('ada'), { name: 'A. Adams', email: 'ada@private.example' })
  expect((await ada.get('/meetings')).status).toBe(403)
  const { status, body, headers } = await ada.post(`${path}/accept`, { token })
  expect([status, headers.location]).toEqual([201, iri])
  expect(body).toMatchObject({ '@id': iri, status: 'accepted', role: 'admin', name: 'Ada Adams' })
  expect(body).not.toHaveProperty('accept')
  expect(body).not.toHaveProperty('resend')

  expect((await ada.get('/meetings')).status).toBe(200)
  const me = (await ada.get('/users/me')).body
  expect(me).toMatchObject({ name: 'A. Adams', email: 'ada@private.example' })
  const [joined] = await database.manager.findBy(OrganizationUser, { userId: me.id })
  expect(joined).toMatchObject({
    organizationId: organization.id,
    role: 'admin',
    name: 'Ada Adams',
    status: 'active',
  })
  const [event, ...others] = (await eventsAbout(iri)).filter(({ action }) => action.endsWith('.accept'))
  expect(others).toEqual([])
  expect(event).toMatchObject({
    actorId: me.id,
    organizationId: organization.id,
    changes: {
      status: ['pending', 'accepted'],
      organizationUser: [null, `/organization-users/${joined.id}`],
      role: [null, 'admin'],
    },
  })
})

test('accepting twice is one membership, and the same answer; to anybody else the token is of no use', async () => {
  const { token } = await invited()
  const bob = as(newcomer('bob'))
  const first = await bob.post(`${path}/accept`, { token })
  const again = await bob.post(`${path}/accept`, { token })
  expect([first.status, again.status]).toEqual([201, 200])
  expect(again.body).toEqual(first.body)
  const unknown = await as(newcomer()).post(`${path}/accept`, { token: 'x' })
  for (const other of [newcomer(), owner, elsewhere.users.owner]) {
    const { status, body } = await as(other).post(`${path}/accept`, { token })
    expect([status, body]).toEqual([422, unknown.body])
  }
  expect((await as(newcomer()).get('/users/me')).status).toBe(404)
})

test('a user who belongs elsewhere belongs to both then', async () => {
  const user = elsewhere.users.member
  const { token } = await invited()
  expect((await as(user).post(`${path}/accept`, { token })).status).toBe(201)
  const { body } = await as(user, { organization: organization.id }).get('/organizations')
  expect(body.totalItems).toBe(2)
  expect((await as(user, { organization: organization.id }).get('/meetings')).status).toBe(200)
})

test('a suspended member is not let back in, and an active one keeps its role', async () => {
  const suspended = await person('suspended-member')
  const own = { user: suspended, name: 'S' }
  const { id } = await given(OrganizationUser, { ...own, role: 'admin', status: 'suspended' })
  const { token, iri } = await invited()
  const refused = await as(suspended).post(`${path}/accept`, { token })
  expect([refused.status, refused.body.detail]).toEqual([409, expect.stringContaining('suspended')])
  expect((await api.get(iri)).body.status).toBe('pending')

  await database.manager.update(OrganizationUser, { id }, { status: 'active' })
  expect((await as(suspended).post(`${path}/accept`, { token })).status).toBe(201)
  expect(await database.manager.findOneByOrFail(OrganizationUser, { id })).toMatchObject({ role: 'admin', name: 'S' })
})

test('of fifty who accept with one token at once, one comes in', async () => {
  const { token } = await invited()
  const one = as(newcomer('one-of-fifty'))
  const alike = await Promise.all(Array.from({ length: 50 }, () => one.post(`${path}/accept`, { token })))
  expect(tally(alike)).toEqual({ 201: 1, 200: 49 })
  const { body } = await one.get('/users/me')
  expect(await database.manager.countBy(OrganizationUser, { userId: body.id })).toBe(1)

  const before = await database.manager.countBy(OrganizationUser, { organizationId: organization.id })
  const next = await invited()
  const different = await Promise.all(
    Array.from({ length: 50 }, () => as(newcomer()).post(`${path}/accept`, { token: next.token })),
  )
  expect(tally(different)).toEqual({ 201: 1, 422: 49 })
  expect(await database.manager.countBy(OrganizationUser, { organizationId: organization.id })).toBe(before + 1)
})
