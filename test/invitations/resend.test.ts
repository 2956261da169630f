import { OrganizationUserInvitation } from '../../entities/index.ts'
import { mailSystem } from '../support/mail-server.ts'
import { eventsAbout } from '../support/rows/audit-events.ts'
import { givenInvitation } from '../support/rows/sample-rows.ts'
import { openWorld } from '../support/world.ts'
import { address, invited, newcomer, path, yesterday } from './invitees.ts'

const { api, as, database, elsewhere, tenant } = await openWorld()

const { member, admin, owner } = tenant.users

test('only owners invite owners, and only they send such an invitation again', async () => {
  const email = address()
  expect((await as(admin).post(path, { email, role: 'owner' })).status).toBe(403)
  const { body } = await api.post(path, { email, role: 'owner' })
  expect(body).toMatchObject({ role: 'owner', resend: expect.any(String) })
  await mailSystem.server.mailTo(email)
  expect((await as(admin).get(body['@id'])).body).not.toHaveProperty('resend')
  expect((await as(admin).post(`${body['@id']}/resend`)).status).toBe(403)
  expect((await api.post(`${body['@id']}/resend`)).status).toBe(201)
  expect(
    (await as(newcomer()).post(`${path}/accept`, { token: await mailSystem.server.tokenTo(email, 2) })).status,
  ).toBe(201)
  for (const ask of [
    as(member).post(path, { email }),
    as(newcomer()).post(path, { email }),
    as().post(path, { email }),
  ])
    expect([401, 403]).toContain((await ask).status)
})

test('sending again brings a new token, good for another week, and ends the old one', async () => {
  const { email, iri, id, token } = await invited()
  const soon = new Date(Date.now() + 60_000)
  await database.manager.update(OrganizationUserInvitation, { id }, { expiresAt: soon })
  const { status, body } = await as(admin).post(`${iri}/resend`)
  expect([status, body['@id'], body.status]).toEqual([201, iri, 'pending'])
  expect(Date.parse(body.expiresAt)).toBeGreaterThan(soon.getTime() + 6 * 86_400_000)
  const renewed = await mailSystem.server.tokenTo(email, 2)
  expect(renewed).not.toBe(token)
  expect((await as(newcomer()).post(`${path}/accept`, { token })).status).toBe(422)
  expect((await as(newcomer()).post(`${path}/accept`, { token: renewed })).status).toBe(201)
  expect((await eventsAbout(iri)).map(({ action }) => action)).toContain('organizationUserInvitation.resend')
})

test('one that has expired can be sent again, one that was accepted or revoked cannot', async () => {
  const of = (values: object) => givenInvitation({ invitedBy: owner, ...values })
  const expired = await of({ expiresAt: yesterday })
  expect((await api.get(`${path}/${expired.id}`)).body).toMatchObject({ resend: expect.any(String) })
  expect((await api.post(`${path}/${expired.id}/resend`)).body.status).toBe('pending')
  for (const values of [{ acceptedAt: yesterday }, { revokedAt: yesterday }]) {
    const { id } = await of(values)
    const shown = (await api.get(`${path}/${id}`)).body
    expect([shown.resend, shown.accept]).toEqual([undefined, undefined])
    expect((await api.post(`${path}/${id}/resend`)).status).toBe(409)
  }
})

test('an invitation of another organization can be neither resent nor revoked', async () => {
  const { iri } = await invited()
  const stranger = as(elsewhere.users.owner)
  for (const ask of [stranger.post(`${iri}/resend`), stranger.delete(iri), stranger.get(iri)])
    expect((await ask).status).toBe(404)
  expect((await api.get(iri)).body.status).toBe('pending')
})
