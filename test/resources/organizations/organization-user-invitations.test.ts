import { OrganizationUserInvitation } from '../../../entities/index.ts'
import { eventsAbout } from '../../support/rows/audit-events.ts'
import { givenInvitation } from '../../support/rows/sample-rows.ts'
import { openWorld } from '../../support/world.ts'

const { api, as, database, elsewhere, tenant } = await openWorld()

const { member, admin, owner } = tenant.users
const yesterday = new Date(Date.now() - 24 * 60 * 60 * 1000)

test('it says who is invited, as what, by whom and until when', async () => {
  const invitation = await givenInvitation({ email: 'ada@example.com', name: 'Ada', role: 'admin', invitedBy: owner })
  const { status, body } = await as(admin).get(pathOf(invitation))
  expect(status).toBe(200)
  expect(body).toMatchObject({
    '@type': 'OrganizationUserInvitation',
    email: 'ada@example.com',
    name: 'Ada',
    role: 'admin',
    status: 'pending',
    invitedBy: `/users/${owner.id}`,
    expiresAt: invitation.expiresAt.toISOString().replace('.000Z', 'Z'),
  })
  expect((await as(admin).get('/organization-user-invitations')).body.member).toContainEqual(
    expect.objectContaining({ '@id': pathOf(invitation), email: 'ada@example.com' }),
  )
})

test.each([
  ['pending', {}],
  ['accepted', { acceptedAt: yesterday }],
  ['revoked', { revokedAt: yesterday }],
  ['expired', { expiresAt: yesterday }],
] as const)('it is %s', async (status, values) => {
  const invitation = await givenInvitation({ invitedBy: owner, ...values })
  expect((await api.get(pathOf(invitation))).body.status).toBe(status)
})

test('its token is never shown, in no form', async () => {
  const tokenHash = Buffer.from('a very secret hash of a token')
  const invitation = await givenInvitation({ invitedBy: owner, tokenHash })
  const answers = [
    await api.get(pathOf(invitation)),
    await api.get('/organization-user-invitations?itemsPerPage=100'),
    await api.get(`/organization-user-invitations?order[tokenHash]=asc&tokenHash=${tokenHash.toString('hex')}`),
    await api.get('/contexts/OrganizationUserInvitation'),
    await api.get('/docs.jsonld'),
  ]
  for (const { text } of answers)
    for (const form of ['tokenHash', ...(['hex', 'base64', 'utf8'] as const).map((form) => tokenHash.toString(form))])
      expect(text.replace(/"view":\{[^}]*\}/, '')).not.toContain(form)
})

test('revoking keeps the row, as revoked, and doing it twice is no fault', async () => {
  const invitation = await givenInvitation({ invitedBy: owner })
  const path = pathOf(invitation)
  expect((await as(admin).delete(path)).status).toBe(204)
  const { body } = await api.get(path)
  expect(body.status).toBe('revoked')

  expect((await as(admin).delete(path)).status).toBe(204)
  expect((await api.get(path)).body).toEqual(body)
  expect(await eventsAbout(path)).toMatchObject([
    { action: 'organizationUserInvitation.revoke', actorId: admin.id, changes: { status: ['pending', 'revoked'] } },
  ])
})

test('an address whose invitation was revoked can be invited again', async () => {
  const values = { email: 'again@example.com', invitedBy: owner }
  const invitation = await givenInvitation(values)
  await expect(givenInvitation({ ...values, email: 'AGAIN@example.com' })).rejects.toMatchObject({ code: '23505' })
  await api.delete(pathOf(invitation))
  await expect(givenInvitation(values)).resolves.toMatchObject({ email: 'again@example.com' })
})

test('one that has been accepted cannot be revoked', async () => {
  const invitation = await givenInvitation({ invitedBy: owner, acceptedAt: yesterday })
  const { status, body } = await api.delete(pathOf(invitation))
  expect(status).toBe(409)
  expect(body.detail).toMatch(/accepted/)
  const stored = await database.manager.findOneByOrFail(OrganizationUserInvitation, { id: invitation.id })
  expect(stored.revokedAt).toBeNull()
  expect(await eventsAbout(pathOf(invitation))).toEqual([])
})

test('members neither see nor revoke invitations, strangers do not even find them', async () => {
  const path = pathOf(await givenInvitation({ invitedBy: owner }))
  for (const { status } of [
    await as(member).get('/organization-user-invitations'),
    await as(member).get(path),
    await as(member).delete(path),
  ])
    expect(status).toBe(403)
  expect((await as(elsewhere.users.owner).get(path)).status).toBe(404)
  expect((await as(elsewhere.users.owner).delete(path)).status).toBe(404)
  expect((await api.get(path)).body.status).toBe('pending')
})

test('a state that was read can be insisted on', async () => {
  const path = pathOf(await givenInvitation({ invitedBy: owner }))
  expect((await api.delete(path).set('If-Match', '"9-x"')).status).toBe(412)
  expect((await api.delete(path).set('If-Match', (await api.get(path)).headers.etag)).status).toBe(204)
})

function pathOf({ id }: OrganizationUserInvitation): string {
  return `/organization-user-invitations/${id}`
}
