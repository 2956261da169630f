import { readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'pg'
import { eventually } from '../support/eventually.ts'
import { embedded, serverEnvironment } from '../support/processes/server-environment.ts'
import { PostgresProcess, ServerProcess } from '../support/processes/server-process.ts'
import { openWorld } from '../support/world.ts'

const { ending } = await openWorld()

/* The postmaster or a backend of the embedded Postgres is killed, with one process, with two, and with two servers on it. */
const cluster = new PostgresProcess()
let directory = ''
beforeAll(async () => {
  await cluster.start()
  directory = cluster.postgres.directory
  await cluster.postgres.stop()
}, 60_000)
ending.unshift(() => cluster.remove())

async function started(workers: number): Promise<ServerProcess> {
  const environment = { ...embedded, DATA_DIR: dirname(directory), WORKERS: String(workers), LOG_LEVEL: 'info' }
  const service = new ServerProcess({ ...serverEnvironment('restart'), ...environment }, true)
  ending.unshift(() => service.close())
  await service.start()
  // With workers, one may answer before all have started.
  await eventually(() => expect(service.output.join('')).toContain('Listening: start'), undefined, 30)
  return service
}

async function postmaster(): Promise<number> {
  return Number.parseInt(await readFile(join(directory, 'postmaster.pid'), 'utf8'), 10)
}

async function backend(): Promise<number> {
  const host = (await readFile(join(directory, 'postmaster.pid'), 'utf8')).split('\n')[4]
  const client = new Client({ host, port: 5432, user: 'postgres', database: 'organization' })
  client.on('error', () => {})
  await client.connect()
  const { rows } = await client.query(
    `SELECT "pid" FROM pg_stat_activity WHERE "application_name" = 'organization-api' LIMIT 1`,
  )
  await client.end()
  return rows[0].pid
}

/** Sends requests until two hundred in a row succeed. @returns the statuses before */
async function statusesUntilStable(service: ServerProcess): Promise<Set<string>> {
  const seen = new Set<string>()
  let row = 0
  await eventually(
    async () => {
      const path = `http://127.0.0.1:${service.port}/countries?q=${Math.random()}`
      const response = await fetch(`http://127.0.0.1:${service.port}/health/ready`, {
        headers: { Connection: 'close' },
      })
      await fetch(path).then((other) => other.arrayBuffer())
      await response.arrayBuffer()
      row = response.status === 200 ? row + 1 : 0
      seen.add(`${response.status} ${response.headers.get('Retry-After')}`)
      expect(row).toBeGreaterThan(100)
    },
    undefined,
    60,
  )
  return seen
}

test.each([1, 2])(
  'a Postgres that is killed restarts, and requests get 503 meanwhile, with WORKERS=%i',
  async (workers) => {
    const service = await started(workers)
    for (const pidOf of [postmaster, backend]) {
      process.kill(await pidOf(), 'SIGKILL')
      for (const status of await statusesUntilStable(service)) expect(['200 null', '503 2']).toContain(status)
    }
    process.kill(service.pid, 'SIGTERM')
    const code = await service.ended()
    expect(code === 0 ? '' : service.output.join('')).toBe('')
    await expect(postmaster()).rejects.toThrow('ENOENT')
  },
  180_000,
)

test('a Postgres that cannot restart ends the server with a log line', async () => {
  const service = await started(1)
  const settings = join(directory, 'postgresql.auto.conf')
  const before = await readFile(settings, 'utf8')
  await writeFile(settings, `${before}\nshared_buffers = 'nonsense'\n`)
  process.kill(await postmaster(), 'SIGKILL')
  expect(await service.ended()).toBe(1)
  expect(service.output.join('')).toContain('Postgres could not be restarted, so the server stops.')
  await writeFile(settings, before)
  await sleep(100)
}, 180_000)
