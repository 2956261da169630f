import { once } from 'node:events'
import { get } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { eventually } from '../support/eventually.ts'
import { serverEnvironment } from '../support/processes/server-environment.ts'
import { ServerProcess } from '../support/processes/server-process.ts'
import { openWorld } from '../support/world.ts'

const { ending } = await openWorld()

/* The event loop is blocked in the only process, in a worker or in the parent, also during a shutdown. Or a process is stopped. */
const busyLoop = 'for (;;);'
const blockedWait = 'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)'

async function started(workers: number, block = blockedWait): Promise<ServerProcess> {
  const preload = `--import=data:text/javascript,${encodeURIComponent(`process.on("SIGUSR2", () => { ${block} })`)}`
  const environment = { WORKERS: String(workers), LOG_LEVEL: 'info', NODE_OPTIONS: preload }
  const service = new ServerProcess({ ...serverEnvironment('blocking'), ...environment }, true)
  ending.unshift(async () => {
    for (const pid of workersOf(service).filter(isAlive)) process.kill(pid, 'SIGKILL')
    await service.close()
  })
  await service.start()
  return service
}

const linesOf = (service: ServerProcess): { pid: number; msg: string }[] =>
  service.output
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

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

async function send(service: ServerProcess): Promise<void> {
  const [response] = await once(
    get({ host: '127.0.0.1', port: service.port, path: '/countries', agent: false }),
    'response',
  )
  response.resume()
  await once(response, 'end')
}

/** Sends requests until two living workers have answered. */
function bothWorkers(service: ServerProcess): Promise<number[]> {
  return eventually(
    async () => {
      for (let count = 0; count < 8; count++) send(service).catch(() => {})
      await sleep(100)
      return workersOf(service).filter(isAlive)
    },
    (found) => expect(found.length).toBeGreaterThanOrEqual(2),
    30,
  )
}

test.concurrent.each(['SIGUSR2', 'SIGSTOP'] as const)(
  'a worker that does not answer after %s is replaced, and a log line says so',
  async (signal) => {
    const service = await started(2)
    const [first] = await bothWorkers(service)
    process.kill(first, signal)
    await eventually(() => expect(isAlive(first)).toBe(false), undefined, 40)
    expect(linesOf(service).map(({ msg }) => msg)).toContain(
      'A worker sent no heartbeat for 10 s. It is killed and replaced.',
    )
    await bothWorkers(service)
  },
  120_000,
)

test.concurrent('SIGTERM ends a server with a blocked worker within 15 s', async () => {
  const service = await started(2)
  const workers = await bothWorkers(service)
  process.kill(workers[0], 'SIGUSR2')
  await sleep(300)
  const began = performance.now()
  process.kill(service.pid, 'SIGTERM')
  await service.ended()
  expect(performance.now() - began).toBeLessThan(15_000)
  expect(workers.filter(isAlive)).toEqual([])
}, 120_000)

test.concurrent.each([1, 2])(
  'a blocked parent process is killed with WORKERS=%i, and no process is left',
  async (workers) => {
    const service = await started(workers, workers > 1 ? blockedWait : busyLoop)
    const others = workers > 1 ? await bothWorkers(service) : []
    process.kill(service.pid, 'SIGUSR2')
    expect(await service.ended()).not.toBe(0)
    expect(service.output.join('')).toContain('The event loop has been blocked for 10 s')
    await eventually(() => expect(others.filter(isAlive)).toEqual([]), undefined, 20)
  },
  120_000,
)
