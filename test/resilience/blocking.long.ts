import { once } from 'node:events'
import { get } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { eventually } from '../support/eventually.ts'
import { serverEnvironment } from '../support/processes/server-environment.ts'
import { ServerProcess } from '../support/processes/server-process.ts'
import { ending } from '../support/world.ts'

/** A process that no longer turns its event loop: the only one, a worker, the first one; blocked or stopped; while it shuts down. */
const spins = 'for (;;);'
const waits = 'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)'

async function started(workers: number, block = waits): Promise<ServerProcess> {
  const blocks = `--import=data:text/javascript,${encodeURIComponent(`process.on("SIGUSR2", () => { ${block} })`)}`
  const environment = { WORKERS: String(workers), LOG_LEVEL: 'info', NODE_OPTIONS: blocks }
  const service = new ServerProcess({ ...serverEnvironment('blocking'), ...environment }, true)
  ending.unshift(async () => {
    for (const pid of workersOf(service).filter(lives)) process.kill(pid, 'SIGKILL')
    await service.close()
  })
  await service.start()
  return service
}

const linesOf = (service: ServerProcess): { pid: number; msg: string }[] =>
  service.said
    .join('')
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line))

const workersOf = (service: ServerProcess) => [
  ...new Set(
    linesOf(service)
      .filter(({ msg }) => msg === 'answered')
      .map(({ pid }) => pid),
  ),
]

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

async function ask(service: ServerProcess): Promise<void> {
  const [response] = await once(
    get({ host: '127.0.0.1', port: service.port, path: '/countries', agent: false }),
    'response',
  )
  response.resume()
  await once(response, 'end')
}

/** Asks until two workers that are alive have answered. */
function both(service: ServerProcess): Promise<number[]> {
  return eventually(
    async () => {
      for (let count = 0; count < 8; count++) ask(service).catch(() => {})
      await sleep(100)
      return workersOf(service).filter(lives)
    },
    (found) => expect(found.length).toBeGreaterThanOrEqual(2),
    30,
  )
}

test.concurrent.each(['SIGUSR2', 'SIGSTOP'] as const)(
  'a worker that does not answer after %s is replaced, and a sentence says so',
  async (signal) => {
    const service = await started(2)
    const [first] = await both(service)
    process.kill(first, signal)
    await eventually(() => expect(lives(first)).toBe(false), undefined, 40)
    expect(linesOf(service).map(({ msg }) => msg)).toContain(
      'A worker sent no heartbeat for 10 s. It is killed and replaced.',
    )
    await both(service)
  },
  120_000,
)

test.concurrent('SIGTERM ends a server with a blocked worker within 15 s', async () => {
  const service = await started(2)
  const workers = await both(service)
  process.kill(workers[0], 'SIGUSR2')
  await sleep(300)
  const began = performance.now()
  process.kill(service.pid, 'SIGTERM')
  await service.ended()
  expect(performance.now() - began).toBeLessThan(15_000)
  expect(workers.filter(lives)).toEqual([])
}, 120_000)

test.concurrent.each([1, 2])(
  'the first process ends when it is blocked, with WORKERS=%i, and nothing is left',
  async (workers) => {
    const service = await started(workers, workers > 1 ? waits : spins)
    const others = workers > 1 ? await both(service) : []
    process.kill(service.pid, 'SIGUSR2')
    expect(await service.ended()).not.toBe(0)
    expect(service.said.join('')).toContain('The event loop has been blocked for 10 s')
    await eventually(() => expect(others.filter(lives)).toEqual([]), undefined, 20)
  },
  120_000,
)
