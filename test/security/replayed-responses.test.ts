import { OrganizationUser, type User } from '../../entities/index.ts'
import { invited, newcomer, path } from '../invitations/invitees.ts'
import { expectProblem } from '../support/requests/raw-responses.ts'
import { openWorld } from '../support/world.ts'

const { as, database, foundTenant, given, organization, person } = await openWorld()

// A stored response could outlive the role that it was given to.
// The same fault can occur in every POST that a member, a guest or the operator may send.
// It can occur in responses around a call to an external service, whose secrets are renewed.
// It can occur in responses written in a role that the request itself gave (founding, accepting).
// It can occur with memberships that another process has changed.

let keys = 0
const newKey = () => `outlived-${++keys}`
const keyed = (user: User, key: string, to: string, body?: object, claims = {}) =>
  as(user, claims).post(to, body).set('Idempotency-Key', key)

// RFC 9110 §15.5.4: a request that is understood is refused when its credentials do not suffice.
test('an admin who becomes a member does not read what it was answered as an admin', async () => {
  const { user, id } = await joined('admin')
  const key = newKey()
  const meeting = { employee: null, dateFrom: '2026-04-01T08:00:00Z', dateTo: '2026-04-01T09:00:00Z' }
  expect((await keyed(user, key, '/meetings', meeting)).status).toBe(201)
  expect((await keyed(user, key, '/meetings', meeting)).headers['idempotent-replayed']).toBe('true')
  await database.manager.update(OrganizationUser, { id }, { role: 'member' })
  const again = await keyed(user, key, '/meetings', meeting)
  expectProblem(again as never, 403)
  expect(again.body.detail).toMatch(/role/)
  expect(again.headers).not.toHaveProperty('idempotent-replayed')
})

test('a member who becomes an admin still reads what it was answered', async () => {
  const founder = newcomer('founder-of-two')
  const key = newKey()
  const first = await keyed(founder, key, '/organizations', { name: 'First of two' })
  const { body } = await as(founder).get('/users/me')
  await given(OrganizationUser, { organizationId: organization.id, userId: body.id, name: 'f', role: 'member' })
  const again = await keyed(founder, key, '/organizations', { name: 'First of two' })
  expect([again.status, again.text]).toEqual([201, first.text])
})

test('a founder who is demoted or removed does not read what it was answered as an owner', async () => {
  for (const [name, change] of [
    ['Demoting', { role: 'member' }],
    ['Suspending', { status: 'suspended' }],
  ] as const) {
    const founder = newcomer(`founder-${name}`)
    const key = newKey()
    const first = await keyed(founder, key, '/organizations', { name })
    expect(first.status).toBe(201)
    const [own] = await database.manager.findBy(OrganizationUser, { organizationId: first.body.id })
    await database.manager.update(OrganizationUser, { id: own.id }, change)
    expectProblem((await keyed(founder, key, '/organizations', { name })) as never, 403)
  }
})

test('a member who is removed does not read again that it joined', async () => {
  const guest = newcomer('joined-and-removed')
  const { token } = await invited({ role: 'admin' })
  const key = newKey()
  const first = await keyed(guest, key, `${path}/accept`, { token })
  const again = await keyed(guest, key, `${path}/accept`, { token })
  expect([first.status, again.status, again.text]).toEqual([201, 201, first.text])
  const { id } = (await as(guest).get('/users/me')).body
  const own = { organizationId: organization.id, userId: id }
  await database.manager.update(OrganizationUser, own, { role: 'member' })
  expectProblem((await keyed(guest, key, `${path}/accept`, { token })) as never, 403)
  await database.manager.delete(OrganizationUser, own)
  expectProblem((await keyed(guest, key, `${path}/accept`, { token })) as never, 403)
})

test('a member of several organizations who joins another reads the stored response again', async () => {
  const third = (await foundTenant('Third', 'third')).organization.id
  const { user } = await joined('member', third)
  const { token } = await invited()
  const key = newKey()
  const first = await keyed(user, key, `${path}/accept`, { token }, { organization: third })
  const again = await keyed(user, key, `${path}/accept`, { token }, { organization: third })
  expect([first.status, again.status, again.text]).toEqual([201, 201, first.text])
})

test('the secret of a payment setup is not renewed for an admin who has become a member', async () => {
  const { organization, users } = await foundTenant('Setting up', 'setting-up', { manualBilling: false })
  const own = { organizationId: organization.id, userId: users.admin.id }
  const key = newKey()
  const first = await keyed(users.admin, key, '/payment-methods/setup')
  expect(first.body.clientSecret).toMatch(/_secret_/)
  await database.manager.update(OrganizationUser, own, { role: 'member' })
  // The process remembers for a second that it was an admin, and asks again before it gives a secret.
  const again = await keyed(users.admin, key, '/payment-methods/setup')
  expectProblem(again as never, 403)
  expect(again.text).not.toContain('_secret_')
})

async function joined(role: 'admin' | 'member', organizationId = organization.id) {
  const user = await person(`outlived-person-${++keys}`)
  const { id } = await given(OrganizationUser, { organizationId, user, name: user.name, role })
  return { user, id }
}
