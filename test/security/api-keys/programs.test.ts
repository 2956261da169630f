import { createServer } from 'node:http'
import type { Test } from 'supertest'
import { Employee, OrganizationUser } from '../../../entities/index.ts'
import { keyCallers } from '../../../src/access/api-keys/key-callers.ts'
import { newSecret } from '../../../src/access/api-keys/secret.ts'
import type { Callers } from '../../../src/access/callers.ts'
import { api as table } from '../../../src/api.ts'
import { createApp } from '../../../src/app.ts'
import { poolsOf } from '../../../src/runtime/database.ts'
import { hashOf } from '../../../src/secrets/secret-hash.ts'
import { Browser } from '../../support/browser.ts'
import { eventually } from '../../support/eventually.ts'
import { openStream } from '../../support/requests/event-stream.ts'
import { eventsAbout } from '../../support/rows/audit-events.ts'
import { givenKey } from '../../support/rows/sample-rows.ts'
import { openWorld } from '../../support/world.ts'
import { created, joined, type Method, send, statusOf } from './programs.ts'

const world = await openWorld()
const { api, as, config, database, elsewhere, foundTenant, given, organization, person, publicUrl, server, served } =
  world
const { banking, billing, services, tenant, tokenOf } = world
const { owner } = tenant.users

/** Another server on the same database, as another process is. */
async function withServer(changes: object, use: (server: ReturnType<typeof createServer>) => Promise<void>) {
  const other = createServer(await createApp({ ...services, config: { ...config, ...changes } }))
  await new Promise<void>((resolve) => other.listen(0, resolve))
  await use(other).finally(() => other.close())
}

/** Does something at another time of this process. The clock of the database stays. */
async function at<T>(time: number, act: () => Promise<T>): Promise<T> {
  const { now } = Date
  Date.now = () => time
  return act().finally(() => {
    Date.now = now
  })
}

describe('a program', () => {
  test('reads and writes as the role of its key', async () => {
    const [writer, reader] = [await created(), await created({ role: 'member' })]
    expect((await send(writer.secret, 'post', '/locations', { name: 'By key' })).status).toBe(201)
    expect((await send(reader.secret, 'get', '/locations')).body.totalItems).toBeGreaterThan(0)
    const refused = await send(reader.secret, 'post', '/locations', { name: 'Refused' })
    expect([refused.status, refused.body.detail]).toEqual([
      403,
      'This is for the role admin or owner; yours is member.',
    ])
    expect(await statusOf(reader.secret, '/api-keys')).toBe(403)
    expect(await statusOf(writer.secret, '/audit-events')).toBe(403)
    expect((await send(reader.secret, 'get', '/meetings')).body.totalItems).toBe(0)
  })

  test('sees its organization, and none of the others of the person who created the key', async () => {
    const { user } = await joined('owner')
    await given(OrganizationUser, { user, name: 'x', role: 'owner', organizationId: elsewhere.organization.id })
    const { body: key } = await as(user, { organization: organization.id }).post('/api-keys', {
      name: 'x',
      role: 'admin',
    })
    const { body } = await send(key.secret, 'get', '/organizations')
    expect(body.member.map(({ id }: { id: string }) => id)).toEqual([organization.id])
    expect(await statusOf(key.secret, `/organizations/${organization.id}`)).toBe(200)
    expect(await statusOf(key.secret, `/organizations/${elsewhere.organization.id}`)).toBe(404)
    const location = (await as(elsewhere.users.owner).post('/locations', { name: 'Theirs' })).body['@id']
    expect(await statusOf(key.secret, location)).toBe(404)
  })

  test('sees of people outside the organization the name alone', async () => {
    const gone = await person('gone', { email: 'gone@example.com' })
    await given(Employee, { name: 'Gone', user: gone })
    const { secret } = await created()
    expect((await send(secret, 'get', `/users/${gone.id}`)).body).toMatchObject({ name: 'gone', email: null })
    expect((await send(secret, 'get', '/users?email=gone@example.com')).body.totalItems).toBe(0)
  })

  const forPeople: [Method, string, object?][] = [
    ['post', '/api-keys', { name: 'Escalated', role: 'admin' }],
    ['patch', '/api-keys/:key', { name: 'Renamed' }],
    ['delete', '/api-keys/:key'],
    ['get', '/users/me'],
    ['patch', '/users/me', {}],
    ['post', '/organizations', { name: 'Founded' }],
    ['post', '/organization-user-invitations', { email: 'accomplice@example.com', role: 'admin' }],
    ['post', '/organization-user-invitations/:id/resend'],
    ['delete', '/organization-user-invitations/:id'],
    ['post', '/organization-user-invitations/accept', { token: 'x' }],
    ['patch', '/organization-users/:id', { role: 'admin' }],
    ['delete', '/organization-users/:id'],
    ['post', '/organizations/export', {}],
    ['post', '/users/me/erase', { confirm: 'x' }],
    ['get', '/webhook-endpoints'],
    ['get', '/webhook-endpoints/:id'],
    ['post', '/webhook-endpoints', { url: 'https://hooks.example.com/' }],
    ['patch', '/webhook-endpoints/:id', { enabled: false }],
    ['delete', '/webhook-endpoints/:id'],
    ['post', '/webhook-endpoints/:id/renew-secret'],
    ['get', '/webhook-deliveries'],
    ['get', '/webhook-deliveries/:id'],
    ['post', '/webhook-deliveries/:id/resend'],
    ['post', '/webhook-deliveries/test', {}],
    ['post', '/organizations/close', { confirm: 'acme' }],
    ['post', '/organizations/reopen'],
    ['post', '/integrations/kontomatik/setup', { redirectUri: 'https://app.example/bank/return' }],
  ]

  test.each(forPeople)('may not %s %s, which is for people', async (...[method, path, body]) => {
    const { secret, iri } = await created()
    const own = path.replace('/api-keys/:key', iri).replace(':id', '01900000-0000-7000-8000-000000000000')
    const refused = await send(secret, method, own, body)
    expect([refused.status, refused.body.detail]).toEqual([
      403,
      'An API key may not do this, because it acts for an organization and for no person: sign in instead.',
    ])
  })

  test('is refused each operation that the table of resources keeps for people', () => {
    const resources = table({ of: () => Promise.reject(), forget() {} } as unknown as Callers, billing, banking)
    const kept = resources.flatMap(({ path, operations }) =>
      operations
        .filter(({ peopleOnly }) => peopleOnly)
        .map((operation) => `${operation.method} ${path}${operation.path}`),
    )
    const tried = forPeople.map(([method, path]) => `${method.toUpperCase()} ${path.replace(':key', ':id')}`)
    expect(tried.toSorted()).toEqual(kept.toSorted())
  })

  test('is shown no link to what is for people', async () => {
    const { secret } = await created()
    const path = `/organizations/${organization.id}`
    const { body } = await send(secret, 'get', path)
    expect(body).toHaveProperty('uploadLogo')
    expect(body).not.toHaveProperty('setupKontomatik')
    expect((await api.get(path)).body).toHaveProperty('setupKontomatik')
  })

  test('is named by the audit log, as the key and not as a person', async () => {
    const { secret, iri } = await created()
    const { body } = await send(secret, 'patch', `/organizations/${organization.id}`, { name: 'Acme by key' })
    expect(body.name).toBe('Acme by key')
    const { body: events } = await api.get(`/audit-events?apiKey=${iri}`)
    expect(events.member).toMatchObject([{ action: 'organization.update', apiKey: iri, actor: null }])
    expect((await api.get(events.member[0].apiKey)).body.name).toBe('Report')
    const made = await eventsAbout(iri)
    expect(made).toMatchObject([{ action: 'apiKey.create', actorId: owner.id, apiKeyId: null }])
    expect(JSON.stringify(made)).not.toContain(secret)
  })

  test('sends a POST once under an Idempotency-Key, which is its own', async () => {
    const [one, other] = [await created(), await created()]
    const post = ({ secret }: typeof one) =>
      send(secret, 'post', '/locations', { name: `Once ${secret.slice(-9)}` }).set('Idempotency-Key', 'same')
    const first = await post(one)
    const again = await post(one)
    expect([again.status, again.headers['idempotent-replayed'], again.body]).toEqual([201, 'true', first.body])
    expect((await post(other)).headers).not.toHaveProperty('idempotent-replayed')
  })

  test('receives the changes of a stream until its key is revoked', async () => {
    const { secret, iri } = await created()
    const authorization = { Authorization: `Bearer ${secret}` }
    const stream = await openStream(`${publicUrl}/.well-known/mercure?topic=/locations`, authorization)
    await eventually(() => expect(stream.lastEventId).not.toBe(''))
    const { body } = await api.post('/locations', { name: 'Streamed' }).expect(201)
    expect(await stream.next()).toMatchObject({ '@id': body['@id'], type: 'create' })
    await api.delete(iri).expect(204)
    await api.patch(body['@id'], { name: 'Not streamed' }).expect(200)
    expect(await stream.rest()).toEqual([])
  })

  test('cannot sign in to the explorer', async () => {
    const { secret } = await created()
    const { text } = await new Browser(server).submit('/session', { token: secret }).expect(401)
    expect(text).toContain('An API key is for programs, and signs no person in: send a token of a person.')
  })

  test('has a rate limit of its own', async () => {
    await withServer({ limits: { usual: 3, few: 3 } }, async (limited) => {
      const [one, other] = [await created(), await created()]
      for (const status of [200, 200, 200, 429])
        expect((await send(one.secret, 'get', '/locations', undefined, limited)).status).toBe(status)
      expect((await send(other.secret, 'get', '/locations', undefined, limited)).status).toBe(200)
    })
  })
})

describe('a wrong key', () => {
  const unknown = 'The API key is unknown, revoked or expired, or its organization is closed: ask an admin.'
  const mistyped = 'The API key is mistyped or incomplete: its checksum does not match. Copy it again.'

  const swapped = (secret: string) => secret.slice(0, 8) + (secret[8] === 'a' ? 'b' : 'a') + secret.slice(9)
  const kinds: [kind: string, change: (secret: string) => string, detail: string][] = [
    ['that was never created', () => newSecret(), unknown],
    ['with another character', swapped, mistyped],
    ['that is cut off', (secret) => secret.slice(0, -1), mistyped],
    ['with one more character', (secret) => `${secret}0`, mistyped],
    ['that is the prefix alone', () => 'orgkey_', mistyped],
    ['that is the stored hash', (secret) => `orgkey_${hashOf(secret).toString('hex').slice(0, 49)}`, mistyped],
  ]

  test.each(kinds)('%s gets 401 with a challenge', async (_, change, detail) => {
    const { secret } = await created()
    const { status, headers, body } = await send(change(secret), 'get', '/locations')
    expect([status, body.detail]).toEqual([401, detail])
    expect(headers['www-authenticate']).toMatch(/^Bearer error="invalid_token", error_description="The API key /)
  })

  test('is refused on public paths too, and beside the cookie of a session', async () => {
    expect((await send(newSecret(), 'get', '/countries')).status).toBe(401)
    const browser = new Browser(server)
    await browser.signIn(await tokenOf(owner))
    expect((await browser.open('/locations').set('Authorization', `Bearer ${newSecret()}`)).status).toBe(401)
  })

  test('waits with other unknown keys, which have one limit, and never before a key that has worked', async () => {
    const [keys, { secret }] = [keyCallers(poolsOf(served).items), await created()]
    await keys.of(secret)
    keys.forget()
    const holder = database.createQueryRunner()
    await holder.startTransaction()
    await holder.query('LOCK TABLE "api_key" IN ACCESS EXCLUSIVE MODE')
    const flood = Array.from({ length: 600 }, () => keys.of(newSecret()).catch(({ status }) => status))
    const known = keys.of(secret)
    await holder.commitTransaction()
    await holder.release()
    expect(await known).toMatchObject({ role: 'admin', tenant: organization.id })
    // Two are sent at most, 512 wait, and the limit refuses the others.
    expect((await Promise.all(flood)).filter((status) => status === 429).length).toBeGreaterThanOrEqual(86)
  })

  test('that has expired gets 401', async () => {
    const secret = newSecret()
    const { id } = await givenKey({ createdBy: owner, hash: hashOf(secret), expiresAt: new Date() })
    expect(await statusOf(secret)).toBe(401)
    expect((await api.get(`/api-keys/${id}`)).body.status).toBe('expired')
  })

  test('that expires while it is cached gets 401', async () => {
    const [secret, expiresAt] = [newSecret(), new Date(Date.now() + 60_000)]
    const { id } = await givenKey({ createdBy: owner, hash: hashOf(secret), expiresAt })
    expect(await at(expiresAt.getTime() - 500, () => statusOf(secret))).toBe(200)
    await database.query(`UPDATE "api_key" SET "expiresAt" = now() WHERE "id" = $1`, [id])
    expect(await at(expiresAt.getTime() - 1, () => statusOf(secret))).toBe(200)
    expect(await at(expiresAt.getTime(), () => statusOf(secret))).toBe(401)
  })
})

describe('a key stops', () => {
  test('at once where it is revoked, and within a second in other processes', async () => {
    await withServer({}, async (other) => {
      const { secret, iri } = await created()
      const elsewhere = async () => (await send(secret, 'get', '/locations', undefined, other)).status
      expect([await statusOf(secret), await elsewhere()]).toEqual([200, 200])
      await api.delete(iri).expect(204)
      const revoked = Date.now()
      expect(await statusOf(secret)).toBe(401)
      expect(await at(revoked + 1001, elsewhere)).toBe(401)
      expect((await api.get(iri)).body).toMatchObject({ status: 'revoked', name: 'Report' })
      await api.delete(iri).expect(204)
      expect((await eventsAbout(iri)).map(({ action }) => action)).toEqual(['apiKey.create', 'apiKey.revoke'])
    })
  })

  const endings: [how: string, end: (membership: string) => Test][] = [
    ['is removed', (membership) => api.delete(membership)],
    ['is suspended', (membership) => api.patch(membership, { status: 'suspended' })],
    ['becomes a member', (membership) => api.patch(membership, { role: 'member' })],
  ]

  test.each(endings)('when the person who created it %s', async (_, end) => {
    const { user, membership } = await joined('admin')
    const [{ secret, iri }, kept] = [await created({}, user), await created()]
    expect(await statusOf(secret)).toBe(200)
    expect((await end(membership)).status).toBeLessThan(300)
    expect([await statusOf(secret), await statusOf(kept.secret)]).toEqual([401, 200])
    const { body } = await api.get(iri)
    expect(body.status).toBe('revoked')
    expect((await api.get(body.createdBy)).body.name).toBe(user.name)
    expect((await eventsAbout(iri)).at(-1)).toMatchObject({ action: 'apiKey.revoke', actorId: owner.id })
  })

  test('for good: the person who returns creates another', async () => {
    const { user, membership } = await joined('admin')
    const { secret } = await created({}, user)
    await api.patch(membership, { status: 'suspended' }).expect(200)
    await api.patch(membership, { status: 'active' }).expect(200)
    expect(await statusOf(secret)).toBe(401)
    const other = await created({}, user)
    expect([await statusOf(other.secret), await statusOf(secret)]).toEqual([200, 401])
  })

  test('where the membership of that person ends in any other way', async () => {
    const { user, id } = await joined('admin')
    const { secret } = await created({}, user)
    await database.query(`UPDATE "organization_user" SET "role" = 'member' WHERE "id" = $1`, [id])
    expect(await statusOf(secret)).toBe(401)
  })

  test('not where an owner becomes an admin, who may create it too', async () => {
    const { user, membership } = await joined('owner')
    const { secret } = await created({}, user)
    await api.patch(membership, { role: 'admin' }).expect(200)
    expect(await statusOf(secret)).toBe(200)
  })

  test.each(['suspended', 'closed'])('writing while the organization is %s, when it can be revoked', async (status) => {
    const { organization: paused, users } = await foundTenant(status, `keys-${status}`)
    const { secret, iri } = await created({}, users.owner)
    await database.query(`UPDATE "organization" SET "status" = $1 WHERE "id" = $2`, [status, paused.id])
    const refused = await send(secret, 'post', '/locations', { name: 'Late' })
    expect([refused.status, refused.body.detail]).toEqual([403, expect.stringContaining(`organization is ${status}`)])
    expect(await statusOf(secret)).toBe(200)
    // The lock of the organization refuses it with 409 where the caller was identified before the end.
    expect([403, 409]).toContain((await as(users.owner).post('/api-keys', { name: 'Late' })).status)
    await as(users.owner).delete(iri).expect(204)
    expect(await statusOf(secret)).toBe(401)
  })
})
