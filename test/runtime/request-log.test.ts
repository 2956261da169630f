import { once } from 'node:events'
import { Agent, get, type Server } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { pino } from 'pino'
import request from 'supertest'
import { KeySet } from '../../src/access/key-set.ts'
import { createApp } from '../../src/app.ts'
import { createHttpServer } from '../../src/runtime/http/http-server.ts'
import { eventually } from '../support/eventually.ts'
import {
  banking,
  billing,
  config,
  database,
  issuer,
  organization,
  publicUrl,
  tenant,
  tokenOf,
} from '../support/world.ts'

const { owner } = tenant.users
const lines: Record<string, unknown>[] = []
const servers: Server[] = []

beforeEach(() => lines.splice(0))
afterAll(async () => {
  for (const server of servers) {
    server.closeAllConnections()
    await new Promise((closed) => server.close(closed))
  }
})

/** A server that says everything from a level on. */
async function saying(level: string, surroundings: object = {}): Promise<string> {
  const log = pino({ level, base: undefined }, { write: (line: string) => lines.push(JSON.parse(line)) })
  const app = createApp({
    config,
    database,
    billing,
    banking,
    issuer,
    log,
    state: { draining: false },
    ...surroundings,
  })
  const server = createHttpServer(app, publicUrl, log).listen(0, '127.0.0.1')
  servers.push(server)
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** The only line that has been said. */
const line = () =>
  eventually(
    () => lines,
    (found) => expect(found).toHaveLength(1),
    2,
  ).then(([found]) => found)

const here = await saying('info')

test('a line tells what was asked, by whom, and what became of it, under the id that the answer carries', async () => {
  const { headers, text } = await request(here)
    .get('/locations?name=Ada')
    .set('Authorization', `Bearer ${await tokenOf(owner)}`)

  const { milliseconds, bytes, ...told } = await line()
  expect(told).toEqual({
    level: 30,
    time: expect.any(Number),
    msg: 'answered',
    request: headers['x-request-id'],
    method: 'GET',
    path: '/locations',
    status: 200,
    organization: organization.id,
    subject: owner.subject,
  })
  expect(milliseconds).toBeGreaterThan(0)
  expect(bytes).toBeGreaterThan(text.length)
})

test('of somebody unknown it tells nobody', async () => {
  await request(here).get('/locations').set('Authorization', 'Bearer nonsense')
  const told = await line()
  expect(told).toMatchObject({ status: 401, path: '/locations' })
  expect(told).not.toHaveProperty('subject')
  expect(told).not.toHaveProperty('organization')
})

test('of a path it tells words and ids, and nothing that may be a secret', async () => {
  const id = '01a20875-79e2-74b9-b164-39df04224e8e'
  const token = await tokenOf(owner)
  for (const [asked, path] of [
    [`/meetings/${id}.jsonld?q=Ada`, `/meetings/${id}.jsonld`],
    [`/accept/${'x'.repeat(43)}`, '/accept/…'],
    [`/accept/${token}/now`, '/accept/….….…/now'],
    ['/people/ada@example.com', '/people/…'],
    ['/people/ada%40example.com', '/people/…'],
    ['/a%0A%7B%22level%22:60%7D/x', '/…/x'],
    ['/organization-user-invitations/accept?token=secret', '/organization-user-invitations/accept'],
  ]) {
    lines.splice(0)
    await request(here).get(asked)
    expect((await line()).path).toBe(path)
  }
})

test('what a request brings cannot forge a line: each is JSON', async () => {
  const subject = 'eve"}\n{"level":60,"msg":"forged"}'
  await request(here)
    .get('/locations')
    .set('Authorization', `Bearer ${await issuer.sign({ sub: subject })}`)
  expect(await line()).toMatchObject({ subject, msg: 'answered' })
})

/** The keys of an issuer that are loaded so. */
const keySet = (load: () => Promise<object>) => new KeySet(new URL('file:///keys.json'), {}, load)

test('a client that leaves before its answer is told of as such', async () => {
  let release = () => {}
  const gone = new Promise<void>((resolve) => {
    release = resolve
  })
  const slow = await saying('info', { issuer: { ...issuer, keys: keySet(() => gone.then(() => ({ keys: [] }))) } })
  const asked = get(`${slow}/locations`, { headers: { Authorization: `Bearer ${await tokenOf(owner)}` } })
  asked.on('error', () => {})
  setTimeout(() => asked.destroy(), 100)
  const told = await line()
  release()
  expect(told).toMatchObject({ aborted: true, msg: 'client disconnected', path: '/locations' })
  expect(told).not.toHaveProperty('status')
})

test('a failure has the id of its request in both of its lines', async () => {
  const failing = await saying('info', {
    issuer: { ...issuer, keys: keySet(() => Promise.reject(new TypeError('fetch failed'))) },
  })
  const { headers } = await request(failing)
    .get('/locations')
    .set('Authorization', `Bearer ${await tokenOf(owner)}`)
  await eventually(
    () => lines.map(({ msg, request, level }) => [msg, request, level]),
    (found) =>
      expect(found).toEqual([
        ['a request failed', headers['x-request-id'], 50],
        ['answered', headers['x-request-id'], 30],
      ]),
    2,
  )
})

test('what is not even HTTP has an id and a line, too', async () => {
  const socket = connect(Number(new URL(here).port), '127.0.0.1', () => socket.write('HELO there\r\n\r\n'))
  const [answer] = await once(socket, 'data')
  expect(`${answer}`).toContain(`\r\nX-Request-Id: ${(await line()).request}\r\n`)
})

test('what machines ask every few seconds is told of when everything is', async () => {
  await request(here).get('/health/live')
  await request(here).get('/metrics')
  await request(here).get('/locations')
  expect(await line()).toMatchObject({ path: '/locations' })

  lines.splice(0)
  await request(await saying('debug')).get('/health/live')
  expect(await line()).toMatchObject({ level: 20, path: '/health/live' })
})

test('from LOG_LEVEL=warn on nothing is told', async () => {
  await request(await saying('warn')).get('/locations')
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect(lines).toEqual([])
})

test('what is not told of is not counted among the bytes of what comes after it', async () => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  for (const path of ['/contexts/Error', '/health/live', '/health/live', '/contexts/Error'])
    await request(here).get(path).agent(agent)
  const [first, second] = await eventually(
    () => lines,
    (found) => expect(found).toHaveLength(2),
    2,
  )
  agent.destroy()
  expect(second.bytes).toBe(first.bytes)
})

test('a path made to be hard to read is told of about as quickly as any other of its length', async () => {
  const took = { plain: 0, hard: 0 }
  const paths = { plain: `/${'a'.repeat(15_500)}`, hard: `/${`${'a'.repeat(30)}.`.repeat(500)}` }
  for (let round = 0; round < 8; round++)
    for (const kind of ['plain', 'hard'] as const) {
      const start = performance.now()
      await request(here).get(paths[kind])
      took[kind] += performance.now() - start
    }
  expect(took.hard).toBeLessThan(5 * took.plain)
})
