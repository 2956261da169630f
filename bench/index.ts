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
import { type Ask, load, once, release } from './requests.ts'
import { counting, plenty } from './row-counting.ts'

/** Prints what a request costs in CPU, server and Postgres together, beside the same answer from a bare server. */
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

type Question = Pick<Ask, 'method' | 'path' | 'body'> & Partial<Pick<Ask, 'headers'>>

interface Case {
  name: string
  times: number
  status: number
  asks(): Question[] | Promise<Question[]>
  /** Whether both servers must answer with the same bytes. */
  same: boolean
}

const body = JSON.stringify({
  employee: `/employees/${employee.id}`,
  dateFrom: '2026-06-01T08:00:00Z',
  dateTo: '2026-06-01T09:00:00Z',
})
const cases: Case[] = [
  {
    name: 'GET item',
    times: 6000,
    status: 200,
    same: true,
    asks: () => meetings.map(({ id }) => ({ method: 'GET', path: `/meetings/${id}` })),
  },
  {
    name: 'GET item, 304',
    times: 6000,
    status: 304,
    same: false,
    asks: () => Promise.all(meetings.map(({ id }) => known({ method: 'GET', path: `/meetings/${id}` }))),
  },
  getting('GET page of 30', 2500, '/meetings'),
  getting('GET filtered', 2500, `/meetings?employee=/employees/${employee.id}`),
  getting('GET /countries', 2500, '/countries'),
  getting('GET /docs.jsonld', 2500, '/docs.jsonld'),
  { name: 'POST', times: 1000, status: 201, same: false, asks: () => [{ method: 'POST', path: '/meetings', body }] },
]

try {
  await ready({ method: 'GET', path: '/' }, 'ours')
  await ready({ method: 'GET', path: '/meetings' }, 'bare')
  console.log(
    `CPU a request, process tree and Postgres, ${connections} connections, ${rounds} alternating rounds; median (least–most)`,
  )
  for (const measured of cases) await compare(measured)
  await compareDepth()
  const ratios = await counting(database, url, organization, rounds)
  console.log(`Inserts by 16 writers, counted beside not counted, in time: ratio ${spread(ratios)}`)
} finally {
  release()
  for (const server of Object.values(servers)) server.kill('SIGTERM')
  await database.destroy()
  await sleep(500)
  await postgres.stop()
  for (const folder of [directory, dirname(postgres.directory)]) await rm(folder, { recursive: true, force: true })
}

async function compare(measured: Case): Promise<void> {
  if (measured.same) await requireSame(measured)
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

/** Follows `next` through 100,000 meetings, and prints what a page costs there beside the first. */
async function compareDepth(): Promise<void> {
  const { id } = await database.manager.findOneByOrFail(Organization, { slug: 'elders' })
  const filling = await withoutTimeouts(database).initialize()
  await plenty(filling, id, 100_000)
  await filling.destroy()
  const headers = { Authorization: `Bearer ${await issuer.sign({ sub: 'demo-stranger', lifetime: 3600 })}` }
  const pages = ['/meetings?page=1']
  for (let page = 1; page < depth; page++) {
    const answer = await once(dressed({ method: 'GET', path: pages[page - 1], headers }, 'ours'))
    pages.push(JSON.parse(answer.body).view.next)
  }
  const at = (path: string) =>
    cost('ours', { ...getting('', 1000, path), asks: () => [{ method: 'GET', path, headers }] })
  const ratios: number[] = []
  for (let round = 0; round < rounds; round++) {
    const first = await at(pages[0])
    ratios.push((await at(pages[depth - 1])) / first)
  }
  console.log(`Page ${depth} of 100,000 rows by its cursor, beside page 1: ratio ${spread(ratios)}`)
}

function getting(name: string, times: number, path: string): Case {
  return { name, times, status: 200, same: true, asks: () => [{ method: 'GET', path }] }
}

/** The same question from a client that has the answer already. */
async function known(question: Question): Promise<Question> {
  const { etag = '' } = await once(dressed(question, 'ours'))
  return { ...question, headers: { 'If-None-Match': etag } }
}

async function cost(side: 'ours' | 'bare', { asks, times, status }: Case): Promise<number> {
  const questions = (await asks()).map((ask) => dressed(ask, side))
  const pids = [servers[side].pid as number, postmaster]
  const before = cpuOf(...pids)
  await load(questions, times, connections, status)
  return (cpuOf(...pids) - before) / times
}

async function requireSame({ name, asks }: Case): Promise<void> {
  const [ask] = await asks()
  const [ours, bare] = await Promise.all([once(dressed(ask, 'ours')), once(dressed(ask, 'bare'))])
  if (ours.body !== bare.body) throw new Error(`${name}: the two answers differ.\n${ours.body}\n${bare.body}`)
}

function dressed(ask: Question, side: 'ours' | 'bare'): Ask {
  const type = ask.body && {
    'Content-Type': 'application/ld+json',
    'Content-Length': String(Buffer.byteLength(ask.body)),
  }
  return { ...ask, port: ports[side], headers: { Authorization: authorization, ...type, ...ask.headers } }
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

async function ready(ask: Pick<Ask, 'method' | 'path'>, side: 'ours' | 'bare'): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    const answer = await once(dressed(ask, side)).catch(() => undefined)
    if (answer?.status === 200) return
    await sleep(100)
  }
  throw new Error(`The server "${side}" does not answer.`)
}
