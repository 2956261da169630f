import { readFileSync } from 'node:fs'
import pg from 'pg'
// @ts-expect-error The module has no types.
import { prepareValue } from 'pg/lib/utils.js'
import * as declared from '../../src/resources/filters.ts'
import { type PageStatement, watchPages } from '../support/page-statements.ts'
import { crowd } from '../support/rows/bulk-rows.ts'
import { openWorld } from '../support/world.ts'

const { api, as, database, elsewhere, ending, organization, tenant, served } = await openWorld()

/** A busy machine delays one run; a fault delays every run. */
import.meta.jest.retryTimes(2, { logErrorsBeforeRetry: true })

/*
 * The cost of a list is the CPU time of the Postgres process that answers, so a busy machine changes it little.
 * A cost can also hide in totals, in the scope of a role, in the rows that a page skips, and in cached plans.
 */

/** Milliseconds of CPU in Postgres that any list may take in a tenant of 100,000 rows. */
const most = 50

/** The same as a multiple of a count of 100,000 numbers, which takes 6 ms: how much more a busy or slow machine may take. */
const mostCounts = 8
const many = 100_000

await crowd(organization.id, many)
await crowd(elsewhere.organization.id, many / 5)

const { host, port, user } = JSON.parse(process.env.TEST_POSTGRES ?? '{}')
const client = new pg.Client({ host, port, user, database: String(database.options.database) })
await client.connect()
const { pid } = (await client.query('SELECT pg_backend_pid() AS pid')).rows[0]
const cpu = () => Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[0]) / 1e6

ending.push(() => client.end())

let sent: PageStatement[] = []
watchPages(served, (statement) => sent.push(statement))

/** CPU of a plain query, which tells how fast the machine is while the lists are measured. */
const plain: number[] = []

const figures: [path: string, cost: number, total: number][] = []

const median = (values: number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]

/** How often Postgres has planned each named statement. It chooses between custom plans and a generic one at the sixth time. */
const planned = new Map<string, number>()

/** Lets Postgres plan named statements until its choice between plans is made, without running them. */
async function settlePlans(statements: PageStatement[]): Promise<void> {
  for (const { name, values } of statements) {
    if (!name) continue
    const literals = values.map((value) => (value === null ? 'NULL' : client.escapeLiteral(prepareValue(value))))
    const execution = `EXPLAIN EXECUTE ${client.escapeIdentifier(name)}${literals.length > 0 ? `(${literals})` : ''}`
    for (let times = planned.get(name) ?? 1; times < 5; times++) await client.query(execution)
    planned.set(name, 5)
  }
}

/** The CPU time of statements. A list that other work delays is measured again. */
async function costOf(statements: PageStatement[], limit: number): Promise<number> {
  let least = Number.POSITIVE_INFINITY
  for (let times = 0; times < 3 && least > limit; times++) {
    const before = cpu()
    for (const statement of statements) await client.query(statement as never)
    least = Math.min(least, cpu() - before)
  }
  return least
}

/** Returns the path and the cost of its statements if they cost too much, at first or once Postgres has settled on a plan. */
async function tooMuch(path: string, agent = api): Promise<unknown[]> {
  sent = []
  const { status, body } = await agent.get(path)
  expect([path, status, body.detail]).toEqual([path, 200, undefined])
  const statements = sent
  const began = cpu()
  await client.query('SELECT count(*) FROM generate_series(1, 100000)')
  plain.push(cpu() - began)
  const limit = Math.max(most, mostCounts * median(plain.slice(-9)))
  const first = await costOf(statements, limit)
  await settlePlans(statements)
  const cost = statements.some(({ name }) => name) ? Math.max(first, await costOf(statements, limit)) : first
  figures.push([path, cost, body.totalItems])
  return cost > limit ? [[path, cost]] : []
}

afterAll(() => {
  const rows = figures
    .toSorted(([, a], [, b]) => b - a)
    .map(([path, cost, total]) => `${cost.toFixed(1).padStart(7)} ${String(total).padStart(8)}  ${path}`)
  const [slowest, usual] = [Math.max(...plain), median(plain)]
  const base = `A count of 100,000 generated numbers: ${usual.toFixed(1)} ms, at worst ${slowest.toFixed(1)} ms`
  console.log([base, 'CPU ms     total  list', ...rows].join('\n'))
})

const exact = (name: string) =>
  ['EUR', 'card', 'DONE', 'PENDING', 'meeting.update', '/meetings/7', 'e77@example.com', 'none'].map(
    (text) => `${name}=${text}`,
  )

/** Values of each kind of filter: of some rows, of most, and of none. */
const values: Record<string, (name: string) => string[]> = {
  partial: (name) => ['owner', 'ketel', 'o', 'zq', 'er 7', '%C5%82%C3%B3d', 'xyzxyz'].map((text) => `${name}=${text}`),
  exact,
  caseless: exact,
  upper: exact,
  lower: exact,
  boolean: (name) => [`${name}=true`, `${name}=false`],
  exists: (name) => [`exists[${name}]=true`, `exists[${name}]=false`],
  date: (name) =>
    ['2020-01-01', '2026-03-01', '2035-01-01'].flatMap((day) => [
      `${name}[after]=${day}`,
      `${name}[strictly_before]=${day}`,
    ]),
  range: (name) => [`${name}[between]=1..12`, `${name}[gte]=0`, `${name}[lt]=-199`, `${name}[gt]=3000`],
  reference: (name) => [`${name}=01900000-0000-7000-8000-00000000000a`],
}

const lists = {
  meetings: declared.meetings,
  employees: declared.employees,
  locations: declared.locations,
  'bank-transactions': declared.bankTransactions,
  'audit-events': declared.auditEvents,
}

const texts = [
  ...['a', 'o', 'de', 'zq', 'owner', 'ketel', 'lodz', 'owner%20ketel', 'ketel%20onderhoud%20owner', 'a%20de', 'c4ca4'],
  ...[
    'xyzxyz',
    'owner%20xyzxyz',
    'o%20w%20e%20a%20s%20k',
    'ow%201%202',
    'a&q=de&q=o&q=w&q=k',
    'owner&q=ketel&q=lodz&q=dak&q=pomp',
  ],
]

describe.each(Object.entries(lists))('/%s', (name, { filters = {}, order = [], text }) => {
  const orders = ['', ...['id', ...order].flatMap((property) => [`order[${property}]=asc`, `order[${property}]=desc`])]
  const several =
    order.length > 1 ? [`order[${order[0]}]=asc&order[${order[1]}]=desc`, `order[${order[1]}]=desc&order[id]=asc`] : []
  const single = Object.entries(filters).flatMap(([property, kinds]) =>
    [kinds].flat().flatMap((kind) => values[kind](property)),
  )
  const free = text ? texts.map((words) => `q=${words}`) : []

  test(`no order, filter or text costs more than ${most} ms`, async () => {
    const slow: unknown[] = []
    const note = async (path: string) => slow.push(...(await tooMuch(path)))
    for (const one of [...orders, ...several]) await note(`/${name}?${one}`)
    for (const one of [...single, ...free]) await note(`/${name}?${one}`)
    // Every sixth also in an order: one plan serves those of a kind.
    for (const one of [...single, ...free].filter((_, index) => index % 6 === 0))
      await note(`/${name}?${one}&${several[0] ?? orders.at(-1)}`)
    expect(slow).toEqual([])
  }, 600_000)

  test(`no two of them together, and no deep page, cost more than ${most} ms`, async () => {
    const slow: unknown[] = []
    const all = [...single, ...free]
    const note = async (path: string) => slow.push(...(await tooMuch(path)))
    for (let n = 0; n < 12; n++) {
      const [one, other] = [all[(n * 7) % all.length], all[(n * 13 + 5) % all.length]]
      // A parameter takes five values, and two of these would be more.
      if (one.startsWith('q=') && other.startsWith('q=')) continue
      await note(`/${name}?${one}&${other}&${orders[n % orders.length]}`)
    }
    for (const page of [334, 1000, 3333, 999_999_999]) await note(`/${name}?page=${page}&${orders[2]}`)
    const deep = (await api.get(`/${name}?page=3000`)).body.view
    for (const link of [deep.first, deep.previous, deep.next, deep.last]) await note(link)
    expect(slow).toEqual([])
  }, 600_000)
})

test('a list within the scope of a role costs no more in a large tenant', async () => {
  const slow: unknown[] = []
  for (const path of ['/meetings', '/meetings?q=ketel', '/users', '/users?name=a', '/organization-users'])
    for (const user of [tenant.users.owner, tenant.users.member]) slow.push(...(await tooMuch(path, as(user))))
  expect(slow).toEqual([])
}, 120_000)
