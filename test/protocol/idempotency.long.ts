import type { PostgresDriver } from 'typeorm/driver/postgres/PostgresDriver.js'
import {
  IdempotencyKey,
  Location,
  Meeting,
  Organization,
  OrganizationUser,
  Subscription,
} from '../../entities/index.ts'
import { Api } from '../../src/hydra/index.ts'
import { expectProblem } from '../support/requests/raw-responses.ts'
import { snapshot } from '../support/rows/database-snapshot.ts'
import { morning, openWorld } from '../support/world.ts'

const { api, as, database, elsewhere, given, givenAddress, operator, person, tenant } = await openWorld()

let keys = 0
const newKey = () => `key-${++keys}`
const createLocation = (name: string, key: string, by = api) =>
  by.post('/locations', { name }).set('Idempotency-Key', key)
const countLocations = (name: string) => database.manager.countBy(Location, { name })
const countClaims = (key: string) => database.manager.countBy(IdempotencyKey, { key })

test('two requests with one key run once and get the same response', async () => {
  const key = newKey()
  const first = await createLocation('Delft', key)
  const before = await snapshot()
  const again = await createLocation('Delft', key)

  expect([first.status, again.status]).toEqual([201, 201])
  expect(again.text).toBe(first.text)
  for (const name of ['location', 'content-location', 'etag', 'content-type', 'accept-patch'])
    expect([name, again.headers[name]]).toEqual([name, first.headers[name]])
  expect(first.headers).not.toHaveProperty('idempotent-replayed')
  expect(again.headers['idempotent-replayed']).toBe('true')
  expect(await snapshot()).toEqual(before)
})

test('a hundred concurrent requests with one key run once and get the same response in the end', async () => {
  const key = newKey()
  const answers = await Promise.all(Array.from({ length: 100 }, () => createLocation('Gouda', key)))
  const late = answers.filter(({ status }) => status !== 201)
  for (const answer of late) {
    expectProblem(answer as never, 409, 503)
    expect(answer.headers['retry-after']).toMatch(/^\d+$/)
  }
  for (const _ of late) answers.push(await createLocation('Gouda', key))

  const created = answers.filter(({ status }) => status === 201)
  expect(created).toHaveLength(100)
  expect(new Set(created.map(({ text }) => text)).size).toBe(1)
  expect(created.filter(({ headers }) => headers['idempotent-replayed'])).toHaveLength(99)
  expect(await countLocations('Gouda')).toBe(1)
})

test('a key of another body or path is refused', async () => {
  const key = newKey()
  const first = await createLocation('Leiden', key)
  const before = await snapshot()
  for (const other of [
    createLocation('Haarlem', key),
    api.post('/locations', { name: 'Leiden', officeOpenHour: 8 }).set('Idempotency-Key', key),
    api.post('/employees', { name: 'Leiden' }).set('Idempotency-Key', key),
    api.post('/locations?x=1', { name: 'Leiden' }).set('Idempotency-Key', key),
  ])
    expectProblem((await other) as never, 422)
  expect(await snapshot()).toEqual(before)
  expect((await createLocation('Leiden', key)).text).toBe(first.text)
})

test('the same key of another user or another organization is another key', async () => {
  const key = newKey()
  const own = await createLocation('Zwolle', key)
  const { users } = elsewhere
  expect((await createLocation('Zwolle', key, as(users.owner))).body['@id']).not.toBe(own.body['@id'])
  expectProblem((await createLocation('Zwolle', key, as(tenant.users.admin))) as never, 422)
  expect((await createLocation('Zwolle Zuid', key, as(tenant.users.admin))).status).toBe(201)

  const both = await person('in-both')
  for (const { organization } of [tenant, elsewhere])
    await given(OrganizationUser, { organizationId: organization.id, user: both, name: 'Both', role: 'admin' })
  const acting = ({ organization: { id } }: typeof tenant) => as(both, { organization: id })
  const mine = await createLocation('Assen', key, acting(tenant))
  const theirs = await createLocation('Assen', key, acting(elsewhere))
  expect([mine.status, theirs.status]).toEqual([201, 201])
  expect(theirs.body['@id']).not.toBe(mine.body['@id'])
})

test('a user who has moved to another organization gets no response of the previous one', async () => {
  const mover = await person('mover')
  const place = { organizationId: tenant.organization.id, user: mover, name: 'Mover', role: 'admin' as const }
  const membership = await given(OrganizationUser, place)
  const key = newKey()
  expect((await createLocation('Emmen', key, as(mover))).status).toBe(201)
  await database.manager.delete(OrganizationUser, { id: membership.id })
  await given(OrganizationUser, { ...place, organizationId: elsewhere.organization.id })
  await new Promise((resolve) => setTimeout(resolve, 1100))

  const answer = await createLocation('Emmen', key, as(mover))
  expectProblem(answer as never, 422)
})

test('a failed request leaves its key free', async () => {
  const key = newKey()
  expect((await createLocation('', key)).status).toBe(422)
  expect((await createLocation('Delft', key)).status).toBe(422)
  expect((await api.post('/locations', {}).set('Idempotency-Key', key)).status).toBe(422)
  expect((await as(tenant.users.member).post('/locations', { name: 'x' }).set('Idempotency-Key', key)).status).toBe(403)
  const coupon = api.post('/subscriptions/apply-coupon', { code: 'x' }).set('Idempotency-Key', key)
  expect((await coupon).status).toBe(409)
  expect(await countClaims(key)).toBe(0)
  expect((await createLocation('Meppel', key)).status).toBe(201)
})

test('a server that dies before the commit leaves neither the effect nor the claim', async () => {
  const key = newKey()
  const runner = database.createQueryRunner()
  await runner.startTransaction()
  await runner.query('LOCK TABLE "location" IN SHARE MODE')
  const pending = createLocation('Hoorn', key).then((answer) => answer)
  await new Promise((resolve) => setTimeout(resolve, 300))
  const killed = await runner.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%INSERT INTO "location"%'`,
  )
  const answer = await pending
  await runner.rollbackTransaction()
  await runner.release()

  expect(killed).toHaveLength(1)
  expectProblem(answer as never, 503)
  expect([await countClaims(key), await countLocations('Hoorn')]).toEqual([0, 0])
  expect((await createLocation('Hoorn', key)).headers).not.toHaveProperty('idempotent-replayed')
})

test('repetitions get 409 while the first request runs in another process', async () => {
  const key = newKey()
  await createLocation('Sneek', key)
  const runner = database.createQueryRunner()
  await runner.startTransaction()
  await runner.query('SELECT 1 FROM "idempotency_key" WHERE "key" = $1 FOR UPDATE', [key])
  const answer = await createLocation('Sneek', key)
  await runner.rollbackTransaction()
  await runner.release()

  expectProblem(answer as never, 409)
  expect(answer.headers['retry-after']).toBe('1')
  expect((await createLocation('Sneek', key)).status).toBe(201)
})

test('waiting repetitions hold no database connection, and get the first response in the end', async () => {
  const key = newKey()
  const runner = database.createQueryRunner()
  await runner.startTransaction()
  await runner.query('LOCK TABLE "location" IN SHARE MODE')
  const pending = Array.from({ length: 30 }, () => createLocation('Lochem', key).then((answer) => answer))
  await new Promise((resolve) => setTimeout(resolve, 300))
  const start = performance.now()
  const other = await api.get('/meetings')
  const took = performance.now() - start
  await runner.rollbackTransaction()
  await runner.release()

  expect(other.status).toBe(200)
  expect(took).toBeLessThan(500)
  const answers = await Promise.all(pending)
  expect(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size).toBe(1)
  expect(answers[0].status).toBe(201)
})

test('a repetition that waits longer than two seconds gets 409 with Retry-After', async () => {
  const key = newKey()
  const runner = database.createQueryRunner()
  await runner.startTransaction()
  await runner.query('LOCK TABLE "location" IN SHARE MODE')
  const first = createLocation('Ommen', key).then((answer) => answer)
  await new Promise((resolve) => setTimeout(resolve, 1000))
  const others = Array.from({ length: 20 }, () => createLocation('Ommen', key).then((answer) => answer))
  expectProblem((await first) as never, 503)
  await runner.rollbackTransaction()
  await runner.release()
  for (const { status } of await Promise.all(others)) expect([201, 409]).toContain(status)
  expect((await createLocation('Ommen', key)).status).toBe(201)
  expect(await countLocations('Ommen')).toBe(1)
})

test('a key can be used again after a day', async () => {
  const [key, kept] = [newKey(), newKey()]
  await createLocation('Venlo', key)
  await createLocation('Weert', kept)
  const dayAgo = new Date(Date.now() - 24 * 60 * 60 * 1000 - 1000)
  await database.manager.update(IdempotencyKey, { key }, { createdAt: dayAgo })
  const other = await createLocation('Roermond', key)
  expect([other.status, other.body.name]).toEqual([201, 'Roermond'])
  expect((await createLocation('Roermond', key)).headers['idempotent-replayed']).toBe('true')

  await database.manager.update(IdempotencyKey, { key }, { createdAt: dayAgo })
  await Api.deleteExpired((database.driver as PostgresDriver).master)
  expect([await countClaims(key), await countClaims(kept)]).toEqual([0, 1])
})

test('an action runs once for each key too', async () => {
  const address = await givenAddress()
  const { id } = await given(Subscription, { organizationAddress: address, seats: 9 })
  const twice = async (path: string, body: object, by = api) => {
    const key = newKey()
    const ask = () => by.post(path, body).set('Idempotency-Key', key)
    return [await ask(), await ask()]
  }
  await given(Meeting, morning)
  await database.manager.update(Organization, { id: tenant.organization.id }, { demo: true })
  for (const [first, again] of [
    await twice(`/subscriptions/${id}/confirm`, {}, as(operator)),
    await twice(`/subscriptions/${id}/cancel`, { immediately: true }),
    await twice('/organizations/clear', { confirm: 'acme' }),
  ]) {
    expect([first.status, first.headers['idempotent-replayed']]).toEqual([201, undefined])
    expect([again.status, again.headers['idempotent-replayed'], again.text]).toEqual([201, 'true', first.text])
  }
  expect((await api.post(`/subscriptions/${id}/cancel`, {})).status).toBe(200)
})

test('a caller without a user creates one organization, however often it repeats the key', async () => {
  const guest = Object.assign(new (operator.constructor as new () => typeof operator)(), { subject: 'nobody-yet' })
  const key = newKey()
  const ask = () => as(guest).post('/organizations', { name: 'Founded once' }).set('Idempotency-Key', key)
  const first = await ask()
  const again = await ask()

  expect([first.status, again.status, again.text]).toEqual([201, 201, first.text])
  expect(await database.manager.countBy(Organization, { name: 'Founded once' })).toBe(1)
  expect((await as(guest).get('/locations')).status).toBe(200)
})

test.each(['', 'a b', 'sleutel-é', 'x'.repeat(256)])('the key "%s" is refused', async (key) => {
  expectProblem((await createLocation('Nowhere', key)) as never, 400)
  expect(await countLocations('Nowhere')).toBe(0)
})

test.each(['x', '"8e03978e-40d5-43dd-bc93-6894a57f9324"', '!~', 'x'.repeat(255)])(
  'the key %s is accepted',
  async (key) => {
    const name = `Place of ${key.slice(0, 9)} ${key.length}`
    expect((await createLocation(name, key)).status).toBe(201)
    expect((await createLocation(name, key)).status).toBe(201)
    expect(await countLocations(name)).toBe(1)
  },
)

test('a key has no effect on other methods than POST', async () => {
  const { id } = await given(Location, { name: 'Tiel' })
  const patch = (name: string) => api.patch(`/locations/${id}`, { name }).set('Idempotency-Key', 'a b')
  expect((await patch('Tiel Oost')).status).toBe(200)
  expect((await patch('Tiel West')).body.name).toBe('Tiel West')
})
