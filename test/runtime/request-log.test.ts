import { once } from 'node:events'
import { Agent, get, type Server } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { pino } from 'pino'
import request from 'supertest'
import { KeySet } from '../../src/access/key-set.ts'
import { createApp } from '../../src/app.ts'
import { createHttpServer } from '../../src/runtime/http/http-server.ts'
import { eventually } from '../support/eventually.ts'
import { openWorld } from '../support/world.ts'

const { issuer, organization, publicUrl, services, tenant, tokenOf } = await openWorld()

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

/** Starts a server that logs from a level on. */
async function serverWithLog(level: string, context: object = {}): Promise<string> {
  const log = pino({ level, base: undefined }, { write: (line: string) => lines.push(JSON.parse(line)) })
  const app = await createApp({ ...services, log, ...context })
  const server = createHttpServer(app, publicUrl, log).listen(0, '127.0.0.1')
  servers.push(server)
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** The only line that has been logged. */
const line = () =>
  eventually(
    () => lines,
    (found) => expect(found).toHaveLength(1),
    2,
  ).then(([found]) => found)

const origin = await serverWithLog('info')

test('a line holds the request, its caller and its status, under the id of the response', async () => {
  const { headers, text } = await request(origin)
    .get('/locations?name=Ada')
    .set({ Authorization: `Bearer ${await tokenOf(owner)}`, 'Accept-Encoding': 'identity' })

  const { milliseconds, bytes, ...logged } = await line()
  expect(logged).toEqual({
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

test('the line of an unknown caller names no caller', async () => {
  await request(origin).get('/locations').set('Authorization', 'Bearer nonsense')
  const logged = await line()
  expect(logged).toMatchObject({ status: 401, path: '/locations' })
  expect(logged).not.toHaveProperty('subject')
  expect(logged).not.toHaveProperty('organization')
})

test('a logged path holds words and ids, and nothing that can be a secret', async () => {
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
    await request(origin).get(asked)
    expect((await line()).path).toBe(path)
  }
})

test('values of a request cannot forge a line, because each line is JSON', async () => {
  const subject = 'eve"}\n{"level":60,"msg":"forged"}'
  await request(origin)
    .get('/locations')
    .set('Authorization', `Bearer ${await issuer.sign({ sub: subject })}`)
  expect(await line()).toMatchObject({ subject, msg: 'answered' })
})

/** A key set of an issuer with this loader. */
const keySet = (load: () => Promise<object>) => new KeySet(new URL('file:///keys.json'), {}, load)

test('a client that disconnects before its response is logged as such', async () => {
  let release = () => {}
  const gone = new Promise<void>((resolve) => {
    release = resolve
  })
  const slow = await serverWithLog('info', {
    issuer: { ...issuer, keys: keySet(() => gone.then(() => ({ keys: [] }))) },
  })
  const asked = get(`${slow}/locations`, { headers: { Authorization: `Bearer ${await tokenOf(owner)}` } })
  asked.on('error', () => {})
  setTimeout(() => asked.destroy(), 100)
  const logged = await line()
  release()
  expect(logged).toMatchObject({ aborted: true, msg: 'client disconnected', path: '/locations' })
  expect(logged).not.toHaveProperty('status')
})

test('both lines of a failed request have its id', async () => {
  const failing = await serverWithLog('info', {
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

test('a malformed request has an id and a line, too', async () => {
  const socket = connect(Number(new URL(origin).port), '127.0.0.1', () => socket.write('HELO there\r\n\r\n'))
  const [response] = await once(socket, 'data')
  expect(`${response}`).toContain(`\r\nX-Request-Id: ${(await line()).request}\r\n`)
})

test('requests of monitors are logged at the level debug only', async () => {
  await request(origin).get('/health/live')
  await request(origin).get('/metrics')
  await request(origin).get('/locations')
  expect(await line()).toMatchObject({ path: '/locations' })

  lines.splice(0)
  await request(await serverWithLog('debug')).get('/health/live')
  expect(await line()).toMatchObject({ level: 20, path: '/health/live' })
})

test('from LOG_LEVEL=warn on no request is logged', async () => {
  await request(await serverWithLog('warn')).get('/locations')
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect(lines).toEqual([])
})

test('the bytes of a request without a line do not count for the next one', async () => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  for (const path of ['/contexts/Error', '/health/live', '/health/live', '/contexts/Error'])
    await request(origin).get(path).agent(agent)
  const [first, second] = await eventually(
    () => lines,
    (found) => expect(found).toHaveLength(2),
    2,
  )
  agent.destroy()
  expect(second.bytes).toBe(first.bytes)
})

test('a hostile path is logged about as fast as any other path of its length', async () => {
  const tookMs = { plain: 0, hostile: 0 }
  const paths = { plain: `/${'a'.repeat(15_500)}`, hostile: `/${`${'a'.repeat(30)}.`.repeat(500)}` }
  for (let round = 0; round < 8; round++)
    for (const kind of ['plain', 'hostile'] as const) {
      const start = performance.now()
      await request(origin).get(paths[kind])
      tookMs[kind] += performance.now() - start
    }
  expect(tookMs.hostile).toBeLessThan(5 * tookMs.plain)
})
