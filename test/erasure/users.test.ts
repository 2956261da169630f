import { load } from 'cheerio'
import {
  ApiKey,
  AuditEvent,
  Employee,
  OrganizationUser,
  OrganizationUserInvitation,
  Session,
  User,
  WebhookEndpoint,
} from '../../entities/index.ts'
import { newId } from '../../entities/new-id.ts'
import { send } from '../security/api-keys/programs.ts'
import { Browser } from '../support/browser.ts'
import { givenEndpoint, givenInvitation } from '../support/rows/sample-rows.ts'
import { openWorld, type Tenant } from '../support/world.ts'
import { columnsWith } from './marked-columns.ts'

const { as, database, foundTenant, given, operator, organization, person, server, tokenOf } = await openWorld()

let count = 0

/** A member of organizations with an email address. */
async function member(roles: [Tenant | { organization: Tenant['organization'] }, OrganizationUser['role']][]) {
  const subject = `leaver-${++count}`
  const user = await person(subject, { name: `Leaver ${count}`, email: `${subject}@persons.example` })
  for (const [{ organization }, role] of roles)
    await given(OrganizationUser, { organizationId: organization.id, user, name: user.name, role })
  const erase = (confirm: unknown = user.email) => as(user).post('/users/me/erase', { confirm })
  return { user, agent: as(user), erase }
}

const rowOf = ({ id }: User) => database.manager.findOneByOrFail(User, { id })
const eventsOf = (target: string) => database.manager.findBy(AuditEvent, { target })

describe('the erasure of oneself', () => {
  test('ends everything that the person can do, in each organization, and leaves a user without a name', async () => {
    const [first, second] = [await foundTenant('First', 'first-left'), await foundTenant('Second', 'second-left')]
    const { user, agent, erase } = await member([
      [first, 'admin'],
      [second, 'member'],
    ])
    const own = { organizationId: first.organization.id }
    const acting = as(user, { organization: first.organization.id })
    const { body: key } = await acting.post('/api-keys', { name: 'Report' }).expect(201)
    const { body: invited } = await acting.post('/organization-user-invitations', { email: 'x@x.example' }).expect(201)
    const endpoint = await givenEndpoint({ ...own, createdBy: user })
    const employee = await given(Employee, { ...own, name: 'Employed', user })
    const accepted = await givenInvitation({
      ...{ ...own, email: 'former@persons.example', name: 'Former', invitedBy: first.users.owner },
      ...{ acceptedAt: new Date(), acceptedById: user.id },
    })
    const now = new Date()
    await database.manager.insert(Session, {
      ...{ id: newId(), issuer: user.issuer, subject: user.subject, hash: Buffer.from('h'), sealedTokens: 's' },
      ...{ browser: 'b', organization: null, createdAt: now, usedAt: now, expiresAt: now, tokenExpiresAt: now },
    })
    const { body } = await erase().expect(201)
    expect(body).toMatchObject({ '@id': `/users/${user.id}`, name: 'Erased user', email: null, locale: null })
    expect(body).not.toHaveProperty('erase')
    expect(await rowOf(user)).toMatchObject({ issuer: '', subject: user.id, operator: false })
    for (const text of ['leaver-1', 'Leaver 1', 'former@persons', 'Former']) expect(await columnsWith(text)).toEqual([])

    await agent.get('/locations').expect(403)
    await agent.get('/users/me').expect(404)
    await send(key.secret, 'get', '/locations').expect(401)
    expect((await database.manager.findOneByOrFail(ApiKey, { id: key.id })).status).toBe('revoked')
    const invitation = (id: string) => database.manager.findOneByOrFail(OrganizationUserInvitation, { id })
    expect((await invitation(invited.id)).status).toBe('revoked')
    expect(await invitation(accepted.id)).toMatchObject({ email: 'erased@erased.invalid', acceptedById: user.id })
    expect(await database.manager.findOneByOrFail(WebhookEndpoint, { id: endpoint.id })).toMatchObject({
      ...{ enabled: false, disabledReason: 'creatorLeft' },
    })
    expect(await database.manager.findOneByOrFail(Employee, { id: employee.id })).toMatchObject({
      ...{ name: 'Employed', userId: null },
    })
    for (const { organization } of [first, second]) {
      const { id: organizationId } = organization
      expect(await database.manager.countBy(OrganizationUser, { organizationId, userId: user.id })).toBe(0)
      const events = await database.manager.findBy(AuditEvent, { organizationId, action: 'user.erase' })
      expect(events).toMatchObject([
        { actorId: user.id, target: `/users/${user.id}`, changes: { erased: [false, true] } },
      ])
      expect(await database.manager.countBy(AuditEvent, { organizationId, action: 'organizationUser.remove' })).toBe(1)
    }
    const { actor } = (await as(first.users.owner).get('/audit-events?action=apiKey.create')).body.member[0]
    expect((await as(first.users.owner).get(actor)).body).toMatchObject({ name: 'Erased user', email: null })
  })

  test('hides from the audit log which employee the user was', async () => {
    const { user, erase } = await member([[{ organization }, 'member']])
    const { users } = await foundTenant('Employer', 'employer')
    await given(OrganizationUser, {
      userId: user.id,
      name: user.name,
      organizationId: (await membershipOf(users.owner)).organizationId,
    })
    const { body } = await as(users.owner)
      .post('/employees', { name: 'Kept', user: `/users/${user.id}` })
      .expect(201)
    await erase().expect(201)
    expect(await eventsOf(body['@id'])).toMatchObject([
      { changes: { name: [null, 'Kept'], userId: [null, '[erased]'] } },
    ])
  })

  test('is refused for the last owner of an organization that is not closed, and then nothing has changed', async () => {
    const [kept, other] = [await foundTenant('Kept', 'kept-last'), await foundTenant('Other', 'other-last')]
    const { user, agent, erase } = await member([
      [other, 'member'],
      [kept, 'owner'],
    ])
    await database.manager.delete(OrganizationUser, {
      organizationId: kept.organization.id,
      userId: kept.users.owner.id,
    })
    const { body } = await erase().expect(409)
    expect(body.detail).toBe(
      'You are the last owner of Kept: make another member an owner, or close the organization, then repeat this.',
    )
    expect(await rowOf(user)).toMatchObject({ name: user.name, subject: user.subject })
    expect(await database.manager.countBy(OrganizationUser, { userId: user.id })).toBe(2)
    const closing = as(user, { organization: kept.organization.id })
    await closing.post('/organizations/close', { confirm: 'kept-last' }).expect(201)
    await erase().expect(201)
    await agent.get('/users/me').expect(404)
  })

  test('leaves one owner where all owners erase themselves at once', async () => {
    const tenant = await foundTenant('Crowded', 'crowded')
    const { users } = tenant
    const others = [await member([[tenant, 'owner']]), await member([[tenant, 'owner']])]
    await database.manager.delete(OrganizationUser, { userId: users.owner.id })
    const statuses = (await Promise.all(others.map(({ erase }) => erase()))).map(({ status }) => status)
    expect(statuses.sort()).toEqual([201, 409])
    const left = { organizationId: tenant.organization.id, role: 'owner' as const }
    expect(await database.manager.countBy(OrganizationUser, left)).toBe(1)
  })

  test('is also for guests, and for the people of a suspended organization, but neither for the operator nor for programs', async () => {
    const suspended = await foundTenant('Suspended', 'suspended-left')
    const [guest, inside] = [await member([]), await member([[suspended, 'member']])]
    await as(operator).patch(`/organizations/${suspended.organization.id}`, { status: 'suspended' }).expect(200)
    for (const { agent, erase } of [guest, inside]) {
      expect((await agent.get('/users/me')).body.erase).toBe('/users/me/erase')
      await erase().expect(201)
    }
    await as(operator).post('/users/me/erase', { confirm: 'operator' }).expect(403)
    await as().post('/users/me/erase', { confirm: 'x' }).expect(401)
  })

  test('shows its link on the own user alone', async () => {
    const { user, agent } = await member([[{ organization }, 'owner']])
    const { user: other } = await member([[{ organization }, 'member']])
    expect((await agent.get(`/users/${user.id}`)).body.erase).toBe('/users/me/erase')
    expect((await agent.get(`/users/${other.id}`)).body).not.toHaveProperty('erase')
  })

  test('is confirmed by the email address, and by the name of a user without one', async () => {
    const { user, erase } = await member([])
    for (const wrong of [user.name, 'other@persons.example', '', null]) {
      const { status, body } = await erase(wrong)
      expect([status, body.violations[0].propertyPath]).toEqual([422, 'confirm'])
    }
    await erase(user.email?.toUpperCase()).expect(201)
    const nameless = await person('addressless')
    await as(nameless).post('/users/me/erase', { confirm: 'x' }).expect(422)
    await as(nameless).post('/users/me/erase', { confirm: 'addressless' }).expect(201)
  })

  test('with an Idempotency-Key gets one response twice; a repetition without one finds no user', async () => {
    const { user, agent, erase } = await member([[{ organization }, 'member']])
    const keyed = () => erase().set('Idempotency-Key', 'erase-me')
    const first = await keyed().expect(201)
    const second = await keyed().expect(201)
    expect([second.headers['idempotent-replayed'], second.body]).toEqual(['true', first.body])
    await erase().expect(404)
    expect(await eventsOf(`/users/${user.id}`)).toHaveLength(1)
    const { body } = await agent.post('/organizations', { name: `New ${user.subject}` }).expect(201)
    const [membership] = body.organizationUsers
    expect(membership.user).not.toBe(`/users/${user.id}`)
  })

  test('by its form leads to the start page, where the person is signed in no more', async () => {
    const { user } = await member([[{ organization }, 'member']])
    const browser = new Browser(server)
    await browser.signIn(await tokenOf(user))
    const form = load((await browser.open('/users/me?view=erase').expect(200)).text)('form.operation')
    const fields = form.serializeArray().map(({ name, value }): [string, string] => [name, value])
    const filled = [...fields.filter(([name]) => name !== 'confirm'), ['confirm', user.email]] as [string, string][]
    const { headers } = await browser.submit(form.attr('action') as string, filled).expect(303)
    expect(headers.location).toBe('/')
    expect((await browser.open('/').expect(200)).text).toContain('/session')
    await browser.open('/users/me').expect(401)
    expect((await rowOf(user)).name).toBe('Erased user')
  })

  test('is whole or not at all: a failure at the end leaves the sessions and memberships', async () => {
    const { user, erase } = await member([[{ organization }, 'admin']])
    await database.query(
      `CREATE FUNCTION "stumble"() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'stumbled'; END $$`,
    )
    await database.query(`CREATE TRIGGER "stumbles" BEFORE UPDATE ON "user" EXECUTE FUNCTION "stumble"()`)
    try {
      await erase().expect(500)
    } finally {
      await database.query(`DROP FUNCTION "stumble" CASCADE`)
    }
    expect(await database.manager.countBy(OrganizationUser, { userId: user.id })).toBe(1)
    expect(await eventsOf(`/users/${user.id}`)).toEqual([])
    await erase().expect(201)
  })
})

function membershipOf({ id: userId }: User): Promise<OrganizationUser> {
  return database.manager.findOneByOrFail(OrganizationUser, { userId })
}
