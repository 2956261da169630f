import { OrganizationUser, type User } from '../../../entities/index.ts'
import { eventsAbout } from '../../support/rows/audit-events.ts'
import { openWorld, type Tenant } from '../../support/world.ts'

const { api, as, database, elsewhere, foundTenant, given, person, tenant } = await openWorld()

const { member, admin, owner } = tenant.users
let count = 0

test('a membership is a person in a role, and leads to its user', async () => {
  const { body } = await as(member).get(await membershipOf(tenant, owner))
  expect(body).toMatchObject({ '@type': 'OrganizationUser', name: owner.name, role: 'owner', status: 'active' })
  expect((await as(member).get(body.user)).body).toMatchObject({ '@type': 'User', name: owner.name })
})

test('admins change what members may, and write it down', async () => {
  const { path, id } = await joined()
  expect((await as(member).patch(path, { role: 'admin' })).status).toBe(403)
  const { status, body } = await as(admin).patch(path, { role: 'admin', status: 'suspended' })
  expect([status, body.role, body.status]).toEqual([200, 'admin', 'suspended'])

  await as(admin).patch(path, { role: 'admin' })
  const [event, ...others] = await eventsAbout(path)
  expect(others).toEqual([])
  expect(event).toMatchObject({ action: 'organizationUser.update', actorId: admin.id })
  expect(event.changes).toEqual({ role: ['member', 'admin'], status: ['active', 'suspended'] })
  expect((await api.get(`/audit-events/${event.id}`)).body).toMatchObject({
    actor: `/users/${admin.id}`,
    target: `/organization-users/${id}`,
    changes: { role: ['member', 'admin'], status: ['active', 'suspended'] },
  })
})

test.each([
  { role: 'operator' },
  { role: '' },
  { role: null },
  { role: ['owner'] },
  { status: 'removed' },
  { status: null },
  { status: true },
])('%j is no change of a membership', async (change) => {
  const { path } = await joined()
  const { status, body } = await api.patch(path, change)
  expect(status).toBe(422)
  expect(body.violations.map(({ propertyPath }: { propertyPath: string }) => propertyPath)).toEqual(Object.keys(change))
})

test('the user and the date of joining cannot be written', async () => {
  const { path } = await joined()
  const change = { user: `/users/${admin.id}`, name: 'Other', joinedAt: '2000-01-01T00:00:00Z', organization: '/x' }
  const { body: before } = await api.get(path)
  expect((await api.patch(path, change)).body).toEqual(before)
})

test('only owners grant the owner role', async () => {
  const { path } = await joined()
  expect((await as(admin).patch(path, { role: 'owner' })).status).toBe(403)
  expect((await api.get(path)).body.role).toBe('member')
  expect((await api.patch(path, { role: 'owner' })).body.role).toBe('owner')
  expect(await eventsAbout(path)).toHaveLength(1)
})

test('only owners take it, be it by another role, a suspension or a removal', async () => {
  const { path } = await joined({ role: 'owner' })
  for (const change of [{ role: 'member' }, { role: 'admin' }, { status: 'suspended' }])
    expect([change, (await as(admin).patch(path, change)).status]).toEqual([change, 403])
  expect((await as(admin).delete(path)).status).toBe(403)
  expect((await api.get(path)).body).toMatchObject({ role: 'owner', status: 'active' })
  expect((await api.patch(path, { role: 'member' })).status).toBe(200)
})

test('an admin does not make itself an owner', async () => {
  expect((await as(admin).patch(await membershipOf(tenant, admin), { role: 'owner' })).status).toBe(403)
})

test('the last owner stays: as an owner, active, and there', async () => {
  const alone = await foundTenant('Alone', 'alone')
  const path = await membershipOf(alone, alone.users.owner)
  const agent = as(alone.users.owner)
  for (const change of [{ role: 'member' }, { role: 'admin' }, { status: 'suspended' }]) {
    const { status, body } = await agent.patch(path, change)
    expect([change, status]).toEqual([change, 409])
    expect(body.detail).toMatch(/last owner/)
  }
  expect((await agent.delete(path)).status).toBe(409)
  expect((await agent.get(path)).body).toMatchObject({ role: 'owner', status: 'active' })
  expect(await eventsAbout(path)).toEqual([])
})

test('an owner who is suspended does not count as one who stays', async () => {
  const alone = await foundTenant('Suspended', 'suspended')
  await joined({ role: 'owner', status: 'suspended', organizationId: alone.organization.id })
  const path = await membershipOf(alone, alone.users.owner)
  expect((await as(alone.users.owner).patch(path, { role: 'member' })).status).toBe(409)
  expect((await as(alone.users.owner).delete(path)).status).toBe(409)
})

test.each([
  ['stepping down', 'stepping', (agent: Agent, path: string) => agent.patch(path, { role: 'member' })],
  ['leaving', 'leaving', (agent: Agent, path: string) => agent.delete(path)],
])('of two owners %s at once one remains', async (_, slug, leave) => {
  for (let round = 0; round < 5; round++) {
    const two = await foundTenant('Two', `two-${slug}-${round}`)
    const second = await joined({ role: 'owner', organizationId: two.organization.id })
    const leaving: [User, string][] = [
      [two.users.owner, await membershipOf(two, two.users.owner)],
      [second.user, second.path],
    ]
    const answers = await Promise.all(leaving.map(([user, path]) => leave(as(user), path)))
    expect(answers.filter(({ status }) => status < 300)).toHaveLength(1)
    expect(answers.filter(({ status }) => status === 409)).toHaveLength(1)
    expect(
      await database.manager.countBy(OrganizationUser, { organizationId: two.organization.id, role: 'owner' }),
    ).toBe(1)
  }
})

test('a removal takes the membership, writes that down, and keeps the user', async () => {
  const { path, user } = await joined({ role: 'admin' })
  expect((await as(member).delete(path)).status).toBe(403)
  expect((await as(admin).delete(path)).status).toBe(204)
  expect((await api.get(path)).status).toBe(404)
  expect((await api.delete(path)).status).toBe(404)
  expect((await as(user).get('/users/me')).body.name).toBe(user.name)

  const event = (await eventsAbout(path)).at(-1)
  expect(event).toMatchObject({
    action: 'organizationUser.remove',
    actorId: admin.id,
    changes: { role: ['admin', null] },
  })
})

test('audit events cannot be changed', async () => {
  await expect(database.query(`UPDATE "audit_event" SET "action" = ''`)).rejects.toThrow(/only ever added to/)
  await expect(database.query(`DELETE FROM "audit_event"`)).rejects.toThrow(/only ever added to/)
})

test('a state that was read can be insisted on', async () => {
  const { path } = await joined()
  const { headers } = await api.get(path)
  expect((await api.patch(path, { role: 'admin' }).set('If-Match', headers.etag)).status).toBe(200)
  expect((await api.patch(path, { role: 'member' }).set('If-Match', headers.etag)).status).toBe(412)
  expect((await api.delete(path).set('If-Match', headers.etag)).status).toBe(412)
  expect((await api.delete(path).set('If-Match', '*')).status).toBe(204)
})

test('memberships of another organization are out of reach', async () => {
  const path = await membershipOf(elsewhere, elsewhere.users.member)
  expect((await api.patch(path, { role: 'owner' })).status).toBe(404)
  expect((await api.delete(path)).status).toBe(404)
})

type Agent = typeof api

async function joined(values: Partial<OrganizationUser> = {}): Promise<{ user: User; path: string; id: string }> {
  const user = await person(`person-${++count}`)
  const { id } = await given(OrganizationUser, { user, name: user.name, ...values })
  return { user, path: `/organization-users/${id}`, id }
}

async function membershipOf({ organization }: Tenant, user: User): Promise<string> {
  const own = { organizationId: organization.id, userId: user.id }
  return `/organization-users/${(await database.manager.findOneByOrFail(OrganizationUser, own)).id}`
}
