import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import request, { type Response } from 'supertest'
import { eventually } from '../support/eventually.ts'
import { Pooler } from '../support/pooler/pooler.ts'
import { ServerProcess } from '../support/processes/server-process.ts'
import { query, type ReplicatedPair, startReplicatedPair, urlOf } from '../support/processes/standby.ts'

let two: ReplicatedPair
let service: ServerProcess
let token = ''
let locationCount = 0

beforeAll(async () => {
  two = await startReplicatedPair()
  service = new ServerProcess({
    DATABASE_URL: urlOf(two.primary),
    DATABASE_REPLICA_URLS: urlOf(two.standby),
    DATA_DIR: join(two.primary.directory, '../server'),
    LOG_LEVEL: 'info',
  })
  await service.start()
  token = await ownerToken()
}, 120_000)

afterAll(async () => {
  await service.close()
  await two.remove()
})

/** The token that the server has printed. */
const ownerToken = (): Promise<string> =>
  eventually(
    () => /Token for the owner of the demo: ([\w.-]+)/.exec(service.output.join(''))?.[1] as string,
    (found) => expect(found).toBeDefined(),
  )

const send = (method: 'get' | 'post' | 'patch', path: string) =>
  request(`http://127.0.0.1:${service.port}`)[method](path).set('Authorization', `Bearer ${token}`)

const write = (): Promise<Response> =>
  Promise.resolve(send('post', '/locations').send({ name: `Office ${locationCount++}` }))

/** The statements on locations that the server's connections have run last. */
const readFrom = async (postgres: ReplicatedPair['primary']) =>
  (
    await query(
      postgres,
      `SELECT "query" FROM pg_stat_activity WHERE application_name = 'organization-api' AND "query" LIKE '%"location"%LIMIT%'`,
    )
  ).length

/** Creates a location and expects it in the list at once. */
async function writeAndList(): Promise<string> {
  const { status, headers } = await write()
  expect(status).toBe(201)
  const { body } = await send('get', '/locations?order[name]=desc&itemsPerPage=100')
  expect(body.member.map((member: { '@id': string }) => member['@id'])).toContain(headers.location)
  expect((await send('get', headers.location)).status).toBe(200)
  return headers.location
}

test('lists come from the replica once it has every acknowledged write', async () => {
  await eventually(
    async () => {
      expect((await send('get', '/locations')).status).toBe(200)
      return readFrom(two.standby)
    },
    (count) => expect(count).toBeGreaterThan(0),
  )
})

test('a replica with another version of ICU is not read until the versions match', async () => {
  const end = `SELECT pg_terminate_backend("pid") FROM pg_stat_activity WHERE application_name = 'organization-api'`
  const isRead = async () => {
    await writeAndList()
    return (await readFrom(two.standby)) > 0
  }
  await query(two.primary, `UPDATE pg_collation SET "collversion" = '1.2' WHERE "collname" = 'name_order'`)
  await writeAndList()
  await query(two.standby, end)
  await eventually(
    async () => {
      await writeAndList()
      return service.output.join('')
    },
    (output) => expect(output).toContain('A replica sorts names with another version of ICU.'),
  )
  expect(await isRead()).toBe(false)
  await query(two.primary, 'ALTER COLLATION "name_order" REFRESH VERSION')
  await eventually(isRead, (read) => expect(read).toBe(true))
}, 60_000)

test('a client that has written a row finds it, however little the replica lags', async () => {
  for (let count = 0; count < 20; count++) await writeAndList()
})

test('a server behind a pooler reads lists through the pooler of the replica', async () => {
  const direct = { service, token }
  const [primary, standby] = [two.primary, two.standby].map(
    ({ host, port, user, database }) => new Pooler({ socket: join(host, `.s.PGSQL.${port}`), user, database }),
  )
  await Promise.all([primary.open(), standby.open()])
  service = new ServerProcess({
    DATABASE_URL: primary.url,
    DATABASE_DIRECT_URL: urlOf(two.primary),
    DATABASE_REPLICA_URLS: standby.url,
    DATA_DIR: join(two.primary.directory, '../pooled'),
    LOG_LEVEL: 'info',
  })
  try {
    await service.start()
    token = await ownerToken()
    for (let count = 0; count < 20; count++) await writeAndList()
    // Each list asks the replica for its position, and some find it there.
    await eventually(
      async () => {
        const before = standby.transactions
        await send('get', '/locations')
        return standby.transactions - before
      },
      (count) => expect(count).toBeGreaterThan(1),
    )
  } finally {
    await service.close()
    ;({ service, token } = direct)
    await Promise.all([primary.close(), standby.close()])
  }
}, 60_000)

test('a replica that lags is not read, and changes never read from one', async () => {
  await query(two.standby, 'SELECT pg_wal_replay_pause()')
  const location = await writeAndList()
  const { headers } = await send('get', location)
  const changed = await send('patch', location)
    .set('If-Match', headers.etag)
    .set('Content-Type', 'application/merge-patch+json')
    .send('{"officeOpenHour":8,"officeCloseHour":17}')
  expect(changed.status).toBe(200)
  const { body } = await send('get', '/locations?order[name]=desc&itemsPerPage=100')
  expect(body.member.find((member: { '@id': string }) => member['@id'] === location)).toMatchObject({
    officeOpenHour: 8,
  })
  await query(two.standby, 'SELECT pg_wal_replay_resume()')
})

test('a replica that was promoted to a primary is not read', async () => {
  await query(two.standby, 'SELECT pg_promote()')
  await query(two.standby, `UPDATE "location" SET "name" = 'Elsewhere ' || "id"`)
  const { body } = await send('get', '/locations')
  expect(body.member.length).toBeGreaterThan(0)
  expect(JSON.stringify(body)).not.toContain('Elsewhere')
  await writeAndList()
})

test('a replica that is gone logs one warning, and every request is answered', async () => {
  const file = await readFile(join(two.standby.directory, 'postmaster.pid'), 'utf8')
  process.kill(Number.parseInt(file, 10), 'SIGKILL')
  for (let count = 0; count < 5; count++) await writeAndList()
  const warnings = service.output.join('').match(/A replica does not answer/g) ?? []
  expect(warnings).toHaveLength(1)
})
