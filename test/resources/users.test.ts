import { AuditEvent, Employee, OrganizationUser, type User } from '../../entities/index.ts'
import { givenInvitation } from '../support/rows/sample-rows.ts'
import { openWorld } from '../support/world.ts'

const { api, as, database, elsewhere, given, operator, organization, person, tenant } = await openWorld()

// A person could stay visible after the membership ends that made it visible.
// The same fault can occur in removal and leaving.
// It can occur in invitations that name their inviter, audit events that name their actor, and employees that name a user.
// It can occur in actions of the operator, in filters by a hidden address, and in references to a user in a body.
// It can occur in the identity of a caller that has joined another organization.

const { member, admin } = tenant.users
const people = { member: as(member), admin: as(admin), owner: api }

const suspended = await joined('suspended', { status: 'suspended' })
const left = await known('left')
const inviter = await known('inviter')
await givenInvitation({ invitedBy: inviter })
const employed = await known('employed')
const employee = await given(Employee, { name: 'Employed', user: employed })
const event = await given(AuditEvent, { actor: left, action: 'x', target: '/' })
const deed = await given(AuditEvent, { actor: operator, action: 'x', target: '/' })
const both = await joined('both')
await given(OrganizationUser, { user: both, organizationId: elsewhere.organization.id, name: 'both', role: 'member' })
const founder = await person('never-here', { email: 'never-here@example.com' })

// OWASP API3:2023: a list shows the persons that its reader works with, and of them what it needs.
test.each(Object.entries(people))('GET /users shows a %s the members, and employees’ users', async (_, agent) => {
  const { body } = await agent.get('/users?itemsPerPage=100')
  const names = body.member.map(({ name }: User) => name).sort()
  expect(names).toEqual(['acme-admin', 'acme-member', 'acme-owner', 'both', 'employed', 'suspended'])
  expect(body.totalItems).toBe(6)
  const shown = Object.fromEntries(body.member.map((one: User) => [one.name, [one.email, one.locale]]))
  expect(shown.suspended).toEqual(['suspended@example.com', 'nl'])
  expect(shown.employed).toEqual([null, null])
})

test.each<[who: string, user: User, member: number, admin: number, owner: number]>([
  ['left', left, 404, 404, 200],
  ['invited others and left', inviter, 404, 200, 200],
  ['runs the service', operator, 404, 404, 200],
  ['is an employee and left', employed, 200, 200, 200],
  ['is suspended', suspended, 200, 200, 200],
  ['was never here', founder, 404, 404, 404],
])('a person who %s is shown to those who read of it', async (_, { id, name }, ...statuses) => {
  const gone = [left, inviter, operator, employed].some((user) => user.id === id)
  for (const [index, agent] of Object.values(people).entries()) {
    const { status, body } = await agent.get(`/users/${id}`)
    expect([index, status]).toEqual([index, statuses[index]])
    if (status === 200) expect([body.name, body.email === null, body.locale === null]).toEqual([name, gone, gone])
  }
})

// Hydra Core §4: an IRI is a promise that it can be followed by its reader.
test('each user that a document names is found by its reader', async () => {
  const named: [agent: typeof api, path: string, key: string][] = [
    [api, `/audit-events/${event.id}`, 'actor'],
    [api, `/audit-events/${deed.id}`, 'actor'],
    [people.member, `/employees/${employee.id}`, 'user'],
    ...['/organization-user-invitations', '/audit-events'].map(
      (path) => [api, path, ''] as [typeof api, string, string],
    ),
    [people.admin, '/organization-user-invitations', ''],
    [people.member, '/organization-users', ''],
    [people.member, '/employees', ''],
  ]
  for (const [agent, path, key] of named) {
    const { body } = await agent.get(path)
    const documents = body.member ?? [body]
    const iris = documents.flatMap((one: Record<string, string>) =>
      key ? [one[key]] : [one.actor, one.invitedBy, one.user].filter(Boolean),
    )
    expect(iris.length).toBeGreaterThan(0)
    for (const iri of new Set<string>(iris))
      expect([path, iri, (await agent.get(iri)).status]).toEqual([path, iri, 200])
  }
})

test('an address that is not shown is not confirmed by a filter', async () => {
  for (const agent of Object.values(people)) {
    for (const { subject } of [left, inviter, employed, founder, operator])
      expect((await agent.get(`/users?email=${subject}@example.com`)).body.totalItems).toBe(0)
    expect((await agent.get('/users?email=suspended@example.com')).body.totalItems).toBe(1)
    expect((await agent.get(`/users?id[]=/users/${left.id}&id[]=/users/${operator.id}`)).body.totalItems).toBe(0)
  }
})

test('only members and present employees can be an employee’s user', async () => {
  for (const { id } of [left, inviter, operator, founder]) {
    const { status, body } = await as(admin).post('/employees', { name: 'X', user: `/users/${id}` })
    expect([status, body.violations?.[0].propertyPath]).toEqual([422, 'user'])
  }
  expect((await as(admin).post('/employees', { name: 'X', user: `/users/${suspended.id}` })).status).toBe(201)
})

test('a person sees itself whole, wherever it belongs', async () => {
  const { body } = await as(both, { organization: elsewhere.organization.id }).get('/users/me')
  expect(body).toMatchObject({ name: 'both', email: 'both@example.com', locale: 'nl' })
  expect((await as(left).get('/users/me')).body).toMatchObject({ email: 'left@example.com', locale: 'nl' })
  expect((await as(operator).get('/users/me')).status).toBe(200)
})

test('of a person who has left, its address is gone from the very next request', async () => {
  const user = await joined('leaving')
  const [{ '@id': membership }] = (await api.get(`/organization-users?user=/users/${user.id}`)).body.member
  expect((await api.get(`/users/${user.id}`)).body.email).toBe('leaving@example.com')
  await api.delete(membership)
  expect((await as(member).get(`/users/${user.id}`)).status).toBe(404)
})

async function known(subject: string): Promise<User> {
  return person(subject, { email: `${subject}@example.com`, locale: 'nl' })
}

async function joined(subject: string, values: Partial<OrganizationUser> = {}): Promise<User> {
  const user = await known(subject)
  await given(OrganizationUser, { organizationId: organization.id, user, name: subject, ...values })
  return user
}

describe('While a token names no organization, its bearer acts for', () => {
  const acted = async (agent: typeof api) => {
    const { body } = await agent.get('/organizations?itemsPerPage=100')
    return body.member.find(({ organizationUsers }: { organizationUsers: string[] }) => organizationUsers.length > 0)?.[
      '@id'
    ]
  }
  const iri = ({ id }: { id: string }) => `/organizations/${id}`
  const [first, second] = [organization, elsewhere.organization]
  let count = 0

  async function twofold() {
    const user = await person(`twofold-${++count}`)
    const join = (organizationId: string, day: number) =>
      given(OrganizationUser, { ...{ user, organizationId, name: user.name, role: 'owner' }, joinedAt: new Date(day) })
    const [younger, older] = [await join(second.id, 2), await join(first.id, 1)]
    return { user, agent: as(user), older, younger }
  }
  const end = ({ id }: OrganizationUser) => database.manager.update(OrganizationUser, { id }, { status: 'suspended' })

  test('the organization of its oldest membership, until it chooses another of its own', async () => {
    const { user, agent } = await twofold()
    expect((await agent.get('/users/me')).body.defaultOrganization).toBe(iri(first))
    expect(await acted(agent)).toBe(iri(first))
    const chosen = await agent.patch('/users/me', { defaultOrganization: iri(second) })
    expect([chosen.status, chosen.body.defaultOrganization]).toEqual([200, iri(second)])
    expect((await agent.get('/users/me')).body).toEqual(chosen.body)
    expect(await acted(agent)).toBe(iri(second))
    expect(await acted(as(user, { organization: first.id }))).toBe(iri(first))
    const again = await as(user, { organization: first.id }).patch('/users/me', { defaultOrganization: iri(first) })
    expect([again.status, await acted(agent)]).toEqual([200, iri(first)])
  })

  test('the oldest that is left when the chosen membership ends', async () => {
    const { user, agent, older, younger } = await twofold()
    await agent.patch('/users/me', { defaultOrganization: iri(second) })
    await end(younger)
    const anew = as(user, { lifetime: 3000 })
    expect(await acted(anew)).toBe(iri(first))
    expect((await anew.get('/users/me')).body.defaultOrganization).toBe(iri(first))
    await end(older)
    const last = as(user, { lifetime: 2000 })
    expect((await last.get('/users/me')).body.defaultOrganization).toBeNull()
    expect((await last.get('/locations')).status).toBe(403)
  })

  test('nothing that it is no active member of: that is refused', async () => {
    const { user, agent, younger } = await twofold()
    await end(younger)
    for (const defaultOrganization of [
      iri(second),
      '/organizations/01900000-0000-7000-8000-00000000000a',
      null,
      'x',
      5,
      {},
    ]) {
      const { status, body } = await agent.patch('/users/me', { defaultOrganization })
      expect([status, body.violations]).toEqual([
        422,
        [expect.objectContaining({ propertyPath: 'defaultOrganization' })],
      ])
    }
    const fixed = await agent.patch('/users/me', { name: 'x', email: 'x@example.com', defaultOrganization: iri(first) })
    expect(fixed.body).toMatchObject({ name: user.name, email: null })
    expect((await as(operator).patch('/users/me', { defaultOrganization: iri(first) })).status).toBe(403)
    expect((await as(Object.assign(await person('x'), { subject: 'new' })).patch('/users/me', {})).status).toBe(404)
  })

  test('and only it is told which that is', async () => {
    const { user, agent } = await twofold()
    await agent.patch('/users/me', { defaultOrganization: iri(second) })
    for (const path of [`/users/${user.id}`, '/users?itemsPerPage=100'])
      for (const reader of [api, as(elsewhere.users.owner), agent]) {
        const { body } = await reader.get(path)
        for (const node of body.member ?? [body]) expect(node.defaultOrganization).toBeNull()
      }
    expect((await agent.get('/users/me')).body.defaultOrganization).toBe(iri(second))
  })
})
