import { OrganizationUser, OrganizationUserInvitation, OutgoingMail } from '../../entities/index.ts'
import { mailSystem } from '../support/mail-server.ts'
import { eventsAbout } from '../support/rows/audit-events.ts'
import { givenInvitation } from '../support/rows/sample-rows.ts'
import { openWorld } from '../support/world.ts'
import { address, invited, newcomer, path } from './invitees.ts'

const { api, as, database, given, organization, person, tenant } = await openWorld()

// An invitation could stay valid after its inviter loses the right to give the role.
// The same fault can occur in removal, suspension and each demotion, and with the owner role.
// It can occur in a mail that is still in the outbox, and in an invitation that another admin sends again.
// It can occur in an invitation that was stored before its inviter lost the right.
// It can occur when another process demotes the inviter, and when the inviter is reinstated.

const { owner } = tenant.users

/** The right ends in each way that it can end. */
const endings: [how: string, end: (membership: string) => Promise<number>][] = [
  ['is removed', async (membership) => (await api.delete(membership)).status],
  ['is suspended', async (membership) => (await api.patch(membership, { status: 'suspended' })).status],
  ['becomes a member', async (membership) => (await api.patch(membership, { role: 'member' })).status],
]

// OWASP API5:2023: a function of a role ends with the role.
test.each(endings)('an admin who %s cannot return by an invitation of its own', async (how, end) => {
  const { user, membership } = await joined('admin')
  const { token, iri } = await invited({ role: 'admin' }, as(user))
  expect(await end(membership)).toBeLessThan(300)

  const unknown = await as(user).post(`${path}/accept`, { token: 'x' })
  for (const person of [user, newcomer()]) {
    const { status, body } = await as(person).post(`${path}/accept`, { token })
    expect([how, status, body]).toEqual([how, 422, unknown.body])
  }
  expect((await api.get(iri)).body).toMatchObject({ status: 'revoked' })
  expect((await eventsAbout(iri)).at(-1)).toMatchObject({
    action: 'organizationUserInvitation.revoke',
    actorId: owner.id,
    changes: { status: ['pending', 'revoked'] },
  })
})

test.each(endings)('invitations that a person who %s had others resend are not mailed', async (_, end) => {
  const { user, membership } = await joined('admin')
  const { id } = await givenInvitation({ invitedBy: user })
  const about = `${path}/${id}`
  await given(OutgoingMail, { about, recipient: address(), subject: 's', text: 'the token', status: 'pending' })
  expect(await end(membership)).toBeLessThan(300)
  const [mail] = await database.manager.findBy(OutgoingMail, { about })
  expect(mail).toMatchObject({ status: 'withdrawn', text: null })
})

test('an owner who becomes an admin keeps what an admin may give, and no invitation of an owner', async () => {
  const { user, membership } = await joined('owner')
  const own = as(user)
  const [asOwner, asAdmin, asMember] = [
    await invited({ role: 'owner' }, own),
    await invited({ role: 'admin' }, own),
    await invited({}, own),
  ]
  expect((await api.patch(membership, { role: 'admin' })).status).toBe(200)
  expect((await own.post(`${path}/accept`, { token: asOwner.token })).status).toBe(422)
  expect((await as(newcomer()).post(`${path}/accept`, { token: asOwner.token })).status).toBe(422)
  for (const { token } of [asAdmin, asMember])
    expect((await as(newcomer()).post(`${path}/accept`, { token })).status).toBe(201)
})

test('an owner demoted to member gets nothing by a pending invitation, and the founder stays', async () => {
  const { user, membership } = await joined('owner')
  const { token } = await invited({ role: 'owner' }, as(user))
  expect((await api.patch(membership, { role: 'member' })).status).toBe(200)
  expect((await as(user).post(`${path}/accept`, { token })).status).toBe(422)
  expect((await as(user).get('/audit-events')).status).toBe(403)
})

test('an invitation is judged when it is accepted, whatever was revoked on the way', async () => {
  for (const [role, values, status] of [
    ['admin', { role: 'member' }, 422],
    ['admin', { status: 'suspended' }, 422],
    ['owner', { role: 'admin' }, 422],
    ['admin', { role: 'admin' }, 201],
    ['owner', { role: 'owner' }, 201],
  ] as const) {
    const { user, id } = await joined('owner')
    const { token } = await invited({ role }, as(user))
    await database.manager.update(OrganizationUser, { id }, values)
    expect([values, (await as(newcomer()).post(`${path}/accept`, { token })).status]).toEqual([values, status])
  }
})

test('a member who is reinstated does not find its revoked invitations again', async () => {
  const { user, membership } = await joined('admin')
  const { token, iri } = await invited({}, as(user))
  await api.patch(membership, { status: 'suspended' })
  expect((await api.patch(membership, { status: 'active' })).status).toBe(200)
  expect((await as(newcomer()).post(`${path}/accept`, { token })).status).toBe(422)
  expect((await api.get(iri)).body.status).toBe('revoked')
})

test('an invitation that another admin sends again is that admin’s, and outlives the first inviter', async () => {
  const { user, membership } = await joined('admin')
  const { iri, email, id } = await invited({}, as(user))
  expect((await api.post(`${iri}/resend`)).body).toMatchObject({ invitedBy: `/users/${owner.id}` })
  expect((await eventsAbout(iri)).at(-1)?.changes).toMatchObject({ invitedById: [user.id, owner.id] })
  const token = await mailSystem.server.tokenTo(email, 2)
  await api.delete(membership)
  expect(await database.manager.findOneByOrFail(OrganizationUserInvitation, { id })).toMatchObject({ revokedAt: null })
  expect((await as(newcomer()).post(`${path}/accept`, { token })).status).toBe(201)
})

test('a person who resends an invitation loses it with its own right', async () => {
  const { iri, email } = await invited()
  const { user, membership } = await joined('admin')
  await as(user).post(`${iri}/resend`)
  const token = await mailSystem.server.tokenTo(email, 2)
  await api.delete(membership)
  expect((await as(newcomer()).post(`${path}/accept`, { token })).status).toBe(422)
})

test('invitations in another organization, and accepted ones, stay', async () => {
  const { user, membership } = await joined('admin')
  const { token, iri } = await invited({}, as(user))
  const guest = as(newcomer())
  expect((await guest.post(`${path}/accept`, { token })).status).toBe(201)
  const expired = await givenInvitation({ invitedBy: user, expiresAt: new Date(Date.now() - 1000) })
  await api.delete(membership)
  expect((await guest.get('/meetings')).status).toBe(200)
  expect((await api.get(iri)).body.status).toBe('accepted')
  expect((await api.get(`${path}/${expired.id}`)).body.status).toBe('expired')
})

test('of an acceptance and a removal at once, no acceptance follows the removal', async () => {
  for (let round = 0; round < 5; round++) {
    const { user, membership } = await joined('admin')
    const { token, iri } = await invited({ role: 'admin' }, as(user))
    const [accepted, removed] = await Promise.all([
      as(newcomer()).post(`${path}/accept`, { token }),
      api.delete(membership),
    ])
    expect(removed.status).toBe(204)
    const { status } = (await api.get(iri)).body
    expect([
      [201, 'accepted'],
      [422, 'revoked'],
    ]).toContainEqual([accepted.status, status])
  }
})

/** A demotion by another process is known here a second later. Operations that grant rights do not wait for that. */
test.each<[what: string, ask: (user: Awaited<ReturnType<typeof joined>>) => PromiseLike<{ status: number }>]>([
  ['invites', ({ user }) => as(user).post(path, { email: address(), role: 'admin' })],
  ['sends an invitation again', async ({ user }) => as(user).post(`${(await invited()).iri}/resend`)],
  ['promotes', async ({ user }) => as(user).patch((await joined('member')).membership, { role: 'admin' })],
  ['removes', async ({ user }) => as(user).delete((await joined('member')).membership)],
  ['promotes itself', ({ user, membership }) => as(user).patch(membership, { role: 'admin' })],
])('an admin whom another process has just demoted %s in vain', async (_, ask) => {
  const admin = await joined('admin')
  expect((await as(admin.user).get('/subscriptions')).status).toBe(200)
  await database.manager.update(OrganizationUser, { id: admin.id }, { role: 'member' })
  expect((await ask(admin)).status).toBe(403)
})

let count = 0

async function joined(role: 'owner' | 'admin' | 'member') {
  const user = await person(`inviter-${++count}`)
  const { id } = await given(OrganizationUser, { organizationId: organization.id, user, name: user.name, role })
  return { user, id, membership: `/organization-users/${id}` }
}
