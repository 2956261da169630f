import { OrganizationUserInvitation, OutgoingMail, Subscription } from '../../entities/index.ts'
import { mailSystem } from '../support/mail-server.ts'
import { givenInvitation } from '../support/rows/sample-rows.ts'
import { openWorld, type Tenant } from '../support/world.ts'
import { address, newcomer, path, tally, yesterday } from './invitees.ts'

const { as, database, foundTenant, given, givenAddress } = await openWorld()

test('as many are invited as there are seats, and no more', async () => {
  const { agent, own } = await subscribed('seats', 5)
  expect((await agent.post(path, { email: address() })).status).toBe(201)
  const last = await agent.post(path, { email: address() })
  expect(last.status).toBe(201)
  const email = address()
  const { status, body } = await agent.post(path, { email })
  expect([status, body.detail]).toEqual([409, expect.stringContaining('take all 5 seats')])
  expect(await database.manager.countBy(OutgoingMail, { recipient: email })).toBe(0)
  expect(await database.manager.countBy(OrganizationUserInvitation, own)).toBe(2)

  await agent.delete(last.body['@id'])
  expect((await agent.post(path, { email })).status).toBe(201)
})

test('of twenty who are invited at once, as many are as there are seats', async () => {
  const { agent } = await subscribed('race', 6)
  const twenty = await Promise.all(Array.from({ length: 20 }, () => agent.post(path, { email: address() })))
  expect(tally(twenty)).toEqual({ 201: 3, 409: 17 })
})

test('an invitation that has expired has lost its seat', async () => {
  const { agent, own, users } = await subscribed('lost', 4)
  const expired = await givenInvitation({ ...own, invitedBy: users.owner, expiresAt: yesterday })
  expect((await agent.post(path, { email: address() })).status).toBe(201)
  expect((await agent.post(`${path}/${expired.id}/resend`)).status).toBe(409)
  expect((await agent.get(`${path}/${expired.id}`)).body.status).toBe('expired')
})

test('an accepted invitation keeps its seat', async () => {
  const { agent } = await subscribed('taking', 4)
  const email = address()
  await agent.post(path, { email })
  const token = await mailSystem.server.tokenTo(email)
  expect((await as(newcomer()).post(`${path}/accept`, { token })).status).toBe(201)
  expect((await agent.post(path, { email: address() })).status).toBe(409)
})

test('no seats are counted where nothing is subscribed to', async () => {
  const { agent } = await subscribed('ended', 1, 'canceled')
  expect((await agent.post(path, { email: address() })).status).toBe(201)
})

/** An organization of three that has subscribed to so many seats. */
async function subscribed(slug: string, seats: number, status = 'active') {
  const founded: Tenant = await foundTenant(slug, slug)
  const own = { organizationId: founded.organization.id }
  await given(Subscription, { ...own, organizationAddress: await givenAddress(own), seats, status })
  return { ...founded, own, agent: as(founded.users.owner) }
}
