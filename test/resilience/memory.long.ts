import { readFile } from 'node:fs/promises'
import { Agent, request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { Employee, Meeting } from '../../entities/index.ts'
import { serverEnvironment } from '../support/processes/server-environment.ts'
import { ServerProcess } from '../support/processes/server-process.ts'
import { morning, openWorld } from '../support/world.ts'

const { ending, given, tenant, tokenOf } = await openWorld()

/*
 * Mixed traffic must not leak memory: in pages and their formats, the JSON-LD thread, stored responses of idempotent requests,
 * cached tokens and callers, or connections.
 */

/** Limits of a process's resident memory in megabytes: without traffic, and at its peak. */
const limitsMb = { idle: 200, soak: 300, rest: 200 }

/** Half a minute after traffic, the threads have ended and the garbage is collected. */
const restMs = 30_000

const seconds = 20
const agent = new Agent({ keepAlive: true, maxSockets: 16 })
const service = new ServerProcess(serverEnvironment('memory'))
ending.unshift(async () => {
  agent.destroy()
  await service.close()
})

const employee = await given(Employee, { name: 'Olga' })
const meetings = await Promise.all(
  Array.from({ length: 100 }, (_, index) => given(Meeting, { ...morning, employee, notes: `Meeting ${index}` })),
)
const token = await tokenOf(tenant.users.owner)

// Only Linux reports the peak memory of a process.
const measured = process.platform === 'linux' ? test : test.skip

measured(
  'A process takes at most 200 MB before traffic, 300 MB under it, and 200 MB half a minute after it',
  async () => {
    await service.start()
    await sleep(2000)
    expect(await megabytes('VmRSS')).toBeLessThan(limitsMb.idle)
    const statuses = new Map<number, number>()
    const end = Date.now() + seconds * 1000
    await Promise.all(
      Array.from({ length: 16 }, async (_, client) => {
        for (let turn = client; Date.now() < end; turn++) {
          const status = await kinds[turn % kinds.length](turn)
          statuses.set(status, (statuses.get(status) ?? 0) + 1)
        }
      }),
    )
    expect([...statuses.keys()].sort()).toEqual([200, 201, 422])
    expect(await megabytes('VmHWM')).toBeLessThan(limitsMb.soak)
    await sleep(restMs)
    expect(await megabytes('VmRSS')).toBeLessThan(limitsMb.rest)
  },
  120_000,
)

const kinds: ((turn: number) => Promise<number>)[] = [
  (turn) => ask('GET', `/meetings/${meetings[turn % meetings.length].id}`),
  () => ask('GET', '/meetings?itemsPerPage=100'),
  () => ask('GET', '/meetings.csv?itemsPerPage=100'),
  () => ask('GET', '/meetings', { Accept: 'text/turtle' }),
  () => ask('GET', '/docs.jsonld'),
  () => ask('GET', '/docs.jsonopenapi'),
  () => ask('GET', '/organizations'),
  () => ask('GET', '/employees?q=olga'),
  (turn) => ask('GET', `/meetings/${meetings[turn % meetings.length].id}`, { Accept: 'text/html' }),
  (turn) => ask('POST', '/meetings', { 'Idempotency-Key': `soak-${turn}` }, meetingAt(turn)),
  () => ask('POST', '/meetings', {}, { '@context': { n: 'https://schema.org/description' }, n: 'x' }),
]

function meetingAt(turn: number): object {
  const at = new Date(Date.UTC(2030, 0, 1) + turn * 60_000)
  return {
    employee: `/employees/${employee.id}`,
    dateFrom: at,
    dateTo: new Date(at.getTime() + 60_000),
    notes: 'x'.repeat(200),
  }
}

function ask(method: string, path: string, headers: Record<string, string> = {}, body?: object): Promise<number> {
  return new Promise((resolve, reject) => {
    const all = {
      Authorization: `Bearer ${token}`,
      ...(body && { 'Content-Type': 'application/ld+json' }),
      ...headers,
    }
    const sent = request({ host: '127.0.0.1', port: service.port, method, path, headers: all, agent }, (response) => {
      response.resume()
      response.on('end', () => resolve(response.statusCode as number))
    })
    sent.on('error', reject)
    sent.end(body && JSON.stringify(body))
  })
}

/** A memory value of the process from /proc/<pid>/status (proc_pid_status(5)). */
async function megabytes(name: 'VmRSS' | 'VmHWM'): Promise<number> {
  const status = await readFile(`/proc/${service.pid}/status`, 'utf8')
  return Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)?.[1]) / 1024
}
