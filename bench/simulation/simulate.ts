import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import type { DataSource } from 'typeorm'
import { startLocalStripe } from '../../src/emulators/stripe/server.ts'
import { shortLivedTables } from '../../src/postgres/table-kinds.ts'
import { isUnfinished } from '../../src/queue/unfinished-jobs.ts'
import { cores, describeMachine, pin } from '../cores.ts'
import { openBenchDatabase } from '../database.ts'
import { type Measurement, Servers } from '../servers.ts'
import { markdown } from '../table.ts'
import { needsOf } from './needs.ts'
import { populate } from './population.ts'
import { type Kind, mixOf, requestsOf, shares } from './traffic.ts'

/*
 * Plays the tenants of an installation against the server, and prints what they take. The guide "scaling" says how to read it.
 */
const { values } = parseArgs({
  options: {
    tenants: { type: 'string', default: '10000' },
    seconds: { type: 'string', default: '60' },
    connections: { type: 'string', default: '32' },
  },
})
const [tenants, seconds, connections] = [values.tenants, values.seconds, values.connections].map(Number)
if (![tenants, seconds, connections].every((value) => value > 0))
  throw new Error('--tenants, --seconds and --connections must be positive numbers.')

const opened = await openBenchDatabase()
const stripe = await startLocalStripe()
const servers = new Servers(opened)
try {
  const before = await storageOf(opened.database)
  const population = await populate(opened.database, opened.issuer, stripe, tenants)
  const storage = await storageOf(opened.database)
  await servers.start(
    ['ours'],
    Object.fromEntries(population.tenants.map(({ authorization, organization }) => [authorization, organization])),
    {
      STRIPE_URL: stripe.url,
      STRIPE_SECRET_KEY: stripe.secretKey,
      STRIPE_PUBLISHABLE_KEY: stripe.publishableKey,
      STRIPE_WEBHOOK_SECRET: stripe.webhookSecret,
    },
  )
  pin(cores.load, process.pid)
  const kinds = Object.keys(shares) as Kind[]
  const byKind = Object.fromEntries(kinds.map((kind) => [kind, requestsOf(kind, population, stripe)])) as Record<
    Kind,
    ReturnType<typeof requestsOf>
  >
  await servers.measure('ours', mixOf(byKind), { connections, seconds: seconds / 4 })
  const measured = new Map<string, Measurement>()
  for (const kind of kinds)
    measured.set(kind, await servers.measure('ours', byKind[kind], { connections, seconds: seconds / 6 }))
  await jobsDone(opened.database)
  const mix = await servers.measure('ours', mixOf(byKind), { connections, seconds })
  const drained = performance.now()
  await jobsDone(opened.database)
  const drainSeconds = (performance.now() - drained) / 1000

  console.log(`${describeMachine(opened.version)}\n`)
  console.log(
    `${tenants} organizations with ${population.employees} employees; ${connections} connections; the mix took ${seconds} s.\n`,
  )
  console.log(`${requestTable(new Map([...measured, ['all', mix]]))}\n`)
  console.log(`The jobs of the webhooks ended ${drainSeconds.toFixed(1)} s after the last request.\n`)
  console.log(`${storageTable(storage)}\n`)
  const meetings = storage.find(({ table }) => table === 'meeting')
  const started = before.find(({ table }) => table === 'meeting')
  const rows = (meetings?.rows ?? 0) - (started?.rows ?? 0)
  const lasting = (tables: Storage[]) => tables.filter(({ table }) => !shortLivedTables.includes(table))
  const total = (tables: Storage[]) => lasting(tables).reduce((sum, { bytes }) => sum + bytes, 0)
  const bytesEach = (total(storage) - total(before)) / rows
  console.log(needsOf({ tenants, employees: population.employees, mix, bytesEach }))
} finally {
  await servers.stop()
  await stripe.stop()
  await opened.close()
}

interface Storage {
  table: string
  rows: number
  bytes: number
}

/** The rows of each table, and its bytes with indexes. */
function storageOf(database: DataSource): Promise<Storage[]> {
  return database.query(
    `SELECT relname AS "table", greatest(reltuples, 0)::int AS "rows", pg_total_relation_size(oid)::float8 AS "bytes"
      FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY 3 DESC`,
  )
}

/** Waits until no job is left. */
async function jobsDone(database: DataSource): Promise<void> {
  for (;;) {
    const [{ left }] = await database.query(
      `SELECT count(*)::int AS "left" FROM graphile_worker._private_jobs "job" WHERE ${isUnfinished} AND "run_at" <= now()`,
    )
    if (left === 0) return
    await sleep(100)
  }
}

function requestTable(measured: Map<string, Measurement>): string {
  const heading = ['Requests', 'Share', 'Requests/s', 'p50 ms', 'p99 ms', 'CPU µs: server', 'Postgres']
  const rows = [...measured].map(([kind, { rate, cpu, postgresCpu, p50, p99 }]) => [
    kind,
    kind in shares ? `${shares[kind as Kind]} %` : '',
    rate.toFixed(0),
    p50.toFixed(1),
    p99.toFixed(1),
    ((cpu - postgresCpu) * 1000).toFixed(0),
    (postgresCpu * 1000).toFixed(0),
  ])
  return markdown([heading, ...rows])
}

/** The largest tables. */
function storageTable(storage: Storage[]): string {
  const rows = storage
    .slice(0, 8)
    .map(({ table, rows: count, bytes }) => [
      table,
      String(count),
      (bytes / 2 ** 20).toFixed(0),
      count ? (bytes / count).toFixed(0) : '',
    ])
  return markdown([['Table', 'Rows', 'MB with indexes', 'Bytes a row'], ...rows])
}
