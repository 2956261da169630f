import { hash } from 'node:crypto'
import { ApiKey, IdempotencyKey } from '../../../entities/index.ts'
import { newSecret } from '../../../src/access/api-keys/secret.ts'
import { hashOf } from '../../../src/secrets/secret-hash.ts'
import { Browser } from '../../support/browser.ts'
import { eventually } from '../../support/eventually.ts'
import { givenKey } from '../../support/rows/sample-rows.ts'
import { openWorld } from '../../support/world.ts'
import { created, statusOf } from './programs.ts'

const { api, as, database, elsewhere, foundTenant, server, tenant, tokenOf } = await openWorld()
const { admin, owner } = tenant.users

const inDays = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString()

describe('the secret', () => {
  test('is in the response that creates the key, in no later one, and not in the database', async () => {
    const response = await api.post('/api-keys', { name: 'Nightly report' }).expect(201)
    const { secret, '@id': iri, hint } = response.body
    expect(response.headers['cache-control']).toBe('private, no-store')
    expect(response.headers.location).toBe(iri)
    expect(hint).toBe(`orgkey_…${secret.slice(-4)}`)
    expect(response.body).toMatchObject({
      ...{ '@type': 'ApiKey', name: 'Nightly report', role: 'member', status: 'active' },
      ...{ lastUsedAt: null, createdBy: `/users/${owner.id}` },
    })
    for (const path of [iri, '/api-keys', '/api-keys.csv']) {
      const { text, headers } = await api.get(path).expect(200)
      expect(text).not.toContain(secret)
      expect(headers['cache-control']).toBe('private, no-store')
    }
    expect((await api.get(iri)).body.secret).toBeNull()
    expect((await api.patch(iri, { name: 'Renamed' })).body).toMatchObject({ name: 'Renamed', secret: null })
    const [{ row }] = await database.query(`SELECT to_jsonb("api_key") AS "row" FROM "api_key" WHERE "id" = $1`, [
      iri.split('/').at(-1),
    ])
    expect(JSON.stringify(row)).not.toContain(secret)
    expect(row.hash).toBe(`\\x${hash('sha256', secret, 'hex')}`)
  })

  test('has a prefix for scanners, 256 random bits and a checksum', async () => {
    const { secret } = await created()
    expect(secret).toMatch(/^orgkey_[0-9A-Za-z]{49}$/)
    const secrets = Array.from({ length: 200 }, newSecret)
    expect(new Set(secrets).size).toBe(200)
    // 43 digits of base 62 hold 256 bits. Each of them varies, also the first.
    for (let place = 7; place < 50; place++)
      expect(new Set(secrets.map((each) => each[place])).size).toBeGreaterThan(10)
  })

  test('is neither stored for an Idempotency-Key nor repeated, and the repetition creates no second key', async () => {
    const name = 'Idempotent'
    const post = () => api.post('/api-keys', { name }).set('Idempotency-Key', 'create-a-key')
    const first = (await post().expect(201)).body
    const again = await post().expect(201)
    expect(again.headers['idempotent-replayed']).toBe('true')
    expect(again.body).toEqual({ ...first, secret: null })
    expect(first.secret).toMatch(/^orgkey_/)
    expect(await database.manager.countBy(ApiKey, { name })).toBe(1)
    const stored = await database.manager.findOneByOrFail(IdempotencyKey, { key: 'create-a-key' })
    expect(JSON.stringify(stored)).not.toContain(first.secret)
  })

  test('is in the response even where the client prefers none', async () => {
    for (const type of ['application/ld+json', 'application/json', 'text/turtle']) {
      const { headers, text } = await api
        .post('/api-keys', { name: 'Minimal' })
        .set({ Prefer: 'return=minimal', Accept: type })
        .expect(201)
      expect(text).toMatch(/orgkey_[0-9A-Za-z]{49}/)
      expect(headers).not.toHaveProperty('preference-applied')
    }
  })

  test('is shown to a person whose form creates the key, once', async () => {
    const browser = new Browser(server)
    await browser.signIn(await tokenOf(admin))
    const fields = {
      _token: await browser.formToken(),
      _key: 'one-form',
      name: 'By form',
      role: 'member',
      expiresAt: '',
    }
    const { text, headers } = await browser.submit('/api-keys', fields).expect(201)
    const [secret] = /orgkey_[0-9A-Za-z]{49}/.exec(text) as string[]
    expect(headers['cache-control']).toContain('no-store')
    expect(await statusOf(secret)).toBe(200)
    const again = await browser.submit('/api-keys', fields)
    expect([again.status, again.text.includes(secret)]).toEqual([201, false])
    const { text: list } = await browser.open('/api-keys').expect(200)
    expect(list).toContain('By form')
    expect(list).not.toContain(secret)
  })
})

describe('the properties of a key', () => {
  test('a key without "expiresAt" expires after 90 days', async () => {
    const { body } = await created()
    expect(Math.round((Date.parse(body.expiresAt) - Date.now()) / 86_400_000)).toBe(90)
  })

  test.each([
    ['of yesterday', inDays(-1)],
    ['of more than a year ahead', inDays(367)],
    ['that is no date', 'never'],
    ['that is null', null],
  ])('an expiry %s is refused', async (_, expiresAt) => {
    const { status, body } = await api.post('/api-keys', { name: 'Refused', expiresAt })
    expect([status, body.violations?.[0].propertyPath]).toEqual([422, 'expiresAt'])
  })

  test.each(['owner', 'operator', 'guest', 'anonymous'])('the role %s is given to no key', async (role) => {
    const { status, body } = await api.post('/api-keys', { name: 'Refused', role })
    expect([status, body.violations?.[0].propertyPath]).toEqual([422, 'role'])
  })

  test('a PATCH changes the name, and neither the role nor the expiry', async () => {
    const { iri, body } = await created({ role: 'member' })
    const patch = { name: 'Renamed', role: 'admin', expiresAt: inDays(300), createdBy: `/users/${admin.id}` }
    const { role, expiresAt, createdBy } = body
    expect((await api.patch(iri, patch)).body).toMatchObject({ name: 'Renamed', role, expiresAt, createdBy })
    expect((await api.patch(iri, patch).set('Prefer', 'handling=strict')).status).toBe(422)
  })

  test('a member neither lists, reads, creates nor revokes keys, and another organization finds none', async () => {
    const { iri } = await created()
    const member = as(tenant.users.member)
    const refused = [
      member.get('/api-keys'),
      member.get(iri),
      member.post('/api-keys', { name: 'x' }),
      member.delete(iri),
    ]
    for (const answer of refused) expect((await answer).status).toBe(403)
    const stranger = as(elsewhere.users.owner)
    for (const answer of [stranger.get(iri), stranger.patch(iri, { name: 'x' }), stranger.delete(iri)])
      expect((await answer).status).toBe(404)
    expect((await stranger.get('/api-keys')).body.totalItems).toBe(0)
  })

  test('an organization has at most 100 active keys', async () => {
    const { organization: full, users } = await foundTenant('Full', 'full')
    await database.query(
      `INSERT INTO "api_key" ("id", "createdAt", "updatedAt", "version", "organizationId", "name", "role", "expiresAt",
         "createdById", "hint", "hash")
       SELECT gen_random_uuid(), now(), now(), 1, $1, 'Key', 'member', now() + interval '1 day', $2, '', sha256(n::text::bytea)
         FROM generate_series(1, 99) n`,
      [full.id, users.owner.id],
    )
    const [expired, revoked] = [{ expiresAt: new Date() }, { revokedAt: new Date() }]
    const own = { organizationId: full.id, createdBy: users.owner }
    const [, , { id: last }] = [
      await givenKey({ ...own, ...expired }),
      await givenKey({ ...own, ...revoked }),
      await givenKey(own),
    ]
    const refused = await as(users.owner).post('/api-keys', { name: 'One more' })
    expect([refused.status, refused.body.detail]).toEqual([
      409,
      'The organization has 100 active API keys, which is the limit: revoke one first.',
    ])
    await as(users.owner).delete(`/api-keys/${last}`).expect(204)
    expect((await as(users.owner).post('/api-keys', { name: 'One more' })).status).toBe(201)
  })
})

describe('the last use', () => {
  const usedAt = async (id: string) => (await database.manager.findOneByOrFail(ApiKey, { id })).lastUsedAt?.getTime()

  const lastUsed = async (secondsAgo: number) => {
    const [secret, lastUsedAt] = [newSecret(), new Date(Date.now() - secondsAgo * 1000)]
    const { id } = await givenKey({ createdBy: owner, hash: hashOf(secret), lastUsedAt })
    return { secret, id, time: lastUsedAt.getTime() }
  }

  test('is noted without a change of the version', async () => {
    const { secret, iri } = await created()
    const { headers } = await api.get(iri)
    expect(await statusOf(secret)).toBe(200)
    await eventually(
      async () => (await api.get(iri)).body.lastUsedAt,
      (time) => expect(time).not.toBeNull(),
    )
    await api.patch(iri, { name: 'Used' }).set('If-Match', headers.etag).expect(200)
  })

  test('is noted once a minute', async () => {
    const [recent, old] = [await lastUsed(5), await lastUsed(90)]
    expect([await statusOf(recent.secret), await statusOf(old.secret)]).toEqual([200, 200])
    await eventually(
      () => usedAt(old.id),
      (time) => expect(time).toBeGreaterThan(old.time),
    )
    expect(await usedAt(recent.id)).toBe(recent.time)
  })
})
