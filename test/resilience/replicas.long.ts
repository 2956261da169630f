import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import request, { type Response } from 'supertest'
import { eventually } from '../support/eventually.ts'
import { ServerProcess } from '../support/processes/server-process.ts'
import { type Pair, query, startReplicatedPair, urlOf } from '../support/processes/standby.ts'

let two: Pair
let service: ServerProcess
let token = ''
let made = 0

beforeAll(async () => {
  two = await startReplicatedPair()
  service = new ServerProcess({
    DATABASE_URL: urlOf(two.primary),
    DATABASE_REPLICA_URLS: urlOf(two.standby),
    DATA_DIR: join(two.primary.directory, '../server'),
    LOG_LEVEL: 'info',
  })
  await service.start()
  token = await eventually(
    () => /Token for the owner of the demo: ([\w.-]+)/.exec(service.said.join(''))?.[1] as string,
    (found) => expect(found).toBeDefined(),
  )
}, 120_000)

afterAll(async () => {
  await service.close()
  await two.remove()
})

const send = (method: 'get' | 'post' | 'patch', path: string) =>
  request(`http://127.0.0.1:${service.port}`)[method](path).set('Authorization', `Bearer ${token}`)

const write = (): Promise<Response> => Promise.resolve(send('post', '/locations').send({ name: `Office ${made++}` }))

/** The statements over locations that have been last on connections of the server. */
const readFrom = async (postgres: Pair['primary']) =>
  (
    await query(
      postgres,
      `SELECT "query" FROM pg_stat_activity WHERE application_name = 'organization-api' AND "query" LIKE '%"location"%LIMIT%'`,
    )
  ).length

/** Writes one and lists it: what was written is there at once. */
async function listed(): Promise<string> {
  const { status, headers } = await write()
  expect(status).toBe(201)
  const { body } = await send('get', '/locations?order[name]=desc&itemsPerPage=100')
  expect(body.member.map((member: { '@id': string }) => member['@id'])).toContain(headers.location)
  expect((await send('get', headers.location)).status).toBe(200)
  return headers.location
}

test('lists come from the replica once it has all that is written', async () => {
  await eventually(
    async () => {
      expect((await send('get', '/locations')).status).toBe(200)
      return readFrom(two.standby)
    },
    (count) => expect(count).toBeGreaterThan(0),
  )
})

test('one that orders names by another version of ICU is passed over until it is the same', async () => {
  const end = `SELECT pg_terminate_backend("pid") FROM pg_stat_activity WHERE application_name = 'organization-api'`
  const isRead = async () => {
    await listed()
    return (await readFrom(two.standby)) > 0
  }
  await query(two.primary, `UPDATE pg_collation SET "collversion" = '1.2' WHERE "collname" = 'name_order'`)
  await listed()
  await query(two.standby, end)
  await eventually(
    async () => {
      await listed()
      return service.said.join('')
    },
    (said) => expect(said).toContain('A replica sorts names with another version of ICU.'),
  )
  expect(await isRead()).toBe(false)
  await query(two.primary, 'ALTER COLLATION "name_order" REFRESH VERSION')
  await eventually(isRead, (read) => expect(read).toBe(true))
}, 60_000)

test('whoever has written something finds it, however close behind the replica is', async () => {
  for (let count = 0; count < 20; count++) await listed()
})

test('a replica that is behind is not read, and neither is it for what is changed', async () => {
  await query(two.standby, 'SELECT pg_wal_replay_pause()')
  const location = await listed()
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

test('one that has been made a primary of its own is not read any more', async () => {
  await query(two.standby, 'SELECT pg_promote()')
  await query(two.standby, `UPDATE "location" SET "name" = 'Elsewhere ' || "id"`)
  const { body } = await send('get', '/locations')
  expect(body.member.length).toBeGreaterThan(0)
  expect(JSON.stringify(body)).not.toContain('Elsewhere')
  await listed()
})

test('one that is gone is told of once, and everything is answered', async () => {
  const file = await readFile(join(two.standby.directory, 'postmaster.pid'), 'utf8')
  process.kill(Number.parseInt(file, 10), 'SIGKILL')
  for (let count = 0; count < 5; count++) await listed()
  const warnings = service.said.join('').match(/A replica does not answer/g) ?? []
  expect(warnings).toHaveLength(1)
})
