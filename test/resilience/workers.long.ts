import { once } from 'node:events'
import { request } from 'node:http'
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { eventually } from '../support/eventually.ts'
import { serverEnvironment } from '../support/processes/server-environment.ts'
import { ServerProcess } from '../support/processes/server-process.ts'
import { ending, operator, tenant, tokenOf } from '../support/world.ts'

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

/** Asks over a connection of its own, so that it may come to any of the workers. */
async function ask(service: ServerProcess, path: string, user = owner, body?: object): Promise<Answer> {
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
  // Whoever waits for it hears that the connection was cut; nobody may wait at that moment.
  sent.on('error', () => {})
  const [response] = await once(sent, 'response')
  const pieces: Buffer[] = []
  for await (const piece of response) pieces.push(piece)
  return { status: response.statusCode, headers: response.headers, text: Buffer.concat(pieces).toString() }
}

const linesOf = (service: ServerProcess): Line[] =>
  service.said
    .join('')
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line))

/** The workers that have answered. */
const workersOf = (service: ServerProcess) => [
  ...new Set(
    linesOf(service)
      .filter(({ msg }) => msg === 'answered')
      .map(({ pid }) => pid),
  ),
]

/** Asks until two workers that are alive have answered. */
async function both(service: ServerProcess): Promise<number[]> {
  return eventually(
    async () => {
      await Promise.all(Array.from({ length: 8 }, () => ask(service, '/locations')))
      return workersOf(service).filter(lives)
    },
    (found) => expect(found).toHaveLength(2),
  )
}

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

const gone = (pids: number[]) =>
  eventually(
    () => pids.filter(lives),
    (left) => expect(left).toEqual([]),
  )

describe('With WORKERS=2', () => {
  const service = serviceOf({ RATE_LIMITS: 'on' })
  beforeAll(() => service.start(), 60_000)

  test('two processes answer, beside the one that has started them, and say under which id', async () => {
    const workers = await both(service)
    expect(workers).not.toContain(service.pid)
    const { headers } = await ask(service, '/locations')
    await eventually(
      () => linesOf(service).map(({ request }) => request),
      (ids) => expect(ids).toContain(headers['x-request-id']),
    )
    expect(linesOf(service).filter(({ msg }) => msg.startsWith('Listening'))).toMatchObject([{ pid: service.pid }])
    expect(service.said.join('')).not.toContain(await tokenOf(owner))
  })

  test('they count as one who asks how often', async () => {
    const left: number[] = []
    for (let count = 0; count < 6; count++)
      left.push(Number(/r=(\d+)/.exec(`${(await ask(service, '/locations')).headers.ratelimit}`)?.[1]))
    expect(left.map((number) => left[0] - number)).toEqual([0, 1, 2, 3, 4, 5])

    const statuses = []
    for (let count = 0; count < 11; count++)
      statuses.push((await ask(service, '/subscriptions/apply-coupon', owner, { code: 'GUESS' })).status)
    expect(statuses).toEqual([...Array(10).fill(409), 429])
  })

  test('the operator sees them all, whichever is asked', async () => {
    for (let count = 0; count < 2; count++) {
      const { status, text } = await ask(service, '/metrics', operator)
      expect(status).toBe(200)
      for (const worker of [0, 1, 2]) expect(text).toMatch(new RegExp(`process_cpu_seconds_total{worker="${worker}"}`))
      for (const worker of [1, 2])
        expect(text).toMatch(new RegExp(`duration_seconds_count{method="GET",status="200",worker="${worker}"} [1-9]`))
      expect(text.match(/^stripe_events_oldest_pending_seconds/gm)).toHaveLength(1)
    }
  })

  test('one that is killed is replaced, and no request of a client that tries again is lost', async () => {
    const [first] = await both(service)
    const asked = asking(service)
    process.kill(first, 'SIGKILL')
    const second = await replaced(service, first, 100)
    process.kill(second, 'SIGKILL')
    await replaced(service, second, 200)
    expect(await asked()).toBeGreaterThan(0)
  })

  test('they do not outlive the process that has started them', async () => {
    const workers = await both(service)
    await service.kill()
    await gone(workers)
  })
})

/** Asks again and again, each time until there is an answer; gives back how to stop, which tells how often. */
function asking(service: ServerProcess): () => Promise<number> {
  let on = true
  const done = (async () => {
    let answered = 0
    for (; on; answered++) {
      const { status } = await eventually(() => ask(service, '/countries', member))
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

/** Who answers instead of one that has died, which is told of with how long it took to be replaced. */
async function replaced(service: ServerProcess, dead: number, restartMs: number): Promise<number> {
  const before = new Set(workersOf(service))
  await gone([dead])
  const found = (await both(service)).find((pid) => !before.has(pid)) as number
  expect(linesOf(service).filter(({ worker }) => worker === dead)).toMatchObject([{ level: 50, restartMs }])
  return found
}

test.each<[string, (pid: number) => void]>([
  ['SIGTERM', (pid) => process.kill(pid, 'SIGTERM')],
  ['Ctrl-C, which the terminal has all of them hear', (pid) => process.kill(-pid, 'SIGINT')],
  ['SIGTERM to all of them', (pid) => process.kill(-pid, 'SIGTERM')],
])(
  'after %s what is under way is answered, and nothing is left',
  async (title, tell) => {
    const service = serviceOf()
    await service.start()
    const workers = await both(service)
    const body = JSON.stringify({ name: title })
    const headers = { Authorization: `Bearer ${await tokenOf(owner)}`, 'Content-Type': 'application/ld+json' }
    const path = { host: '127.0.0.1', port: service.port, path: '/locations', method: 'POST' }
    const sent = request({ ...path, headers: { ...headers, 'Content-Length': body.length }, agent: false })
    sent.write(body.slice(0, 10))
    await sleep(100)

    tell(service.pid)
    await sleep(500)
    expect([service.pid, ...workers].filter(lives)).toContain(service.pid)
    sent.end(body.slice(10))

    expect((await answerTo(sent)).status).toBe(201)
    expect(await service.ended()).toBe(0)
    await gone(workers)
  },
  60_000,
)

test('where they cannot listen, the start is given up', async () => {
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  const service = serviceOf()
  service.port = (other.address() as { port: number }).port
  await expect(service.start()).rejects.toThrow(/PORT \d+ is in use on 127\.0\.0\.1\. Set PORT to another, /)
  expect(await service.ended()).toBe(1)
  other.close()
}, 60_000)
