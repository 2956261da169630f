import { OrganizationUserInvitation } from '../../entities/index.ts'
import { mailSystem } from '../support/mail-server.ts'
import { eventsAbout } from '../support/rows/audit-events.ts'
import { openWorld } from '../support/world.ts'
import { address, invited, newcomer, path, tally, yesterday } from './invitees.ts'

const { api, as, database, elsewhere, person, tenant } = await openWorld()

const { admin, owner } = tenant.users

test('an invitation is made, and says all but the token', async () => {
  const email = address()
  const answer = await as(admin).post(path, { email, name: 'Ada Adams', role: 'admin' })
  expect(answer.status).toBe(201)
  expect(answer.headers.location).toBe(answer.body['@id'])
  expect(answer.headers['cache-control']).toBe('private, no-store')
  expect(answer.body).toEqual({
    '@context': '/contexts/OrganizationUserInvitation',
    '@id': `${path}/${answer.body.id}`,
    '@type': 'OrganizationUserInvitation',
    id: expect.any(String),
    email,
    name: 'Ada Adams',
    role: 'admin',
    status: 'pending',
    expiresAt: expect.any(String),
    invitedBy: `/users/${admin.id}`,
    createdAt: expect.any(String),
    updatedAt: expect.any(String),
    resend: `${path}/${answer.body.id}/resend`,
    accept: `${path}/accept`,
  })
  expect(Date.parse(answer.body.expiresAt) - Date.parse(answer.body.createdAt)).toBeCloseTo(7 * 86_400_000, -4)
  expect((await api.get(answer.body['@id'])).body).toEqual(answer.body)
  expect(answer.text).not.toContain(await mailSystem.server.tokenTo(email))
  expect(await eventsAbout(answer.body['@id'])).toMatchObject([
    { action: 'organizationUserInvitation.create', actorId: admin.id, changes: { role: [null, 'admin'] } },
  ])
})

test('known and unknown addresses are invited in the same way', async () => {
  const known = 'known@example.com'
  await person('known', { email: known })
  const [first, second] = [
    await api.post(path, { email: known }),
    await api.post(path, { email: known.replace('known', 'nobody') }),
  ]
  const masked = ({ status, text, headers }: typeof first) =>
    [status, text, Object.keys(headers)].join().replace(/[\w-]+@|[0-9a-f-]{36}|[\dT:.-]+Z/g, '…')
  expect(first.status).toBe(201)
  expect(masked(second)).toBe(masked(first))
  expect(subjectOf(await mailSystem.server.mailTo(known))).toBe(
    subjectOf(await mailSystem.server.mailTo(known.replace('known', 'nobody'))),
  )
})

test('an address is invited once at a time, whatever its case', async () => {
  const { email, iri } = await invited()
  for (const spelling of [email, email.toUpperCase()]) {
    const { status, body } = await api.post(path, { email: spelling })
    expect([status, body.violations]).toEqual([422, [expect.objectContaining({ propertyPath: 'email' })]])
  }
  const twenty = await Promise.all(Array.from({ length: 20 }, () => api.post(path, { email: 'at-once@example.com' })))
  expect(tally(twenty)).toEqual({ 201: 1, 422: 19 })
  await api.delete(iri)
  expect((await api.post(path, { email })).status).toBe(201)
})

test('an invitation that has expired gives way to a new one', async () => {
  const { email, iri, id } = await invited()
  await database.manager.update(OrganizationUserInvitation, { id }, { expiresAt: yesterday })
  const { status, body } = await as(admin).post(path, { email: email.toUpperCase() })
  expect(status).toBe(201)
  expect(body['@id']).not.toBe(iri)
  expect((await api.get(iri)).body.status).toBe('revoked')
  expect((await eventsAbout(iri)).at(-1)).toMatchObject({ changes: { status: ['expired', 'revoked'] } })
})

test('members are not invited again, be it by their address or by the one they came by', async () => {
  const { email, token } = await invited()
  const came = as(newcomer('came'), { email: 'came@private.example' })
  await came.post(`${path}/accept`, { token })
  for (const known of [email, 'CAME@private.example']) {
    const { status, body } = await api.post(path, { email: known })
    expect([known, status, body.violations?.[0]]).toMatchObject([
      known,
      422,
      { propertyPath: 'email', code: 'isMember' },
    ])
  }
  expect((await as(elsewhere.users.owner).post(path, { email })).status).toBe(201)
})

test.each<[what: string, body: object, names: string[]]>([
  ['nobody', {}, ['email']],
  ['what is no address', { email: 'nobody' }, ['email']],
  ['a number, as an operator', { email: 42, role: 'operator' }, ['email', 'role']],
  ['an address and a header', { email: 'a@b.example\r\nBcc: c@d.example' }, ['email']],
  ['too long an address', { email: `${'a'.repeat(250)}@b.example` }, ['email']],
  ['a blank name', { email: 'a@b.example', name: ' ' }, ['name']],
  ['too long a name, as nothing', { email: 'a@b.example', name: 'x'.repeat(256), role: null }, ['name', 'role']],
])('%s cannot be invited', async (_, body, names) => {
  const answer = await api.post(path, body)
  expect(answer.status).toBe(422)
  const named = answer.body.violations.map(({ propertyPath }: { propertyPath: string }) => propertyPath)
  expect([...new Set(named)]).toEqual(names)
})

test('properties that a client may not set are ignored', async () => {
  const status = { status: 'accepted', expiresAt: '2999-01-01T00:00:00Z', invitedBy: `/users/${admin.id}` }
  const { body } = await api.post(path, { email: address(), tokenHash: 'x', acceptedById: owner.id, ...status })
  expect(body).toMatchObject({ status: 'pending', invitedBy: `/users/${owner.id}` })
  expect(Date.parse(body.expiresAt)).toBeLessThan(Date.now() + 8 * 86_400_000)
})

const subjectOf = ({ subject }: { subject?: string }) => subject
