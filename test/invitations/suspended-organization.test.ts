import { Organization, OrganizationUser, Subscription } from '../../entities/index.ts'
import { mailSystem } from '../support/mail-server.ts'
import { openWorld, type Tenant } from '../support/world.ts'
import { address, newcomer, path, tally } from './invitees.ts'

const { as, database, foundTenant, given, givenAddress, operator, person } = await openWorld()

// A suspended or closed organization can be changed in other ways than by requests of its members.
// The same fault can occur in accepting an invitation and in the operator's confirmation.
// It can occur in mails that wait in the outbox (test/mail/suspended-organization.test.ts).
// It can occur in running imports (test/banking/import/read-only-organization.long.ts).
// It can occur in a process that has not received the suspension yet.
// Stripe's events are still applied.

const closings = [
  ['suspended', 403],
  ['closed', 409],
] as const

// RFC 9110 §15.5.4 and §15.5.10: suspended is a refusal, closed is a state.
test.each(closings)(
  'an invitation to a %s organization is not accepted, and can be once it is open again',
  async (status, code) => {
    const { tenant, token, iri } = await inviting()
    await patched(tenant, status)
    const guest = as(newcomer())
    const refused = await guest.post(`${path}/accept`, { token })
    expect([refused.status, refused.body.detail]).toEqual([code, expect.stringContaining(status)])
    expect((await guest.get('/users/me')).status).toBe(404)
    expect((await as(tenant.users.owner).get(iri)).body.status).toBe('pending')

    await patched(tenant, 'active')
    expect((await guest.post(`${path}/accept`, { token })).status).toBe(201)
    await patched(tenant, status)
    expect((await guest.post(`${path}/accept`, { token })).status).toBe(200)
  },
)

test.each(closings)('a bad token reveals nothing about a %s organization', async (status) => {
  const { tenant, token, iri } = await inviting()
  await as(tenant.users.owner).delete(iri)
  await patched(tenant, status)
  expect((await as(newcomer()).post(`${path}/accept`, { token })).status).toBe(422)
})

test('a person whose own organization is suspended joins another', async () => {
  const { token } = await inviting()
  const frozen = await founded('joining')
  await patched(frozen, 'suspended')
  expect((await as(frozen.users.member).post(`${path}/accept`, { token })).status).toBe(201)
})

test('of twenty acceptances and a suspension at once none follows the suspension', async () => {
  const { tenant } = await inviting()
  const tokens = await Promise.all(Array.from({ length: 10 }, () => invitedTo(tenant)))
  const [closed, ...answers] = await Promise.all([
    patched(tenant, 'suspended').then((status) => ({ status })),
    ...tokens.map(({ token }) => as(newcomer()).post(`${path}/accept`, { token })),
  ])
  expect(closed.status).toBe(200)
  const { 201: joined = 0, 403: refused = 0 } = tally(answers)
  expect(joined + refused).toBe(10)
  const late = await invitedTo(tenant).catch(() => undefined)
  expect(late).toBeUndefined()
})

test('a process that has not heard of a suspension yet lets no rights be given', async () => {
  const { users, organization } = await founded('unheard')
  const admin = as(users.admin)
  expect((await admin.get('/subscriptions')).status).toBe(200)
  const user = await person('unheard-person')
  const { id } = await given(OrganizationUser, { organizationId: organization.id, user, name: 'x', role: 'member' })
  await database.manager.update(Organization, { id: organization.id }, { status: 'suspended' })
  expect((await admin.post(path, { email: address() })).status).toBe(403)
  await admin.get('/subscriptions')
  expect((await admin.patch(`/organization-users/${id}`, { role: 'admin' })).status).toBe(403)
})

test('the operator confirms no subscription of a closed organization', async () => {
  const tenant = await founded('confirming')
  const own = { organizationId: tenant.organization.id }
  const { id } = await given(Subscription, { ...own, organizationAddress: await givenAddress(own), seats: 9 })
  await patched(tenant, 'closed')
  const to = `/organizations/${tenant.organization.id}`
  expect((await as(operator).get(to)).body).not.toHaveProperty('confirmSubscription')
  const { status, body } = await as(operator).post(`/subscriptions/${id}/confirm`)
  expect([status, body.detail]).toEqual([409, expect.stringContaining('closed')])
  await patched(tenant, 'suspended')
  expect((await as(operator).post(`/subscriptions/${id}/confirm`)).status).toBe(201)
})

let count = 0

function founded(name: string): Promise<Tenant> {
  return foundTenant(name, `${name}-${++count}`)
}

async function inviting() {
  const tenant = await founded('frozen')
  return { tenant, ...(await invitedTo(tenant)) }
}

async function invitedTo({ users }: Tenant) {
  const email = address()
  const { body } = await as(users.owner).post(path, { email }).expect(201)
  return { iri: body['@id'] as string, token: await mailSystem.server.tokenTo(email) }
}

async function patched({ organization }: Pick<Tenant, 'organization'>, status: string): Promise<number> {
  return (await as(operator).patch(`/organizations/${organization.id}`, { status })).status
}
