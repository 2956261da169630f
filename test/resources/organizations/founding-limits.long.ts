import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import request from 'supertest'
import { Organization, OrganizationUser, OrganizationUserInvitation, User } from '../../../entities/index.ts'
import { createApp } from '../../../src/app.ts'
import { readConfig } from '../../../src/config.ts'
import { openWorld } from '../../support/world.ts'

const { as, config, database, elsewhere, given, operator, services, tenant, tokenOf } = await openWorld()

/*
 * OWASP API4 and API6: operations that cost others are limited by user and by address.
 * The same fault can occur in each operation of that kind: founding, invitations, uploads, coupons, tokens.
 * It can occur for a user with many organizations or addresses, and for many users behind one address.
 * It can occur for simultaneous requests, and in each way to become an owner.
 */
const quota = 10
let count = 0
const newcomer = () => Object.assign(new User(), { subject: `founder-${++count}` })
const found = (user: User) => as(user).post('/organizations', { name: `Founded ${++count}` })
const owned = (subject: string) => database.manager.countBy(OrganizationUser, { user: { subject }, role: 'owner' })
const tally = (answers: { status: number }[]) =>
  [201, 409, 429].map((status) => answers.filter((answer) => answer.status === status).length)

describe('A user owns a limited number of organizations,', () => {
  test('so the next one is refused with 409, with the number and the remedy', async () => {
    const founder = newcomer()
    for (let number = 0; number < quota; number++) await found(founder).expect(201)
    const { status, body } = await found(founder)
    expect([status, body.detail]).toEqual([
      409,
      'You own 10 organizations, and 10 is the limit: leave one to another owner, or close one.',
    ])
    expect(await owned(founder.subject)).toBe(quota)
  })

  test('however many requests come at the same moment', async () => {
    const founder = newcomer()
    const answers = await Promise.all(Array.from({ length: 20 }, () => found(founder)))
    expect(tally(answers)).toEqual([quota, 20 - quota, 0])
    expect(await owned(founder.subject)).toBe(quota)
  })

  test('not counting those that are closed, or that it is no owner of', async () => {
    const { founder, found } = await served(2)
    const organizations = [(await found()).body, (await found()).body]
    await as(operator).patch(organizations[0]['@id'], { status: 'suspended' }).expect(200)
    expect((await found()).status).toBe(409)
    await as(operator).patch(organizations[0]['@id'], { status: 'closed' }).expect(200)
    expect((await found()).status).toBe(201)
    expect((await found()).status).toBe(409)
    const { id: userId } = await database.manager.findOneByOrFail(User, { subject: founder.subject })
    await database.manager.update(OrganizationUser, { userId, organizationId: organizations[1].id }, { role: 'admin' })
    expect((await found()).status).toBe(201)
  })

  test('counting those that others have made it an owner of', async () => {
    const { founder, found } = await served(2)
    expect((await found()).status).toBe(201)
    const { id: userId } = await database.manager.findOneByOrFail(User, { subject: founder.subject })
    await given(OrganizationUser, { organizationId: elsewhere.organization.id, userId, name: 'founder', role: 'owner' })
    expect((await found()).status).toBe(409)
  })

  test('and a request that is repeated with its key is not counted twice', async () => {
    const { found } = await served(1)
    const [first, again] = [await found('once'), await found('once')]
    expect([first.status, again.status, again.body]).toEqual([201, 201, first.body])
  })

  test('which is a setting', () => {
    expect(readConfig({ OWNED_ORGANIZATIONS: '25' }).ownedOrganizations).toBe(25)
    for (const value of ['0', '-1', '1.5', 'many'])
      expect(() => readConfig({ OWNED_ORGANIZATIONS: value })).toThrow('OWNED_ORGANIZATIONS must be a whole number')
  })
})

/** A server with a quota of its own, and a newcomer who founds organizations there. */
async function served(ownedOrganizations: number) {
  const server = await serve({ ownedOrganizations })
  const founder = newcomer()
  const found = (key = `founded-${++count}`) =>
    send(server, founder, '/organizations', { name: key }, {}, { 'Idempotency-Key': key })
  return { founder, found }
}

const limits = { usual: 1000, few: 3 }
const servers: Server[] = []
afterEach(async () => {
  for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve))
})

/** A server that has not counted anything yet, behind a proxy that names addresses. */
async function serve(settings: Partial<Parameters<typeof createApp>[0]['config']>): Promise<Server> {
  const app = await createApp({ ...services, config: { ...config, trustProxy: true, ...settings } })
  const server = app.listen(0)
  servers.push(server)
  return server
}

async function send(server: Server, user: User, path: string, body: object, claims = {}, headers = {}) {
  return request(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
    .post(path)
    .set('Authorization', `Bearer ${await tokenOf(user, claims)}`)
    .set({ 'X-Forwarded-For': `192.0.2.${++count % 250}`, ...headers })
    .send(body)
}

/** Operations of the kind, with a body that is refused after it was counted. */
const kinds: [path: string, body: object][] = [
  ['/organizations', { name: '' }],
  ['/organizations/logo', {}],
  ['/organizations/icon', {}],
  ['/organization-user-invitations', { email: 'nobody' }],
  ['/organization-user-invitations/01a20875-79eb-73e0-a38f-a6d71d19c1b3/resend', {}],
  ['/organization-user-invitations/accept', { token: 'guess' }],
  ['/subscriptions/apply-coupon', { code: 'GUESS' }],
]

describe('operations that cost others are counted', () => {
  test.each(kinds)('by user, wherever its requests come from: POST %s', async (path, body) => {
    const server = await serve({ limits })
    const statuses = []
    for (let number = 0; number <= limits.few; number++)
      statuses.push((await send(server, tenant.users.owner, path, body)).status === 429)
    expect(statuses).toEqual([false, false, false, true])
    expect((await send(server, tenant.users.admin, path, body)).status).not.toBe(429)
  })

  test.each(kinds)('by address, whichever user sends: POST %s', async (path, body) => {
    const server = await serve({ limits })
    const users = [tenant.users.owner, tenant.users.admin, tenant.users.member, newcomer(), newcomer()]
    const limited = async (user: User, from: string) =>
      (await send(server, user, path, body, {}, { 'X-Forwarded-For': from })).status === 429
    const statuses = []
    for (const user of users.slice(0, 4)) statuses.push(await limited(user, '198.51.100.1'))
    expect(statuses).toEqual([false, false, false, true])
    expect(await limited(users[4], '198.51.100.1')).toBe(true)
    expect(await limited(users[4], '198.51.100.2')).toBe(false)
  })

  test('by user, whichever organization it acts for', async () => {
    const server = await serve({ limits })
    const founder = newcomer()
    const ids = []
    for (let number = 0; number < 4; number++) ids.push((await found(founder)).body.id)
    const path = '/organization-user-invitations'
    const statuses = []
    for (const organization of ids)
      statuses.push((await send(server, founder, path, { email: 'mia@example.com' }, { organization })).status)
    expect(statuses).toEqual([201, 201, 201, 429])
    expect(await database.manager.countBy(OrganizationUserInvitation, { email: 'mia@example.com' })).toBe(3)
  })

  test('and a refused user does not use up what its address has left', async () => {
    const server = await serve({ limits: { usual: 1000, few: 4 } })
    const [path, body] = kinds[5]
    const office = { 'X-Forwarded-For': '192.0.2.251' }
    for (let number = 0; number < 3; number++) await send(server, tenant.users.owner, path, body, {}, office)
    for (let number = 0; number < 9; number++) await send(server, tenant.users.owner, path, body)
    expect((await send(server, tenant.users.owner, path, body, {}, office)).status).toBe(429)
    expect((await send(server, tenant.users.admin, path, body, {}, office)).status).toBe(422)
  })
})

test('organizations are founded a few times an hour, and a refusal says how long to wait', async () => {
  const now = Date.now
  try {
    const server = await serve({ limits })
    const founder = newcomer()
    const post = () => send(server, founder, '/organizations', { name: `Hourly ${++count}` })
    const first = await post()
    expect([first.status, first.headers['ratelimit-policy']]).toEqual([201, '"few";q=3;w=60'])
    for (let number = 1; number < limits.few; number++) expect((await post()).status).toBe(201)
    expect((await post()).body.detail).toMatch(
      /^More than 3 requests of this kind were sent in a minute\. Retry in \d+ seconds\.$/,
    )
    Date.now = () => now() + 2 * 60_000
    const { status, headers, body } = await post()
    expect([status, headers['ratelimit-policy']]).toEqual([429, '"hourly";q=3;w=3600'])
    expect(body.detail).toMatch(
      /^More than 3 requests of this kind were sent in an hour\. Retry in 3[45]\d\d seconds\.$/,
    )
    expect(Number(headers['retry-after'])).toBeGreaterThan(3400)
    expect(await database.manager.countBy(Organization, { name: `Hourly ${count}` })).toBe(0)
  } finally {
    Date.now = now
  }
})
