import { once } from 'node:events'
import { Agent, type IncomingMessage, request } from 'node:http'
import { connect } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { eventually } from '../support/eventually.ts'
import { serverEnvironment } from '../support/processes/server-environment.ts'
import { ServerProcess } from '../support/processes/server-process.ts'
import { ending, tenant, tokenOf } from '../support/world.ts'

/**
 * RFC 9112 §9.6: a server that ends a connection says so in its last answer, and cuts no request that it has been sent.
 * Siblings: one process and two, connections that are kept, new, unused, pipelined, half sent, slowly read, refused early.
 */
const clients = 16
const token = await tokenOf(tenant.users.owner)

/** What a client may do about it: a new connection was refused, as the server no longer listens. */
const refused = (error: NodeJS.ErrnoException) => error.code === 'ECONNREFUSED'

async function started(workers: number): Promise<ServerProcess> {
  const service = new ServerProcess({ ...serverEnvironment('draining'), WORKERS: String(workers) }, true)
  ending.unshift(() => service.close())
  await service.start()
  return service
}

/** Sends SIGTERM; gives back a wait for the end of the process, in milliseconds and with its exit code. */
function terminate(service: ServerProcess): Promise<{ took: number; code: number | null }> {
  const began = performance.now()
  process.kill(service.pid, 'SIGTERM')
  return service.ended().then((code) => ({ took: performance.now() - began, code }))
}

interface Asked {
  path: string
  method?: string
  headers?: Record<string, string>
  body?: string
}

const json = { 'Content-Type': 'application/ld+json' }
const questions: Asked[] = [
  { path: '/locations' },
  { path: '/countries', method: 'HEAD' },
  { path: '/nowhere' },
  { path: '/locations', method: 'POST', headers: json, body: '{"name":' },
  {
    path: '/meetings',
    method: 'POST',
    headers: json,
    body: '{"dateFrom":"2026-01-01T08:00:00Z","dateTo":"2026-01-01T09:00:00Z"}',
  },
  { path: '/webhooks/stripe', method: 'POST', body: '{}' },
]

async function ask(service: ServerProcess, agent: Agent | false, { path, method, headers, body }: Asked) {
  const sent = request({
    host: '127.0.0.1',
    port: service.port,
    path,
    method,
    headers: { Authorization: `Bearer ${token}`, ...headers, ...(body && { 'Content-Length': body.length }) },
    agent,
  })
  sent.end(body)
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  await buffer(response)
  return response
}

/** Asks again and again until the server no longer listens; gives back what was cut, by the error. */
async function insistent(service: ServerProcess, agent: Agent | false, place: number): Promise<string[]> {
  for (let count = place; ; count++)
    try {
      await ask(service, agent, questions[count % questions.length])
    } catch (error) {
      return refused(error as NodeJS.ErrnoException) ? [] : [String(error)]
    }
}

/** A shutdown while clients insist, after which the process must be gone within three seconds; gives back what was cut. */
async function attempt(workers: number, agent: () => Agent | false): Promise<string[]> {
  const service = await started(workers)
  const asking = Array.from({ length: clients }, (_, place) => insistent(service, agent(), place))
  await sleep(300)
  const { took, code } = await terminate(service)
  expect(code).toBe(0)
  expect(took).toBeLessThan(3000)
  return (await Promise.all(asking)).flat()
}

describe.each([1, 2])('With WORKERS=%i', (workers) => {
  test('no request of clients that keep their connections is cut in ten shutdowns', async () => {
    const keep = () => attempt(workers, () => new Agent({ keepAlive: true, maxSockets: 1 }))
    for (let attempts = 0; attempts < 10; attempts++) expect(await keep()).toEqual([])
  }, 300_000)

  // The kernel resets a connection that it queues between the last accept and the close of the listener.
  test('clients that make a connection for each request lose at most one in a shutdown', async () => {
    for (let attempts = 0; attempts < 2; attempts++)
      expect((await attempt(workers, () => false)).length).toBeLessThanOrEqual(1)
  }, 300_000)

  test('idle connections, used and unused ones, do not hold the process up', async () => {
    const service = await started(workers)
    const agent = new Agent({ keepAlive: true })
    await Promise.all([1, 2, 3, 4].map(() => ask(service, agent, questions[0])))
    const unused = connect(service.port, '127.0.0.1').on('error', () => {})
    await once(unused, 'connect')
    const { took, code } = await terminate(service)
    expect(code).toBe(0)
    expect(took).toBeLessThan(3000)
  }, 60_000)

  test('every answer while draining says Connection: close', async () => {
    const service = await started(workers)
    const kept = () => new Agent({ keepAlive: true, maxSockets: 1 })
    const { headers } = await ask(service, kept(), { path: '/countries' })
    expect(headers.connection).toBe('keep-alive')
    const known = { path: '/countries', headers: { 'If-None-Match': headers.etag as string } }
    const all = [...questions, known, { path: '/health/ready' }].map((asked) => ({ asked, agent: kept() }))
    await Promise.all(all.map(({ agent }) => ask(service, agent, { path: '/health/live' })))
    const begun = begin(service, `{"name":"half ${workers}"}`)
    await sleep(200)

    const gone = terminate(service)
    await sleep(300)
    const answers = await Promise.all(all.map(({ asked, agent }) => ask(service, agent, asked)))
    expect(answers.map(({ headers }) => headers.connection)).toEqual(answers.map(() => 'close'))
    expect(answers.map(({ statusCode }) => statusCode).slice(-2)).toEqual([304, 503])
    expect(await begun()).toMatch(/^HTTP\/1.1 201 (.|\r\n)*\r\nConnection: close\r\n/)
    expect((await gone).code).toBe(0)
  }, 60_000)
})

/** Sends half of a POST; gives back how to send the rest, which gives the answer. */
function begin(service: ServerProcess, body: string): () => Promise<string> {
  const socket = connect(service.port, '127.0.0.1')
  const heard = buffer(socket)
  const head = `POST /locations HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/ld+json\r\n`
  socket.write(`${head}Content-Length: ${body.length}\r\n\r\n${body.slice(0, 5)}`)
  return async () => {
    socket.write(body.slice(5))
    return String(await heard)
  }
}

test('requests that were pipelined are all answered, to a client that reads slowly', async () => {
  const service = await started(1)
  const socket = connect(service.port, '127.0.0.1')
  await once(socket, 'connect')
  // Together more than the buffers of both sides hold.
  const many = 60
  socket.write('GET /docs.jsonld HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(many))
  await sleep(500)
  const gone = terminate(service)
  await sleep(2000)
  const heard = String(await buffer(socket))
  expect(heard.match(/HTTP\/1.1 200 OK\r\n/g)).toHaveLength(many)
  expect(heard.endsWith('}')).toBe(true)
  expect((await gone).code).toBe(0)
}, 60_000)

test('a body that is refused before it has arrived gets its answer, and no reset', async () => {
  const service = await started(1)
  const socket = connect({ port: service.port, host: '127.0.0.1', allowHalfOpen: true })
  await once(socket, 'connect')
  const gone = terminate(service)
  await sleep(200)
  const heard: Buffer[] = []
  const closed = once(socket, 'close')
  socket.on('data', (piece) => heard.push(piece))
  const size = 2_000_000
  socket.write(`POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: ${size}\r\n\r\n`)
  await eventually(() => expect(String(Buffer.concat(heard))).toMatch(/^HTTP\/1.1 404 /))
  socket.end(Buffer.alloc(size, 'x'))
  const [failed] = await closed
  expect(failed).toBe(false)
  expect(String(Buffer.concat(heard))).toContain('Connection: close\r\n')
  expect((await gone).code).toBe(0)
}, 60_000)
