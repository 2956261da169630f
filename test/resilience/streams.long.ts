import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { OrganizationUser } from '../../entities/index.ts'
import { eventually } from '../support/eventually.ts'
import { serverEnvironment } from '../support/processes/server-environment.ts'
import { ServerProcess } from '../support/processes/server-process.ts'
import { openStream, type ReceivedStream } from '../support/requests/event-stream.ts'
import { openWorld } from '../support/world.ts'

const {
  api,
  as,
  database,
  databaseName,
  ending,
  given,
  operator,
  organization,
  person,
  publicUrl,
  server,
  tenant,
  tokenOf,
} = await openWorld()

const open: ReceivedStream[] = []

afterEach(() => {
  for (const stream of open.splice(0)) stream.close()
})

async function listen(base: string, token: string, lastEventId?: string): Promise<ReceivedStream> {
  const stream = await openStream(`${base}/.well-known/mercure?topic=*`, {
    Authorization: `Bearer ${token}`,
    ...(lastEventId && { 'Last-Event-ID': lastEventId }),
  })
  open.push(stream)
  expect(stream.status).toBe(200)
  return stream
}

/** A caller may have ten streams, so many readers are many people. */
async function tokensOf(count: number): Promise<string[]> {
  const tokens: string[] = []
  for (let index = 0; index < count; index++) {
    const user = await person(`reader-${Math.random()}`)
    await given(OrganizationUser, { userId: user.id, name: 'Reader', role: 'admin' })
    tokens.push(await tokenOf(user))
  }
  return tokens
}

/** A transaction that writes a location at once, and commits in any order with others. */
async function writeLocation(number: number): Promise<string> {
  const runner = database.createQueryRunner()
  try {
    await runner.startTransaction()
    const id = `019b8a6c-4000-7000-8000-${String(number).padStart(12, '0')}`
    await runner.query(
      `INSERT INTO "change" ("organizationId", "relation", "id", "type", "version") VALUES ($1, 'location', $2, 'create', 1)`,
      [organization.id, id],
    )
    await runner.query(
      `INSERT INTO "location" ("id", "organizationId", "name", "createdAt", "updatedAt", "version") VALUES ($1, $2, $3, now(), now(), 1)`,
      [id, organization.id, `Location ${number}`],
    )
    await sleep(Math.random() * 120)
    await runner.commitTransaction()
    return `/locations/${id}`
  } finally {
    await runner.release()
  }
}

async function writeLocations(from: number, count: number): Promise<Set<string>> {
  const written = new Set<string>()
  let next = from
  const writer = async () => {
    while (next < from + count) written.add(await writeLocation(next++))
  }
  await Promise.all(Array.from({ length: 6 }, writer))
  return written
}

/** Reads until all IRIs have come. */
async function readAll(stream: ReceivedStream, iris: Set<string>): Promise<void> {
  const missing = new Set(iris)
  while (missing.size > 0) missing.delete((await stream.next())['@id'] as string)
}

test('200 readers hear of every write, though transactions commit in another order than they begin', async () => {
  const tokens = await tokensOf(20)
  const streams: ReceivedStream[] = []
  for (const token of tokens) for (let index = 0; index < 10; index++) streams.push(await listen(publicUrl, token))
  const written = await writeLocations(1000, 200)
  for (const stream of streams) await readAll(stream, written)
}, 60_000)

test('a reader that is interrupted again and again hears of every write', async () => {
  const [token] = await tokensOf(1)
  const heard = new Set<unknown>()
  let stream = await listen(publicUrl, token)
  const writing = writeLocations(2000, 150)
  let isWriting = true
  writing.finally(() => {
    isWriting = false
  })
  let lastEventId: string | undefined
  const interrupt = async () => {
    stream.close()
    for (const { data } of await stream.rest()) heard.add(data['@id'])
    lastEventId = stream.lastEventId || lastEventId
    stream = await listen(publicUrl, token, lastEventId)
  }
  await eventually(() => expect(stream.lastEventId).not.toBe(''))
  while (isWriting) {
    await sleep(Math.random() * 80)
    await interrupt()
  }
  const written = await writing
  await eventually(async () => {
    await sleep(50)
    await interrupt()
    expect([...written].filter((iri) => !heard.has(iri))).toEqual([])
  })
}, 60_000)

test('a lost connection that listens is replaced, and events come meanwhile', async () => {
  const [token] = await tokensOf(1)
  const stream = await listen(publicUrl, token)
  const listeners = `SELECT pid FROM pg_stat_activity WHERE datname = '${databaseName}' AND query LIKE 'LISTEN%'`
  const [{ pid }] = await eventually(
    () => database.query(listeners),
    (rows) => expect(rows).toHaveLength(1),
  )
  await database.query('SELECT pg_terminate_backend($1)', [pid])
  await readAll(stream, await writeLocations(3000, 3))
  const [{ pid: replaced }] = await eventually(
    () => database.query(listeners),
    (rows) => expect(rows).toHaveLength(1),
  )
  expect(replaced).not.toBe(pid)
  stream.close()
  await eventually(
    () => database.query(listeners),
    (rows) => expect(rows).toEqual([]),
  )
}, 30_000)

test('the program of the guide prints changes, and goes on from the last one after an interruption', async () => {
  const [, program] =
    /```js\n(\/\/ watch\.mjs\n[\s\S]+?)```/.exec(readFileSync('docs/guides/http-api.md', 'utf8')) ?? []
  const environment = { ...process.env, API: publicUrl, TOKEN: await tokenOf(tenant.users.owner), NODE_OPTIONS: '' }
  const child = spawn(process.execPath, ['--input-type=module', '-e', program as string], { env: environment })
  let printed = ''
  child.stdout.on('data', (text) => (printed += text))
  try {
    const openStreams = async () => /^change_streams_open (\d+)$/m.exec((await as(operator).get('/metrics')).text)?.[1]
    await eventually(openStreams, (count) => expect(count).toBe('1'))
    for (const name of ['Read', 'Read again']) {
      const { body } = await api.post('/locations').send({ name }).expect(201)
      await eventually(() => expect(printed).toContain(body['@id']))
      server.closeAllConnections()
    }
  } finally {
    child.kill()
  }
})

test('a stream sends nothing after its token has expired, and ends', async () => {
  const expires = Math.floor(Date.now() / 1000) + 4
  const stream = await listen(publicUrl, await tokenOf(tenant.users.owner, { lifetime: 4 }))
  while (Date.now() / 1000 < expires + 1) await sleep(100)
  await api.post('/locations').send({ name: 'Late' }).expect(201)
  expect(await stream.rest()).toEqual([])
  expect(stream.retry).toBeGreaterThanOrEqual(1000)
}, 30_000)

test.each([1, 2])(
  'streams of %i process(es) end at once when the server stops, and name a pause',
  async (workers) => {
    const service = new ServerProcess({ ...serverEnvironment('streams'), WORKERS: String(workers) }, true)
    ending.unshift(() => service.close())
    await service.start()
    const token = await tokenOf(tenant.users.owner)
    const streams = await Promise.all(
      Array.from({ length: 6 }, () => listen(`http://127.0.0.1:${service.port}`, token)),
    )
    const { body } = await api
      .post('/locations')
      .send({ name: `Elsewhere ${workers}` })
      .expect(201)
    for (const stream of streams) expect(await stream.next()).toMatchObject({ '@id': body['@id'], type: 'create' })
    const began = performance.now()
    process.kill(service.pid, 'SIGTERM')
    for (const stream of streams) {
      await stream.rest()
      expect(stream.retry).toBeGreaterThanOrEqual(1000)
    }
    expect(performance.now() - began).toBeLessThan(3000)
    expect(await service.ended()).toBe(0)
    expect(performance.now() - began).toBeLessThan(6000)
  },
  60_000,
)
