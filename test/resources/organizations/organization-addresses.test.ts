import { OrganizationAddress, Subscription } from '../../../entities/index.ts'
import { openWorld } from '../../support/world.ts'

const { api, as, database, elsewhere, given, givenAddress, tenant } = await openWorld()

const violations = (body: { violations?: { propertyPath: string; code: string }[] }) =>
  body.violations?.map(({ propertyPath, code }) => `${propertyPath} ${code}`).sort()

const head = { kind: 'visiting', name: 'Acme', street: 'Damrak', city: 'Amsterdam', country: '/countries/NL' }

test('it is made with the lines of an envelope, and read back', async () => {
  const { status, body, headers } = await api.post('/organization-addresses', head)
  expect([status, headers.location]).toEqual([201, body['@id']])
  expect(body).toMatchObject({ ...head, houseNumber: null, postalCode: null, vatNumber: null })
  expect((await api.get(body['@id'])).body).toEqual(body)
  expect((await as().get(body.country)).body.name).toBe('Netherlands')

  const whole = { ...head, kind: 'billing', houseNumber: '1A', postalCode: '1012 LG', vatNumber: 'NL001234567B01' }
  expect((await api.post('/organization-addresses', whole)).body).toMatchObject(whole)
})

test('all missing properties are named at once', async () => {
  const { status, body } = await api.post('/organization-addresses', {})
  expect(status).toBe(422)
  expect(violations(body)).toEqual([
    'city isString',
    'country isNotEmpty',
    'kind isIn',
    'name isString',
    'street isString',
  ])
})

test.each([
  [{ kind: 'home' }, 'kind isIn'],
  [{ kind: null }, 'kind isIn'],
  [{ name: '  ' }, 'name matches'],
  [{ street: '' }, 'street isLength'],
  [{ city: 'x'.repeat(256) }, 'city isLength'],
  [{ houseNumber: 12 }, 'houseNumber isString'],
  [{ postalCode: '1'.repeat(21) }, 'postalCode maxLength'],
  [{ country: null }, 'country isNotEmpty'],
  [{ country: 'NL' }, 'country unknownReference'],
  [{ country: '/countries/XX' }, 'country unknownReference'],
  [{ country: { id: 'NL' } }, 'country isReference'],
  [{ vatNumber: 'x'.repeat(31) }, 'vatNumber maxLength'],
])('%j is refused, new or changed', async (wrong, expected) => {
  expect(violations((await api.post('/organization-addresses', { ...head, ...wrong })).body)).toEqual([expected])
  const { id } = await givenAddress()
  const { status, body } = await api.patch(`/organization-addresses/${id}`, wrong)
  expect([status, violations(body)]).toEqual([422, [expected]])
})

test('a PATCH changes only what is sent, and null clears', async () => {
  const { id } = await givenAddress({ houseNumber: '1' })
  const { body } = await api.patch(`/organization-addresses/${id}`, {
    houseNumber: null,
    country: { '@id': '/countries/BE' },
  })
  expect(body).toMatchObject({ houseNumber: null, country: '/countries/BE', street: 'Damrak' })
})

test('it can be taken away, but not while something is billed to it', async () => {
  const free = await givenAddress()
  const billed = await givenAddress()
  await given(Subscription, { organizationAddress: billed, seats: 9 })

  const refused = await api.delete(`/organization-addresses/${billed.id}`)
  expect(refused.status).toBe(409)
  expect(refused.headers['content-type']).toBe('application/problem+json; charset=utf-8')
  expect(refused.body.detail).toBe('A Subscription still refers to it.')
  expect((await api.get(`/organization-addresses/${billed.id}`)).status).toBe(200)

  const gone = await api.delete(`/organization-addresses/${free.id}`)
  expect([gone.status, gone.text, gone.headers['content-type']]).toEqual([204, '', undefined])
  expect((await api.get(`/organization-addresses/${free.id}`)).status).toBe(404)
  expect((await api.delete(`/organization-addresses/${free.id}`)).status).toBe(404)
})

test.each(['canceled', 'incomplete_expired'])(
  'it can be taken away once what was billed to it is %s, and that keeps a copy',
  async (status) => {
    const { id } = await givenAddress({ houseNumber: '1', postalCode: '1012 JS', vatNumber: 'NL1' })
    const ended = await given(Subscription, { organizationAddressId: id, seats: 9, status })
    const path = `/subscriptions/${ended.id}`
    expect((await api.get(path)).body).toMatchObject({
      organizationAddress: `/organization-addresses/${id}`,
      billedTo: null,
    })
    expect((await api.delete(`/organization-addresses/${id}`)).status).toBe(204)
    const { name, street, city } = await givenAddress()
    const billedTo = { name, street, houseNumber: '1', postalCode: '1012 JS', city, country: 'NL', vatNumber: 'NL1' }
    expect((await api.get(path)).body).toMatchObject({ organizationAddress: null, billedTo })
  },
)

test('the organization lists it, newest first', async () => {
  const first = await givenAddress()
  const second = await givenAddress()
  const { body } = await api.get(`/organizations/${tenant.organization.id}`)
  expect(body.organizationAddresses.slice(0, 2)).toEqual(
    [second, first].map(({ id }) => `/organization-addresses/${id}`),
  )
})

test('members read it, admins write it, strangers know nothing of it', async () => {
  const { id } = await givenAddress()
  const path = `/organization-addresses/${id}`
  const [member, admin, stranger] = [tenant.users.member, tenant.users.admin, elsewhere.users.owner].map((user) =>
    as(user),
  )
  expect((await member.get(path)).status).toBe(200)
  expect((await member.post('/organization-addresses', head)).status).toBe(403)
  expect((await member.patch(path, {})).status).toBe(403)
  expect((await member.delete(path)).status).toBe(403)
  expect((await stranger.get(path)).status).toBe(404)
  expect((await stranger.patch(path, { city: 'x' })).status).toBe(404)
  expect((await stranger.delete(path)).status).toBe(404)
  expect((await database.manager.findOneByOrFail(OrganizationAddress, { id })).city).toBe('Amsterdam')
  expect((await admin.delete(path)).status).toBe(204)
})
