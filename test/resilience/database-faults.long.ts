import { type AddressInfo, connect } from 'node:net'
import { pino } from 'pino'
import request from 'supertest'
import { DataSource } from 'typeorm'
import { Location, Meeting, OrganizationUser } from '../../entities/index.ts'
import { createApp } from '../../src/app.ts'
import { poolsOf } from '../../src/runtime/database.ts'
import { CuttableConnection } from '../support/processes/cuttable-connection.ts'
import { type Answer, expectProblem } from '../support/requests/raw-responses.ts'
import { morning, openWorld } from '../support/world.ts'

const { api, database, given, services, tenant, tokenOf, served } = await openWorld()

const { host, port } = JSON.parse(process.env.TEST_POSTGRES ?? '{}')
const owner = await tokenOf(tenant.users.owner)
const meeting = await given(Meeting, morning)
const path = `/meetings/${meeting.id}`
const { id: membership } = await database.manager.findOneByOrFail(OrganizationUser, { userId: tenant.users.member.id })

/** The connections that wait for a lock. Other test files share this Postgres, and wait in their own databases. */
const lockWaits = `pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`

/** The same API with its own connection to the database, which the test can cut, and with short timeouts. */
const connection = new CuttableConnection(`${host}/.s.PGSQL.${port}`)
await connection.open()
const extra = { max: 5, connectionTimeoutMillis: 300, statement_timeout: 1000, query_timeout: 500 }
const remote = await new DataSource({
  ...database.options,
  host: '127.0.0.1',
  port: connection.port,
  extra,
} as never).initialize()
const errors: string[] = []
const log = pino({ level: 'error' }, { write: (line) => errors.push(line) })
const app = await createApp({ ...services, log, database: remote })
const server = app.listen(0)

afterAll(async () => {
  await new Promise((resolve) => server.close(resolve))
  await remote.destroy()
  await connection.cut()
})

const getRemote = (where: string) => request(server).get(where).set('Authorization', `Bearer ${owner}`)
const writeRemote = () => [
  request(server)
    .post('/locations')
    .set({ Authorization: `Bearer ${owner}`, 'Content-Type': 'application/ld+json' })
    .send('{"name":"Somewhere"}'),
  request(server)
    .patch(path)
    .set({ Authorization: `Bearer ${owner}`, 'Content-Type': 'application/merge-patch+json' })
    .send('{"notes":"x"}'),
]

function expectUnavailable(answer: Answer): void {
  const { detail } = expectProblem(answer, 503)
  expect(answer.headers['retry-after']).toMatch(/^\d+$/)
  expect(detail).toMatch(/^The database cannot be reached at the moment/)
}

test('requests get 503 while the database cannot be reached, and succeed after that', async () => {
  expect((await getRemote(path)).status).toBe(200)
  await connection.cut()

  for (let n = 0; n < 5; n++) expectUnavailable((await getRemote(path)) as never)
  for (const write of writeRemote()) expectUnavailable((await write) as never)
  expect((await getRemote('/docs.jsonld')).status).toBe(200)
  expect((await getRemote('/countries/NL').unset('Authorization')).status).toBe(200)
  expect((await request(server).get('/health/live')).status).toBe(200)
  expect((await request(server).get('/health/ready')).status).toBe(503)

  await connection.open()
  expect((await getRemote(path)).status).toBe(200)
  expect((await request(server).get('/health/ready')).status).toBe(200)
  expect(await database.manager.countBy(Location, { name: 'Somewhere' })).toBe(0)
})

test('requests get 503 within the timeout while the connection to the database is dead', async () => {
  expect((await getRemote(path)).status).toBe(200)
  connection.stall()

  const start = performance.now()
  const answers = await Promise.all(Array.from({ length: 20 }, () => getRemote(path)))
  for (const answer of answers) expectUnavailable(answer as never)
  for (const answer of await Promise.all(writeRemote())) expectUnavailable(answer as never)
  expect(performance.now() - start).toBeLessThan(4000)

  connection.resume()
  await expectRecovery(() => getRemote(path))
})

test('a change that waits too long for a locked row gets 503', async () => {
  const runner = database.createQueryRunner()
  await runner.startTransaction()
  await runner.query(`SELECT 1 FROM "meeting" WHERE "id" = '${meeting.id}' FOR UPDATE`)

  const answer = await api.patch(path, { notes: 'waiting' })
  await runner.rollbackTransaction()
  await runner.release()

  expect(expectProblem(answer as never, 503).detail).toMatch(/^This waited too long for rows or a table/)
  expect(answer.headers['retry-after']).toBe('2')
  expect((await api.get(path)).body.notes).toBeNull()
  expect((await api.patch(path, { notes: 'waited' })).status).toBe(200)
})

test('a list that takes too long gets 503, which names what to leave out', async () => {
  const { pool } = poolsOf(served).lists
  const query = pool.query.bind(pool) as (statement: unknown) => Promise<never>
  pool.query = (() => query({ text: 'SELECT pg_sleep(2)' })) as never
  const answers = [await api.get('/meetings?q=x&itemsPerPage=5&order[id]=asc'), await api.get('/bank-accounts')]
  pool.query = query as never
  const details = answers.map((answer) => expectProblem(answer as never, 503).detail)
  expect(details).toEqual([
    'This list takes longer than the limit of 1 s. Narrow or leave out "q", "order[id]", then send it again.',
    'This list takes longer than the limit of 1 s. Narrow it by a filter, then send it again.',
  ])
  for (const { headers } of answers) expect(headers['retry-after']).toBe('5')
  expect((await api.get('/meetings?q=x')).status).toBe(200)
})

test('a cancelled statement gets 503', async () => {
  const runner = database.createQueryRunner()
  await runner.startTransaction()
  await runner.query('LOCK TABLE "meeting" IN ACCESS EXCLUSIVE MODE')
  const response = api.get(path).then((answer) => answer)
  await expectWaiting()
  await database.query(`SELECT pg_cancel_backend(pid) FROM ${lockWaits}`)

  expectUnavailable((await response) as never)
  await runner.rollbackTransaction()
  await runner.release()
  expect((await api.get(path)).status).toBe(200)
})

test('when connections are killed under load, each request succeeds or gets 503, and successes are stored', async () => {
  let killing = true
  const killer = (async () => {
    // The long pauses let requests succeed on a slow machine, too.
    for (let n = 0; killing; n++) {
      await database
        .query(
          `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid()`,
        )
        .catch(() => {})
      await new Promise((resolve) => setTimeout(resolve, [5, 5, 5, 50, 5, 5, 5, 300][n % 8]))
    }
  })()
  const names: string[] = []
  const statuses = new Set<number>()
  await Promise.all(
    Array.from({ length: 20 }, async (_, client) => {
      for (let n = 0; n < 4; n++) {
        const name = `Office ${client}-${n}`
        const { status } = await api.post('/locations', { name })
        if (status === 201) names.push(name)
        const others = [
          await api.get(path),
          await api.get('/meetings?page=1'),
          await api.patch(path, { notes: name }),
          await api.get(`/organizations/${tenant.organization.id}`),
          await api.patch(`/organization-users/${membership}`, { status: ['active', 'suspended'][n % 2] }),
        ]
        for (const answer of [{ status }, ...others]) {
          statuses.add(answer.status)
          if (answer.status === 503) expect((answer as Answer).headers?.['retry-after'] ?? '2').toBe('2')
        }
      }
    }),
  )
  killing = false
  await killer

  expect([...statuses].filter((status) => ![200, 201, 503].includes(status))).toEqual([])
  expect(statuses).toEqual(new Set([200, 201, 503]))
  const kept = await database.manager.find(Location, { select: { name: true } })
  expect(kept.map(({ name }) => name)).toEqual(expect.arrayContaining(names))
  await expectRecovery(() => api.get(path))
})

async function expectRecovery(ask: () => PromiseLike<{ status: number }>): Promise<void> {
  for (let tries = 0; tries < 20; tries++) {
    if ((await ask()).status === 200) break
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  for (let n = 0; n < 20; n++) expect((await ask()).status).toBe(200)
}

async function expectWaiting(): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    const rows = await database.query(`SELECT 1 FROM ${lockWaits}`)
    if (rows.length > 0) return
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

test('a client that disconnects during its body causes no error in the log', async () => {
  const { port: at } = server.address() as AddressInfo
  const socket = connect(at, '127.0.0.1')
  socket.write(
    `POST /locations HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${owner}\r\nContent-Type: application/ld+json\r\nContent-Length: 100\r\n\r\n{"name"`,
  )
  await new Promise((resolve) => setTimeout(resolve, 100))
  errors.length = 0
  socket.destroy()
  await new Promise((resolve) => setTimeout(resolve, 100))
  expect(errors).toEqual([])
})
