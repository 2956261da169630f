import { once } from 'node:events'
import { request } from 'node:http'
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { eventually } from '../support/eventually.ts'
import { serverEnvironment } from '../support/processes/server-environment.ts'
import { ServerProcess } from '../support/processes/server-process.ts'
import { openWorld } from '../support/world.ts'

const { ending, operator, tenant, tokenOf } = await openWorld()

interface Answer {
  status: number
  headers: Record<string, string | string[] | undefined>
  text: string
}

interface Line {
  pid: number
  level: number
  msg: string
  request?: string
  restartMs?: number
  worker?: number
}

const { owner, member } = tenant.users

function serviceOf(environment: Record<string, string> = {}): ServerProcess {
  const service = new ServerProcess(
    { ...serverEnvironment('workers'), WORKERS: '2', LOG_LEVEL: 'info', ...environment },
    true,
  )
  ending.unshift(() => service.close())
  return service
}

/** Sends a request over a new connection, so that any worker may get it. */
async function send(service: ServerProcess, path: string, user = owner, body?: object): Promise<Answer> {
  const headers = {
    Authorization: `Bearer ${await tokenOf(user)}`,
    ...(body && { 'Content-Type': 'application/json' }),
  }
  const method = body ? 'POST' : 'GET'
  const sent = request({ host: '127.0.0.1', port: service.port, path, method, headers, agent: false })
  sent.end(body && JSON.stringify(body))
  return answerTo(sent)
}

async function answerTo(sent: ReturnType<typeof request>): Promise<Answer> {
  // The connection may be cut before the caller awaits the response.
  sent.on('error', () => {})
  const [response] = await once(sent, 'response')
  const pieces: Buffer[] = []
  for await (const piece of response) pieces.push(piece)
  return { status: response.statusCode, headers: response.headers, text: Buffer.concat(pieces).toString() }
}

const linesOf = (service: ServerProcess): Line[] =>
  service.output
    .join('')
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line))

/** The process ids of the workers that have answered. */
const workersOf = (service: ServerProcess) => [
  ...new Set(
    linesOf(service)
      .filter(({ msg }) => msg === 'answered')
      .map(({ pid }) => pid),
  ),
]

/** Sends requests until two living workers have answered. */
async function bothWorkers(service: ServerProcess): Promise<number[]> {
  return eventually(
    async () => {
      await Promise.all(Array.from({ length: 8 }, () => send(service, '/locations')))
      return workersOf(service).filter(isAlive)
    },
    (found) => expect(found).toHaveLength(2),
    30,
  )
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

const untilGone = (pids: number[]) =>
  eventually(
    () => pids.filter(isAlive),
    (left) => expect(left).toEqual([]),
  )

describe('With WORKERS=2', () => {
  const service = serviceOf({ RATE_LIMITS: 'on' })
  beforeAll(() => service.start(), 60_000)

  test('two processes answer beside their parent, and log their process ids', async () => {
    const workers = await bothWorkers(service)
    expect(workers).not.toContain(service.pid)
    const { headers } = await send(service, '/locations')
    await eventually(
      () => linesOf(service).map(({ request }) => request),
      (ids) => expect(ids).toContain(headers['x-request-id']),
    )
    expect(linesOf(service).filter(({ msg }) => msg.startsWith('Listening'))).toMatchObject([{ pid: service.pid }])
    expect(service.output.join('')).not.toContain(await tokenOf(owner))
  })

  test('the workers count requests together', async () => {
    const left: number[] = []
    for (let count = 0; count < 6; count++)
      left.push(Number(/r=(\d+)/.exec(`${(await send(service, '/locations')).headers.ratelimit}`)?.[1]))
    expect(left.map((number) => left[0] - number)).toEqual([0, 1, 2, 3, 4, 5])

    const statuses = []
    for (let count = 0; count < 11; count++)
      statuses.push((await send(service, '/subscriptions/apply-coupon', owner, { code: 'GUESS' })).status)
    expect(statuses).toEqual([...Array(10).fill(409), 429])
  })

  test('every worker serves the metrics of all', async () => {
    for (let count = 0; count < 2; count++) {
      const { status, text } = await send(service, '/metrics', operator)
      expect(status).toBe(200)
      for (const worker of [0, 1, 2]) expect(text).toMatch(new RegExp(`process_cpu_seconds_total{worker="${worker}"}`))
      for (const worker of [1, 2])
        expect(text).toMatch(
          new RegExp(`duration_seconds_count{route="[^"]+",method="GET",status="200",worker="${worker}"} [1-9]`),
        )
      expect(text.match(/^stripe_events_oldest_pending_seconds/gm)).toHaveLength(1)
    }
  })

  test('a worker that is killed is replaced, and no request of a client that retries is lost', async () => {
    const [first] = await bothWorkers(service)
    const stopSending = sendRepeatedly(service)
    process.kill(first, 'SIGKILL')
    const second = await replacementOf(service, first, 100)
    process.kill(second, 'SIGKILL')
    await replacementOf(service, second, 200)
    expect(await stopSending()).toBeGreaterThan(0)
  })

  test('workers do not outlive their parent', async () => {
    const workers = await bothWorkers(service)
    await service.kill()
    await untilGone(workers)
  })
})

/** Sends requests, each until it is answered. @returns a function that stops them and returns their number */
function sendRepeatedly(service: ServerProcess): () => Promise<number> {
  let on = true
  const done = (async () => {
    let answered = 0
    for (; on; answered++) {
      const { status } = await eventually(() => send(service, '/countries', member))
      expect(status).toBe(200)
      await sleep(40)
    }
    return answered
  })()
  return () => {
    on = false
    return done
  }
}

/** Waits until a dead worker is replaced, and checks the log line. @returns the process id of the new worker */
async function replacementOf(service: ServerProcess, dead: number, restartMs: number): Promise<number> {
  const before = new Set(workersOf(service))
  await untilGone([dead])
  const found = (await bothWorkers(service)).find((pid) => !before.has(pid)) as number
  expect(linesOf(service).filter(({ worker }) => worker === dead)).toMatchObject([{ level: 50, restartMs }])
  return found
}

test.each<[string, (pid: number) => void]>([
  ['SIGTERM', (pid) => process.kill(pid, 'SIGTERM')],
  ['Ctrl-C, which a terminal sends to all of them', (pid) => process.kill(-pid, 'SIGINT')],
  ['SIGTERM to all of them', (pid) => process.kill(-pid, 'SIGTERM')],
])(
  'after %s the running requests are answered, and no process is left',
  async (title, sendSignal) => {
    const service = serviceOf()
    await service.start()
    const workers = await bothWorkers(service)
    const body = JSON.stringify({ name: title })
    const headers = { Authorization: `Bearer ${await tokenOf(owner)}`, 'Content-Type': 'application/ld+json' }
    const path = { host: '127.0.0.1', port: service.port, path: '/locations', method: 'POST' }
    const sent = request({ ...path, headers: { ...headers, 'Content-Length': body.length }, agent: false })
    sent.write(body.slice(0, 10))
    await sleep(100)

    sendSignal(service.pid)
    await sleep(500)
    expect([service.pid, ...workers].filter(isAlive)).toContain(service.pid)
    sent.end(body.slice(10))

    expect((await answerTo(sent)).status).toBe(201)
    expect(await service.ended()).toBe(0)
    await untilGone(workers)
  },
  60_000,
)

test('the start fails when the workers cannot listen', async () => {
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  const service = serviceOf()
  service.port = (other.address() as { port: number }).port
  await expect(service.start()).rejects.toThrow(/PORT \d+ is in use on 127\.0\.0\.1\. Set PORT to another, /)
  expect(await service.ended()).toBe(1)
  other.close()
}, 60_000)
