import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Employee, Meeting, Organization } from '../entities/index.ts'
import { connectTo, withoutTimeouts } from '../ormconfig.ts'
import { localIssuer, ownIssuer } from '../src/access/token-issuer-keys.ts'
import { seedDemo, tokenFor } from '../src/demo/demo.ts'
import { migrate } from '../src/migrations/migrate.ts'
import { launch } from '../src/postgres/launcher.ts'
import { survivePoolErrors } from '../src/runtime/database.ts'
import { cpuOf } from './cpu.ts'
import { type BenchRequest, closeConnections, send, sendMany } from './requests.ts'
import { addMeetings, rowCountingRatios } from './row-counting.ts'

/** Prints the CPU cost of requests, server and Postgres together, and that of the same responses from a bare server. */
const rounds = Number(process.env.ROUNDS ?? 7)
const connections = 8
const depth = 3000
const ports = { ours: 3997, bare: 3998 }

const directory = await mkdtemp(join(tmpdir(), 'bench-'))
const postgres = await launch(directory)
const postmaster = Number(readFileSync(join(postgres.directory, 'postmaster.pid'), 'utf8').split('\n')[0])
const database = await connectTo(
  { host: postgres.host, port: postgres.port, username: postgres.user, database: postgres.database },
  2,
).initialize()
survivePoolErrors(database)
await migrate(database)
const issuer = await ownIssuer(localIssuer, directory)
await seedDemo(database, localIssuer, { manualBilling: true })
const { id: organization } = await database.manager.findOneByOrFail(Organization, { slug: 'van-dijk' })
const meetings = await database.manager.find(Meeting, {
  where: { organizationId: organization },
  order: { id: 'ASC' },
  take: 60,
})
const employee = await database.manager.findOneByOrFail(Employee, { organizationId: organization })
const authorization = `Bearer ${await tokenFor(database, issuer, 'owner')}`
await database.query('VACUUM ANALYZE')

const url = `postgres://${postgres.user}@localhost/${postgres.database}?host=${postgres.host}`
const publicUrl = `http://127.0.0.1:${ports.ours}`
const servers = {
  ours: start(process.execPath, ['--min-semi-space-size=16', '--max-semi-space-size=16', 'dist/src/server.js'], {
    DATABASE_URL: url,
    DATA_DIR: directory,
    PORT: String(ports.ours),
    PUBLIC_URL: publicUrl,
  }),
  bare: start(process.execPath, ['--import', 'tsx', 'bench/bare-server.ts'], {
    DATABASE_URL: url,
    ORGANIZATION: organization,
    PORT: String(ports.bare),
    PUBLIC_URL: publicUrl,
  }),
}

type CaseRequest = Pick<BenchRequest, 'method' | 'path' | 'body'> & Partial<Pick<BenchRequest, 'headers'>>

interface Case {
  name: string
  count: number
  status: number
  requests(): CaseRequest[] | Promise<CaseRequest[]>
  /** Whether both servers must send the same bytes. */
  sameBody: boolean
}

const body = JSON.stringify({
  employee: `/employees/${employee.id}`,
  dateFrom: '2026-06-01T08:00:00Z',
  dateTo: '2026-06-01T09:00:00Z',
})
const cases: Case[] = [
  {
    name: 'GET item',
    count: 6000,
    status: 200,
    sameBody: true,
    requests: () => meetings.map(({ id }) => ({ method: 'GET', path: `/meetings/${id}` })),
  },
  {
    name: 'GET item, 304',
    count: 6000,
    status: 304,
    sameBody: false,
    requests: () => Promise.all(meetings.map(({ id }) => conditional({ method: 'GET', path: `/meetings/${id}` }))),
  },
  getCase('GET page of 30', 2500, '/meetings'),
  getCase('GET filtered', 2500, `/meetings?employee=/employees/${employee.id}`),
  getCase('GET /countries', 2500, '/countries'),
  getCase('GET /docs.jsonld', 2500, '/docs.jsonld'),
  {
    name: 'POST',
    count: 1000,
    status: 201,
    sameBody: false,
    requests: () => [{ method: 'POST', path: '/meetings', body }],
  },
]

try {
  await untilReady({ method: 'GET', path: '/' }, 'ours')
  await untilReady({ method: 'GET', path: '/meetings' }, 'bare')
  console.log(
    `CPU a request, process tree and Postgres, ${connections} connections, ${rounds} alternating rounds; median (least–most)`,
  )
  for (const measured of cases) await compare(measured)
  await compareDepth()
  const ratios = await rowCountingRatios(url, organization, rounds)
  console.log(`Inserts by 16 writers, time with row counting by time without: ratio ${spread(ratios)}`)
} finally {
  closeConnections()
  for (const server of Object.values(servers)) server.kill('SIGTERM')
  await database.destroy()
  await sleep(500)
  await postgres.stop()
  for (const folder of [directory, dirname(postgres.directory)]) await rm(folder, { recursive: true, force: true })
}

async function compare(measured: Case): Promise<void> {
  if (measured.sameBody) await requireSameBody(measured)
  for (const side of ['ours', 'bare'] as const) await cost(side, measured)
  const costs: { ours: number; bare: number; ratio: number }[] = []
  for (let round = 0; round < rounds; round++) {
    const ours = await cost('ours', measured)
    const bare = await cost('bare', measured)
    costs.push({ ours, bare, ratio: ours / bare })
  }
  const [ours, bare, ratio] = (['ours', 'bare', 'ratio'] as const).map((name) => spread(costs.map((one) => one[name])))
  console.log(`${measured.name.padEnd(17)} ours ${ours} ms   bare ${bare} ms   ratio ${ratio}`)
}

/** Follows `next` through 100,000 meetings, and prints the cost of a late page beside that of the first. */
async function compareDepth(): Promise<void> {
  const { id } = await database.manager.findOneByOrFail(Organization, { slug: 'elders' })
  const seeding = await withoutTimeouts(database).initialize()
  await addMeetings(seeding, id, 100_000)
  await seeding.destroy()
  const headers = { Authorization: `Bearer ${await issuer.sign({ sub: 'demo-stranger', lifetime: 3600 })}` }
  const pages = ['/meetings?page=1']
  for (let page = 1; page < depth; page++) {
    const response = await send(prepared({ method: 'GET', path: pages[page - 1], headers }, 'ours'))
    pages.push(JSON.parse(response.body).view.next)
  }
  const at = (path: string) =>
    cost('ours', { ...getCase('', 1000, path), requests: () => [{ method: 'GET', path, headers }] })
  const ratios: number[] = []
  for (let round = 0; round < rounds; round++) {
    const first = await at(pages[0])
    ratios.push((await at(pages[depth - 1])) / first)
  }
  console.log(`Page ${depth} of 100,000 rows by its cursor, cost by that of page 1: ratio ${spread(ratios)}`)
}

function getCase(name: string, count: number, path: string): Case {
  return { name, count, status: 200, sameBody: true, requests: () => [{ method: 'GET', path }] }
}

/** The same request from a client that has the response cached. */
async function conditional(request: CaseRequest): Promise<CaseRequest> {
  const { etag = '' } = await send(prepared(request, 'ours'))
  return { ...request, headers: { 'If-None-Match': etag } }
}

async function cost(side: 'ours' | 'bare', { requests, count, status }: Case): Promise<number> {
  const sent = (await requests()).map((request) => prepared(request, side))
  const pids = [servers[side].pid as number, postmaster]
  const before = cpuOf(...pids)
  await sendMany(sent, count, connections, status)
  return (cpuOf(...pids) - before) / count
}

async function requireSameBody({ name, requests }: Case): Promise<void> {
  const [request] = await requests()
  const [ours, bare] = await Promise.all([send(prepared(request, 'ours')), send(prepared(request, 'bare'))])
  if (ours.body !== bare.body) throw new Error(`${name}: the two responses differ.\n${ours.body}\n${bare.body}`)
}

function prepared(request: CaseRequest, side: 'ours' | 'bare'): BenchRequest {
  const type = request.body && {
    'Content-Type': 'application/ld+json',
    'Content-Length': String(Buffer.byteLength(request.body)),
  }
  return { ...request, port: ports[side], headers: { Authorization: authorization, ...type, ...request.headers } }
}

function spread(values: number[]): string {
  const sorted = values.toSorted((a, b) => a - b)
  return `${sorted[Math.floor(sorted.length / 2)].toFixed(3)} (${sorted[0].toFixed(3)}–${sorted[sorted.length - 1].toFixed(3)})`
}

function start(command: string, args: string[], environment: Record<string, string>): ChildProcess {
  return spawn(command, args, {
    env: { ...process.env, LOG_LEVEL: 'warn', ...environment },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
}

async function untilReady(request: Pick<BenchRequest, 'method' | 'path'>, side: 'ours' | 'bare'): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    const response = await send(prepared(request, side)).catch(() => undefined)
    if (response?.status === 200) return
    await sleep(100)
  }
  throw new Error(`The server "${side}" does not answer.`)
}
