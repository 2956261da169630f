import { Employee, Location, Meeting } from '../../entities/index.ts'
import { morning, openWorld } from '../support/world.ts'

const { api, as, database, elsewhere, given, organization, tenant } = await openWorld()

const violations = (body: { violations?: { propertyPath: string; code: string }[] }) =>
  body.violations?.map(({ propertyPath, code }) => `${propertyPath} ${code}`)

test('a name makes one, who is at work and has no account', async () => {
  const { status, body, headers } = await api.post('/employees', { name: 'Ada' })
  expect(status).toBe(201)
  expect(headers.location).toBe(body['@id'])
  expect(body).toMatchObject({
    '@context': '/contexts/Employee',
    '@type': 'Employee',
    name: 'Ada',
    email: null,
    phone: null,
    jobTitle: null,
    user: null,
    location: null,
    active: true,
  })
})

test('all properties can be set at once, and are read back', async () => {
  const location = await given(Location, { name: 'Utrecht' })
  const told = {
    name: 'Grace Hopper',
    email: 'grace@example.com',
    phone: '+31 20 123 45 67',
    jobTitle: 'Monteur',
    user: `/users/${tenant.users.member.id}`,
    location: `/locations/${location.id}`,
    active: false,
  }
  const { body } = await api.post('/employees', told)
  expect(body).toMatchObject(told)
  expect((await api.get(body['@id'])).body).toEqual(body)

  for (const reference of [body.user, body.location]) expect((await api.get(reference)).body['@id']).toBe(reference)
})

test.each([
  [{}, ['name isString']],
  [{ name: '' }, ['name isLength', 'name matches']],
  [{ name: ' ' }, ['name matches']],
  [{ name: null }, ['name isString']],
  [{ name: 'x', email: 'nobody' }, ['email isEmail']],
  [{ name: 'x', email: `${'x'.repeat(250)}@example.com` }, ['email isEmail', 'email maxLength']],
  [{ name: 'x', phone: '1'.repeat(51) }, ['phone maxLength']],
  [{ name: 'x', active: null }, ['active isBoolean']],
  [{ name: 'x', active: 'false' }, ['active isBoolean']],
  [{ name: 'x', user: '/users/me' }, ['user unknownReference']],
  [{ name: 'x', location: '/employees' }, ['location unknownReference']],
  [{ name: 5, phone: 6, location: 7, active: 8 }, ['active', 'location', 'name', 'phone']],
])('%j is refused, every fault of it at once', async (told, expected) => {
  const { status, body } = await api.post('/employees', told)
  expect(status).toBe(422)
  const found = violations(body)?.map((one) => (expected[0].includes(' ') ? one : one.split(' ')[0]))
  expect(found?.sort()).toEqual(expected)
})

test('its people and places are those of the organization', async () => {
  const place = await given(Location, { name: 'Far', organizationId: elsewhere.organization.id })
  const { status, body } = await api.post('/employees', {
    name: 'Eve',
    user: `/users/${elsewhere.users.owner.id}`,
    location: `/locations/${place.id}`,
  })
  expect([status, violations(body)]).toEqual([422, ['user unknownReference', 'location unknownReference']])
})

test('a PATCH changes only what is sent, and null clears', async () => {
  const location = await given(Location, { name: 'Breda' })
  const { id } = await given(Employee, { name: 'Bob', email: 'bob@example.com', location, user: tenant.users.member })
  const path = `/employees/${id}`
  const { body: before } = await api.get(path)

  const { body } = await api.patch(path, { email: null, jobTitle: 'Planner' })
  expect(body).toEqual({ ...before, email: null, jobTitle: 'Planner', updatedAt: expect.any(String) })
  expect((await api.patch(path, { location: null })).body.location).toBeNull()
  expect((await api.patch(path, { user: null, active: false })).body).toMatchObject({ user: null, active: false })
  expect(violations((await api.patch(path, { name: null })).body)).toEqual(['name isString'])
})

test('read-only properties stay as they are', async () => {
  const { id } = await given(Employee, { name: 'Carol' })
  const { body: before } = await api.get(`/employees/${id}`)
  const forged = { id: organization.id, createdAt: '2000-01-01T00:00:00Z', organizationId: elsewhere.organization.id }
  expect((await api.patch(`/employees/${id}`, forged)).body).toEqual(before)

  const { status, body } = await api.patch(`/employees/${id}`, forged).set('Prefer', 'handling=strict')
  expect([status, violations(body)]).toEqual([
    422,
    ['id isReadOnly', 'createdAt isReadOnly', 'organizationId isUnknown'],
  ])
})

test('one keeps its meetings when it no longer works here', async () => {
  const employee = await given(Employee, { name: 'Dan' })
  const meeting = await given(Meeting, { employee, ...morning })
  await api.patch(`/employees/${employee.id}`, { active: false })

  expect((await api.get(`/meetings/${meeting.id}`)).body.employee).toBe(`/employees/${employee.id}`)
  expect((await api.delete(`/employees/${employee.id}`)).status).toBe(405)
})

test('members read them, admins write them', async () => {
  const { id } = await given(Employee, { name: 'Erin' })
  const [member, admin] = [as(tenant.users.member), as(tenant.users.admin)]
  expect((await member.get(`/employees/${id}`)).body.name).toBe('Erin')
  expect((await member.patch(`/employees/${id}`, { name: 'x' })).status).toBe(403)
  expect((await member.post('/employees', { name: 'x' })).status).toBe(403)
  expect((await admin.patch(`/employees/${id}`, { name: 'Erin B.' })).status).toBe(200)
  expect(await database.manager.countBy(Employee, { name: 'x' })).toBe(0)
})
