import '../../support/pooler/pooled-world.ts'
import { Client } from 'pg'
import { pino } from 'pino'
import { Employee, IdempotencyKey, Location, Meeting, OrganizationConfig } from '../../../entities/index.ts'
import { changeNotifier, listenForChanges } from '../../../src/runtime/change-notifications.ts'
import { poolsOf } from '../../../src/runtime/database.ts'
import { picture } from '../../images/sample-images.ts'
import { dashboard, deliverEvents, eventuallyMatches, subscribed } from '../../support/billing/stripe.ts'
import { eventually } from '../../support/eventually.ts'
import { pooledWorld } from '../../support/pooler/pooled-world.ts'
import { openStream } from '../../support/requests/event-stream.ts'
import { expectProblem } from '../../support/requests/raw-responses.ts'

const { api, as, database, databaseName, elsewhere, given, organization, pooler, publicUrl, served, tenant, tokenOf } =
  pooledWorld

const employee = await given(Employee, { name: 'Mia' })
const location = await given(Location, { name: 'Quay' })
const path = `/locations/${location.id}`
const planned = { employee: `/employees/${employee.id}` }
const at = (hour: number) => ({
  dateFrom: `2026-04-01T${hour}:00:00Z`,
  dateTo: `2026-04-01T${hour + 1}:00:00Z`,
})

test('a resource is created, listed with filters and changed', async () => {
  const { status, headers, body } = await api.post('/meetings', { ...at(10), ...planned, notes: 'Plans' })
  expect([status, headers.location]).toEqual([201, body['@id']])
  expect(body).toMatchObject({ ...planned, ...at(10) })
  const query = `employee=${planned.employee}&dateFrom[after]=2026-04-01T09:00:00Z&order[dateFrom]=desc`
  for (let n = 0; n < 3; n++)
    expect((await api.get(`/meetings?${query}`)).body).toMatchObject({ totalItems: 1, member: [planned] })
  expect((await api.get('/meetings?q=plans')).body.member).toHaveLength(1)

  const changed = await api.patch(body['@id'], { notes: 'Changed' })
  expect([changed.status, changed.body.notes]).toEqual([200, 'Changed'])
  const stale = await api.patch(body['@id'], { notes: 'Stale' }).set('If-Match', '"0"')
  expect(stale.status).toBe(412)
})

test('a reference to a row of another tenant is a violation', async () => {
  const foreign = await given(Employee, { organizationId: elsewhere.organization.id, name: 'Hidden' })
  const { status, body } = await api.post('/meetings', { ...at(12), employee: `/employees/${foreign.id}` })
  expect([status, body.violations]).toEqual([422, [expect.objectContaining({ propertyPath: 'employee' })]])
})

test('of simultaneous meetings that overlap, one is created', async () => {
  const key = { organizationId: organization.id, key: 'meetingOverlap' }
  const config = await database.manager.findOneByOrFail(OrganizationConfig, key)
  await api.patch(`/organization-configs/${config.id}`, { value: 'reject' }).expect(200)
  const answers = await Promise.all(Array.from({ length: 8 }, () => api.post('/meetings', { ...at(14), ...planned })))
  expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array(7).fill(409)])
  expect(await database.manager.countBy(Meeting, { dateFrom: new Date(at(14).dateFrom) })).toBe(1)
})

test('a POST with an Idempotency-Key is done once', async () => {
  const send = () => api.post('/locations', { name: 'Once' }).set('Idempotency-Key', 'behind-a-pooler')
  const answers = await Promise.all(Array.from({ length: 4 }, send))
  expect(new Set(answers.map(({ status, headers }) => `${status} ${headers.location}`)).size).toBe(1)
  expect(await database.manager.countBy(Location, { name: 'Once' })).toBe(1)
  expect(await database.manager.countBy(IdempotencyKey, { key: 'behind-a-pooler' })).toBe(1)
})

test('an upload is stored and served', async () => {
  const bytes = await picture(20).png().toBuffer()
  const { status, body } = await api.post('/organizations/icon').attach('file', bytes, 'icon.png')
  expect(status).toBe(201)
  const image = await as().get(body.icon)
  expect([image.status, image.headers['content-type']]).toEqual([200, 'image/png'])
})

test('a subscription is paid, and events of Stripe and jobs keep it current', async () => {
  await deliverEvents()
  const subscriber = await subscribed()
  await eventuallyMatches(subscriber, subscriber.path, { status: 'active' })
  await dashboard.subscriptions.cancel(subscriber.externalId)
  await eventuallyMatches(subscriber, subscriber.path, { status: 'canceled' })
})

test('times are in UTC where the database has another time zone', async () => {
  await database.query(`ALTER DATABASE "${databaseName}" SET TimeZone = 'America/New_York'`)
  for (const server of pooler.servers) server.close()
  const { body } = await api.post('/meetings', { ...at(16), ...planned })
  for (let n = 0; n < 3; n++) expect((await api.get(body['@id'])).body).toMatchObject(at(16))
  expect(await served.query(`SELECT current_setting('TimeZone') AS "zone"`)).toEqual([{ zone: 'UTC' }])
  await database.query(`ALTER DATABASE "${databaseName}" RESET TimeZone`)
})

test('streams listen on Postgres itself, so a notification reaches them without the poll', async () => {
  const stream = await openStream(`${publicUrl}/.well-known/mercure?topic=/locations`, {
    Authorization: `Bearer ${await tokenOf(tenant.users.owner)}`,
  })
  expect(stream.status).toBe(200)
  const listeners = `SELECT "pid" FROM pg_stat_activity WHERE "datname" = $1 AND "query" = 'LISTEN "change"'`
  const [{ pid }] = await eventually(
    () => database.query(listeners, [databaseName]),
    (rows) => expect(rows).toHaveLength(1),
  )
  // A connection of the pooler would run the statements of others next.
  for (let n = 0; n < 3; n++) {
    const { body } = await api.post('/locations', { name: `Stream ${n}` })
    expect(await stream.next()).toMatchObject({ '@id': body['@id'], type: 'create' })
  }
  expect(await database.query(listeners, [databaseName])).toEqual([{ pid }])
  stream.close()

  let wakes = 0
  const stop = listenForChanges(database, pino({ level: 'silent' }))(() => wakes++)
  // It wakes once when it has begun to listen.
  await eventually(() => expect(wakes).toBeGreaterThan(0))
  const before = wakes
  changeNotifier(database)()
  await eventually(() => expect(wakes).toBeGreaterThan(before))
  stop()
})

describe('Limits of time', () => {
  const settings = `SELECT current_setting('statement_timeout') AS "statement", current_setting('lock_timeout') AS "lock",
    current_setting('idle_in_transaction_session_timeout') AS "idle"`

  test('hold for single statements, lists and transactions, and reach no other client', async () => {
    const { lists } = poolsOf(served)
    for (let n = 0; n < 4; n++) {
      expect(await served.query(settings)).toEqual([expect.objectContaining({ statement: '5s', lock: '2s' })])
      expect((await lists.pool.query({ name: 'limits', text: settings })).rows[0]).toMatchObject({
        statement: '1s',
        lock: '500ms',
      })
      const [within] = await served.transaction((manager) => manager.query(settings))
      expect(within).toEqual({ statement: '5s', lock: '2s', idle: '10s' })
    }
    const other = new Client(pooler.url)
    await other.connect()
    for (let n = 0; n < 4; n++)
      expect((await other.query(settings)).rows).toEqual([{ statement: '0', lock: '0', idle: '0' }])
    await other.end()
  })

  test('cost no round trip', async () => {
    const ask = (query: string, values?: unknown[]) => served.query(query, values)
    const before = pooler.transactions
    await ask('SELECT 1')
    await ask('SELECT $1::int', [1])
    await served.transaction((manager) => manager.query('SELECT 1'))
    expect(pooler.transactions - before).toBe(3)
  })

  test('end a slow list and a wait for a lock', async () => {
    const { pool } = poolsOf(served).lists
    const query = pool.query.bind(pool) as (asked: unknown) => Promise<never>
    pool.query = (() => query({ name: 'slow', text: 'SELECT pg_sleep($1)', values: [3] })) as never
    const slow = await api.get('/locations?q=x')
    pool.query = query as never
    expect(expectProblem(slow as never, 503).detail).toMatch(/^This list takes longer than the limit of 1 s/)

    const runner = database.createQueryRunner()
    await runner.startTransaction()
    await runner.query('SELECT FROM "location" WHERE "id" = $1 FOR UPDATE', [location.id])
    const waiting = await api.patch(path, { name: 'Pier' })
    await runner.rollbackTransaction()
    await runner.release()
    expect(expectProblem(waiting as never, 503).detail).toMatch(/^This waited too long for rows or a table/)
    expect((await api.patch(path, { name: 'Pier' })).status).toBe(200)
  })

  test('end a transaction that is idle', async () => {
    const runner = served.createQueryRunner()
    await runner.startTransaction()
    await runner.query(`SET LOCAL idle_in_transaction_session_timeout = 100`)
    await new Promise((resolve) => setTimeout(resolve, 300))
    await expect(runner.query('SELECT 1')).rejects.toThrow()
    await runner.release()
    expect((await api.get('/locations')).status).toBe(200)
  })
})

test('a statement that failed to be prepared is prepared at its next use', async () => {
  const ask = () => poolsOf(served).items.pool.query({ name: 'later', text: 'SELECT count(*) AS "n" FROM "later"' })
  await expect(ask()).rejects.toMatchObject({ code: '42P01' })
  await database.query('CREATE TABLE "later" ()')
  for (let n = 0; n < 3; n++) expect((await ask()).rows).toEqual([{ n: '0' }])
  await database.query('DROP TABLE "later"')
})

test('requests are answered after each connection of the pooler is lost', async () => {
  for (const client of pooler.clients) client.close()
  for (const server of pooler.servers) server.close()
  const ask = () => as(tenant.users.member).get('/locations')
  const answers = await Promise.all(Array.from({ length: 12 }, ask))
  for (const { status } of answers) expect([200, 503]).toContain(status)
  for (let n = 0; n < 12; n++) expect((await ask()).status).toBe(200)
})
