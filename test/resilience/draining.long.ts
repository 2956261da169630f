import { once } from 'node:events'
import { Agent, type IncomingMessage, request } from 'node:http'
import { connect } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { eventually } from '../support/eventually.ts'
import { serverEnvironment } from '../support/processes/server-environment.ts'
import { ServerProcess } from '../support/processes/server-process.ts'
import { openWorld } from '../support/world.ts'

const { ending, tenant, tokenOf } = await openWorld()

/*
 * A server that ends a connection says so in its last response, and cuts no request that it has received (RFC 9112 §9.6).
 * That holds for one process and two. Connections are kept, new, unused, pipelined, half sent, slowly read or refused early.
 */
const clients = 16
const token = await tokenOf(tenant.users.owner)

/** Whether a new connection was refused because the server no longer listens. A client can handle that. */
const isRefused = (error: NodeJS.ErrnoException) => error.code === 'ECONNREFUSED'

async function started(workers: number): Promise<ServerProcess> {
  const service = new ServerProcess({ ...serverEnvironment('draining'), WORKERS: String(workers) }, true)
  ending.unshift(() => service.close())
  await service.start()
  return service
}

/** Sends SIGTERM and waits for the end of the process. */
function terminate(service: ServerProcess): Promise<{ tookMs: number; code: number | null }> {
  const began = performance.now()
  process.kill(service.pid, 'SIGTERM')
  return service.ended().then((code) => ({ tookMs: performance.now() - began, code }))
}

interface SentRequest {
  path: string
  method?: string
  headers?: Record<string, string>
  body?: string
}

const json = { 'Content-Type': 'application/ld+json' }
const requests: SentRequest[] = [
  { path: '/locations' },
  { path: '/locations', headers: { 'Accept-Encoding': 'gzip' } },
  { path: '/countries', method: 'HEAD', headers: { 'Accept-Encoding': 'br' } },
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

async function send(service: ServerProcess, agent: Agent | false, { path, method, headers, body }: SentRequest) {
  const outgoing = request({
    host: '127.0.0.1',
    port: service.port,
    path,
    method,
    headers: { Authorization: `Bearer ${token}`, ...headers, ...(body && { 'Content-Length': body.length }) },
    agent,
  })
  outgoing.end(body)
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage]
  await buffer(response)
  return response
}

/** Sends requests until the server no longer listens. @returns the errors of requests that were cut */
async function sendUntilRefused(
  service: ServerProcess,
  agent: Agent | false,
  place: number,
  onEnd: () => void,
): Promise<string[]> {
  for (let count = place; ; count++)
    try {
      await send(service, agent, requests[count % requests.length])
    } catch (error) {
      return isRefused(error as NodeJS.ErrnoException) ? [] : [String(error)]
    } finally {
      onEnd()
    }
}

/** Shuts a server down while clients send requests. It must end well within the ten seconds that Docker gives. @returns the errors of cut requests */
async function shutDown(workers: number, agent: () => Agent | false): Promise<string[]> {
  const service = await started(workers)
  const clientErrors: Promise<string[]>[] = []
  // The kernel of a busy machine may still hold a first connection: each client has had a response before the shutdown.
  const firstResponses = Array.from({ length: clients }, (_, place) => {
    return new Promise<void>((resolve) => {
      clientErrors.push(sendUntilRefused(service, agent(), place, resolve))
    })
  })
  await Promise.all(firstResponses)
  await sleep(100)
  const { tookMs, code } = await terminate(service)
  expect(code).toBe(0)
  expect(tookMs).toBeLessThan(6000)
  return (await Promise.all(clientErrors)).flat()
}

describe.each([1, 2])('With WORKERS=%i', (workers) => {
  test('six shutdowns cut no request of clients that keep their connections', async () => {
    const keep = () => shutDown(workers, () => new Agent({ keepAlive: true, maxSockets: 1 }))
    for (let attempts = 0; attempts < 6; attempts++) expect(await keep()).toEqual([])
  }, 300_000)

  // The kernel resets a connection that it queues between the last accept and the close of the listener.
  test('clients that open a connection for each request lose at most one in a shutdown', async () => {
    for (let attempts = 0; attempts < 2; attempts++)
      expect((await shutDown(workers, () => false)).length).toBeLessThanOrEqual(1)
  }, 300_000)

  test('idle connections, used or unused, do not delay the end of the process', async () => {
    const service = await started(workers)
    const agent = new Agent({ keepAlive: true })
    await Promise.all([1, 2, 3, 4].map(() => send(service, agent, requests[0])))
    const unused = connect(service.port, '127.0.0.1').on('error', () => {})
    await once(unused, 'connect')
    const { tookMs, code } = await terminate(service)
    expect(code).toBe(0)
    expect(tookMs).toBeLessThan(6000)
  }, 60_000)

  test('every response during the drain says Connection: close', async () => {
    const service = await started(workers)
    const kept = () => new Agent({ keepAlive: true, maxSockets: 1 })
    const { headers } = await send(service, kept(), { path: '/countries' })
    expect(headers.connection).toBe('keep-alive')
    const known = { path: '/countries', headers: { 'If-None-Match': headers.etag as string } }
    const all = [...requests, known, { path: '/health/ready' }].map((request) => ({ request, agent: kept() }))
    await Promise.all(all.map(({ agent }) => send(service, agent, { path: '/health/live' })))
    const sendRest = sendHalf(service, `{"name":"half ${workers}"}`)
    await sleep(200)

    const terminated = terminate(service)
    await sleep(300)
    const responses = await Promise.all(all.map(({ request, agent }) => send(service, agent, request)))
    expect(responses.map(({ headers }) => headers.connection)).toEqual(responses.map(() => 'close'))
    expect(responses.map(({ statusCode }) => statusCode).slice(-2)).toEqual([304, 503])
    expect(await sendRest()).toMatch(/^HTTP\/1.1 201 (.|\r\n)*\r\nConnection: close\r\n/)
    expect((await terminated).code).toBe(0)
  }, 60_000)
})

/** Sends half of a POST. @returns a function that sends the rest and returns the response */
function sendHalf(service: ServerProcess, body: string): () => Promise<string> {
  const socket = connect(service.port, '127.0.0.1')
  const received = buffer(socket)
  const head = `POST /locations HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/ld+json\r\n`
  socket.write(`${head}Content-Length: ${body.length}\r\n\r\n${body.slice(0, 5)}`)
  return async () => {
    socket.write(body.slice(5))
    return String(await received)
  }
}

test('all pipelined requests of a client that reads slowly are answered', async () => {
  const service = await started(1)
  const socket = connect(service.port, '127.0.0.1')
  await once(socket, 'connect')
  // Their responses are larger than the buffers of both sides.
  const many = 60
  socket.write('GET /docs.jsonld HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(many))
  await sleep(500)
  const terminated = terminate(service)
  await sleep(2000)
  const received = String(await buffer(socket))
  expect(received.match(/HTTP\/1.1 200 OK\r\n/g)).toHaveLength(many)
  expect(received.endsWith('}')).toBe(true)
  expect((await terminated).code).toBe(0)
}, 60_000)

test('a body that is refused before it has arrived gets its response, and no reset', async () => {
  const service = await started(1)
  const socket = connect({ port: service.port, host: '127.0.0.1', allowHalfOpen: true })
  await once(socket, 'connect')
  const terminated = terminate(service)
  await sleep(200)
  const received: Buffer[] = []
  const closed = once(socket, 'close')
  socket.on('data', (piece) => received.push(piece))
  const size = 2_000_000
  socket.write(`POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: ${size}\r\n\r\n`)
  await eventually(() => expect(String(Buffer.concat(received))).toMatch(/^HTTP\/1.1 404 /))
  socket.end(Buffer.alloc(size, 'x'))
  const [failed] = await closed
  expect(failed).toBe(false)
  expect(String(Buffer.concat(received))).toContain('Connection: close\r\n')
  expect((await terminated).code).toBe(0)
}, 60_000)
