import { Organization, OrganizationUser, type User } from '../../../entities/index.ts'
import { eventsAbout } from '../../support/rows/audit-events.ts'
import { givenInvitation } from '../../support/rows/sample-rows.ts'
import { openWorld, type Tenant } from '../../support/world.ts'

const { api, as, database, foundTenant, given, organization, person, tenant } = await openWorld()

// A person may end its own membership, whatever its role. Only the last owner may not.
// The same fault can occur in each role, in another person's membership, and in a membership of another organization.
// It can occur in a suspended membership, and in a suspended or closed organization.
// It can occur in the item that is shown and in its documentation.
// It can occur in the invitations that the person sent.

let count = 0

test.each(['member', 'admin', 'owner'] as const)('a %s leaves', async (role) => {
  const { user, path } = await joined({ role })
  const { id } = await givenInvitation({ invitedBy: user })
  const { body } = await as(user).get(path)
  expect(body.leave).toBe(path)
  expect((await as(user).delete(body.leave)).status).toBe(204)
  expect((await as(user).get('/meetings')).status).toBe(403)
  expect((await api.get(path)).status).toBe(404)
  expect((await eventsAbout(path)).at(-1)).toMatchObject({
    action: 'organizationUser.remove',
    actorId: user.id,
    changes: { role: [role, null] },
  })
  expect((await api.get(`/organization-user-invitations/${id}`)).body.status).toBe('revoked')
})

test('the last owner cannot leave, and sees no link to leave', async () => {
  const alone = await foundTenant('Alone', 'alone')
  const path = await membershipOf(alone, alone.users.owner)
  const agent = as(alone.users.owner)
  expect((await agent.get(path)).body).not.toHaveProperty('leave')
  const { status, body } = await agent.delete(path)
  expect([status, body.detail]).toEqual([409, expect.stringContaining('last owner')])

  const second = await joined({ role: 'owner', organizationId: alone.organization.id })
  expect((await agent.get(path)).body.leave).toBe(path)
  expect((await agent.get('/organization-users')).body.member.filter((one: object) => 'leave' in one)).toHaveLength(1)
  expect((await agent.delete(path)).status).toBe(204)
  expect((await as(second.user).get(second.path)).body).not.toHaveProperty('leave')
})

// OWASP API5:2023: to leave is not to remove.
test('a member cannot remove others, and sees no link to do so', async () => {
  const { user } = await joined()
  const other = await joined()
  const elsewhere = await foundTenant('Beyond', 'beyond')
  const paths: [path: string, status: number, detail: string][] = [
    [other.path, 403, 'own membership'],
    [await membershipOf(tenant, tenant.users.owner), 403, 'own membership'],
    [await membershipOf(elsewhere, elsewhere.users.member), 404, 'Not found'],
    ['/organization-users/01900000-0000-7000-8000-000000000000', 404, 'Not found'],
    ['/organization-users/nonsense', 404, 'Not found'],
  ]
  for (const [path, expected, detail] of paths) {
    expect((await as(user).get(path)).body).not.toHaveProperty('leave')
    const { status, body } = await as(user).delete(path)
    expect([path, status, body.detail]).toEqual([path, expected, expect.stringContaining(detail)])
  }
  expect((await api.get(other.path)).status).toBe(200)
  expect((await api.get(other.path)).body).not.toHaveProperty('leave')
})

test('a member changes its own membership in no other way', async () => {
  const { user, path } = await joined()
  for (const change of [{ role: 'admin' }, { status: 'suspended' }, {}])
    expect((await as(user).patch(path, change)).status).toBe(403)
})

test('a person leaves the organization that it acts for, and no other', async () => {
  const { user, path } = await joined()
  const other = await foundTenant('Other', 'other')
  const { id } = await given(OrganizationUser, { organizationId: other.organization.id, user, name: 'x' })
  const there = as(user, { organization: other.organization.id })
  expect((await there.delete(path)).status).toBe(404)
  expect((await there.delete(`/organization-users/${id}`)).status).toBe(204)
  expect((await as(user).get(path)).status).toBe(200)
})

test('a suspended member stays until it is removed', async () => {
  const { user, path } = await joined({ status: 'suspended' })
  expect((await as(user).delete(path)).status).toBe(403)
  expect((await api.delete(path)).status).toBe(204)
})

test.each(['suspended', 'closed'])(
  'a member leaves an organization that is %s, and cannot remove others',
  async (status) => {
    const { organization, users } = await foundTenant(status, `leaving-${status}`)
    const [own, others] = await Promise.all(
      [users.admin, users.member].map((user) => membershipOf({ organization, users }, user)),
    )
    await database.manager.update(Organization, { id: organization.id }, { status })
    const agent = as(users.admin)
    expect((await agent.get(others)).body).not.toHaveProperty('leave')
    expect((await agent.delete(others)).status).toBe(403)
    expect((await agent.get(own)).body.leave).toBe(own)
    expect((await agent.delete(own)).status).toBe(204)
  },
)

test('of all people who leave at once the last owner stays', async () => {
  const crowd = await foundTenant('Crowd', 'crowd')
  const own = { organizationId: crowd.organization.id }
  await joined({ ...own, role: 'owner' })
  const members = await database.manager.find(OrganizationUser, { where: own, relations: { user: true } })
  const answers = await Promise.all(members.map(({ id, user }) => as(user).delete(`/organization-users/${id}`)))
  expect(answers.map(({ status }) => status).sort()).toEqual([204, 204, 204, 409])
  expect(await database.manager.findBy(OrganizationUser, own)).toMatchObject([{ role: 'owner' }])
})

test('an admin is told in the documentation that everybody may leave', async () => {
  const { body } = await as().get('/docs.jsonld')
  const found = body.supportedClass.find(({ title }: { title: string }) => title === 'OrganizationUser')
  const link = found.supportedProperty.find(({ title }: { title: string }) => title === 'leave')
  expect(link.property.supportedOperation).toMatchObject([{ method: 'DELETE', '@id': '#removeOrganizationUser' }])
  expect(link.property.supportedOperation[0].description).toMatch(/own membership/)
})

async function joined(values: Partial<OrganizationUser> = {}): Promise<{ user: User; path: string }> {
  const user = await person(`leaver-${++count}`)
  const own = { organizationId: organization.id, user, name: user.name }
  return { user, path: `/organization-users/${(await given(OrganizationUser, { ...own, ...values })).id}` }
}

async function membershipOf({ organization }: Tenant, user: User): Promise<string> {
  const own = { organizationId: organization.id, userId: user.id }
  return `/organization-users/${(await database.manager.findOneByOrFail(OrganizationUser, own)).id}`
}
