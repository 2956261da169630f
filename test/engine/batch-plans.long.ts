import { setTimeout as sleep } from 'node:timers/promises'
import { Client, Pool } from 'pg'
import request from 'supertest'
import { BankAccount, Employee, Integration, Meeting, User } from '../../entities/index.ts'
import { batchPoolOptions, withoutTimeouts } from '../../ormconfig.ts'
import { newSecret } from '../../src/access/api-keys/secret.ts'
import { poolsOf } from '../../src/runtime/database.ts'
import { hashOf } from '../../src/secrets/secret-hash.ts'
import { type PageStatement, watchPages } from '../support/page-statements.ts'
import { givenKey } from '../support/rows/sample-rows.ts'
import { openWorld } from '../support/world.ts'

const { api, as, database, directUrl, ending, given, organization, server, tenant, served } = await openWorld()

const tenants = 1000
const rows = 100_000

const employee = await given(Employee, { name: 'Ada', userId: tenant.users.member.id })
const meetings = await Promise.all(
  Array.from({ length: 12 }, (_, n) => {
    const from = new Date(Date.UTC(2026, 3, n + 1, 8))
    return given(Meeting, { dateFrom: from, dateTo: new Date(from.getTime() + 3_600_000), employeeId: employee.id })
  }),
)
const filling = await withoutTimeouts(database).initialize()
await filling.query(
  `INSERT INTO "organization" SELECT (jsonb_populate_record(o, jsonb_build_object('id', gen_random_uuid(), 'slug', 'many-' || n))).*
    FROM "organization" o, generate_series(1, $1::int) n WHERE o."id" = $2`,
  [tenants, organization.id],
)
await filling.query(
  `INSERT INTO "user" SELECT (jsonb_populate_record(u, jsonb_build_object('id', gen_random_uuid(), 'subject', 'many-' || n))).*
    FROM "user" u, generate_series(1, $1::int) n WHERE u."id" = $2`,
  [tenants, tenant.users.member.id],
)
await filling.query(
  `INSERT INTO "meeting" SELECT (jsonb_populate_record(m, jsonb_build_object('id', gen_random_uuid(), 'organizationId', o."id",
      'employeeId', NULL))).*
    FROM "meeting" m, (SELECT "id" FROM "organization" WHERE "slug" LIKE 'many-%') o, generate_series(1, $1::int / $2::int) WHERE m."id" = $3`,
  [rows, tenants, meetings[0].id],
)
await filling.query(
  `INSERT INTO "employee" SELECT (jsonb_populate_record(e, jsonb_build_object('id', gen_random_uuid(), 'organizationId', o."id",
      'userId', NULL))).*
    FROM "employee" e, (SELECT "id" FROM "organization" WHERE "slug" LIKE 'many-%') o, generate_series(1, 20) WHERE e."id" = $1`,
  [employee.id],
)
const integration = await given(Integration, { status: 'active' })
const account = await given(BankAccount, { integration, reference: 'x', name: 'Current' })
await filling.query(
  `INSERT INTO "bank_account" SELECT (jsonb_populate_record(a, jsonb_build_object('id', gen_random_uuid(), 'reference', n))).*
    FROM "bank_account" a, generate_series(1, 20000) n WHERE a."id" = $1`,
  [account.id],
)
const key = await givenKey({ createdBy: tenant.users.owner })
await filling.query(
  `INSERT INTO "api_key" SELECT (jsonb_populate_record(k, jsonb_build_object('id', gen_random_uuid(), 'organizationId', o."id",
      'hash', sha256((o."id" || ' ' || n)::bytea)))).*
    FROM "api_key" k, (SELECT "id" FROM "organization" WHERE "slug" LIKE 'many-%') o, generate_series(1, 20) n WHERE k."id" = $1`,
  [key.id],
)
await filling.query('VACUUM ANALYZE')
await filling.destroy()

interface Asked {
  text: string
  values: unknown[]
}

const { batches } = poolsOf(served).items
const texts = new Set<string>()
batches?.pool.on('acquire', (client: Client & { isWatched?: true }) => {
  if (client.isWatched) return
  const query = client.query.bind(client)
  client.isWatched = true
  client.query = ((asked: Asked, ...rest: never[]) => {
    if (asked.text.includes('"batch"')) texts.add(asked.text)
    return query(asked as never, ...rest)
  }) as never
})
const holder = new Client({ connectionString: directUrl })
holder.on('error', () => {})
await holder.connect()
const planning = new Pool(batchPoolOptions(poolsOf(served).items.pool))
ending.push(async () => {
  await holder.end()
  await planning.end()
})

interface Plan {
  'Node Type': string
  'Relation Name'?: string
  'Index Cond'?: string
  Plans?: Plan[]
}

/** Every step of the plan that Postgres makes for any values; a batch has any number of keys. */
async function planOf(
  text: string,
  values = [...text.matchAll(/\$\d+::(\w+)\[\]/g)].map(() => `'{}'`),
  setting = 'RESET random_page_cost',
): Promise<Plan[]> {
  const client = await planning.connect()
  try {
    await client.query(setting)
    await client.query(`PREPARE "planned" AS ${text}`)
    const { rows: found } = await client.query(
      `EXPLAIN (FORMAT JSON) EXECUTE "planned"${values.length > 0 ? `(${values.join(', ')})` : ''}`,
    )
    const steps = ({ Plans = [], ...step }: Plan): Plan[] => [step, ...Plans.flatMap(steps)]
    return steps(found[0]['QUERY PLAN'][0].Plan)
  } finally {
    await client.query('DEALLOCATE "planned"').catch(() => {})
    client.release()
  }
}

let sorts = 0

/** The steps that read a table in the batches of a request, which is sent often enough to be batched. */
async function stepsFor(table: string, send: () => Promise<{ status: number }>): Promise<Plan[]> {
  texts.clear()
  // The lock holds the first two reads, so that the others travel together.
  await holder.query(`BEGIN; LOCK TABLE "${table}" IN ACCESS EXCLUSIVE MODE`)
  const sent = Promise.all(Array.from({ length: 24 }, send))
  await sleep(700)
  await holder.query('ROLLBACK')
  const answers = await sent
  expect(Math.max(...answers.map(({ status }) => status))).toBeLessThan(300)
  const plans = await Promise.all(
    [...texts].filter((text) => text.includes(`FROM "${table}"`)).map((text) => planOf(text)),
  )
  sorts = plans.flat().filter((step) => step['Node Type'].includes('Sort')).length
  const found = plans.flat().filter((step) => step['Relation Name'] === table)
  expect(found).not.toEqual([])
  return found
}

test.each(['owner', 'member'] as const)(
  'a batch of items for the role %s uses an index on scope and id',
  async (role) => {
    let n = 0
    const send = () => as(tenant.users[role]).get(`/meetings/${meetings[n++ % meetings.length].id}`)
    const steps = await stepsFor('meeting', send)
    for (const step of steps) {
      expect(step['Node Type']).toMatch(/^Index/)
      expect(step['Index Cond']).toMatch(/"organizationId" = batch\.tenant/)
      expect(step['Index Cond']).toMatch(/\bid = batch\.id/)
    }
  },
)

test('a batch of references uses an index on scope and id', async () => {
  let n = 0
  const send = () =>
    api.patch(`/meetings/${meetings[n++ % meetings.length].id}`, { employee: `/employees/${employee.id}` })
  for (const step of await stepsFor('employee', send)) {
    expect(step['Node Type']).toMatch(/^Index/)
    expect(step['Index Cond']).toMatch(/"organizationId" = batch\.tenant/)
    expect(step['Index Cond']).toMatch(/\bid = batch\.id/)
  }
})

test('a batch of callers uses the index on issuer and subject', async () => {
  const people = await Promise.all(
    Array.from({ length: 24 }, (_, n) =>
      given(User, { issuer: tenant.users.owner.issuer, subject: `fresh-${n}`, name: 'Fresh' }),
    ),
  )
  let n = 0
  const steps = await stepsFor('user', () => as(people[n++]).get('/organizations'))
  for (const step of steps) {
    expect(step['Node Type']).toMatch(/^Index/)
    expect(step['Index Cond']).toMatch(/issuer = batch\.issuer/)
  }
})

test('a batch of API keys uses the index on the hash', async () => {
  const secrets = Array.from({ length: 24 }, newSecret)
  for (const secret of secrets) await givenKey({ createdBy: tenant.users.owner, hash: hashOf(secret) })
  let n = 0
  const send = () => request(server).get('/locations').set('Authorization', `Bearer ${secrets[n++]}`)
  for (const step of await stepsFor('api_key', async () => send())) {
    expect(step['Node Type']).toMatch(/^Index/)
    expect(step['Index Cond']).toMatch(/hash = batch\.hash/)
  }
})

test('a batch of lists on items uses an index on scope, item and order', async () => {
  const steps = await stepsFor('bank_account', () => api.get(`/integrations/${integration.id}`))
  for (const step of steps) {
    expect(step['Node Type']).toMatch(/^Index/)
    expect(step['Index Cond']).toMatch(/"organizationId" = batch\.tenant/)
    expect(step['Index Cond']).toMatch(/"integrationId" = batch\.id/)
  }
  expect(sorts).toBe(0)
})

test.each([
  ['first', () => Promise.resolve('/meetings'), /"organizationId" = batch\.tenant/],
  [
    'next',
    async () => (await pageStatements('/meetings?itemsPerPage=10')).view.next,
    /batch\.tenant.*\bid > batch\.c0/,
  ],
])('a batch of %s pages uses an index on scope and order, and does not sort', async (_, path, condition) => {
  const asked = await path()
  for (const step of await stepsFor('meeting', () => api.get(asked))) {
    expect(step['Node Type']).toMatch(/^Index/)
    expect(step['Index Cond']).toMatch(condition)
  }
  expect(sorts).toBe(0)
})

const ofPages: PageStatement[] = []
watchPages(served, (statement) => ofPages.push(statement))

/** The statements that a page is read by, without those that find the caller. */
async function pageStatements(path: string): Promise<{ asked: PageStatement[]; view: Record<string, string> }> {
  ofPages.length = 0
  const { status, body } = await api.get(path)
  expect([status, body.detail]).toEqual([200, undefined])
  return { asked: [...ofPages], view: body.view }
}

/** The plan of a statement of pages, on a connection with their planner's settings. */
async function pagePlanOf({ text, values }: PageStatement): Promise<Plan[]> {
  const { rows: settings } = await poolsOf(served).lists.pool.query('SHOW random_page_cost')
  return planOf(text, values.map(literal), `SET random_page_cost = ${settings[0].random_page_cost}`)
}

const literal = (value: unknown): string =>
  Array.isArray(value) ? `'{${value.join()}}'` : `'${value instanceof Date ? value.toISOString() : value}'`

const orders = ['', 'order[id]=desc', 'order[dateFrom]=asc', 'order[dateFrom]=desc', 'order[dateTo]=desc']

test.each(orders)('a page and its total are one statement, by an index on scope and order (%s)', async (order) => {
  await Promise.all(
    Array.from({ length: 40 }, (_, n) => {
      const from = new Date(Date.UTC(2028, 0, n + 1, 8))
      return given(Meeting, { dateFrom: from, dateTo: new Date(from.getTime() + 3_600_000) })
    }),
  )
  const { view } = await pageStatements(`/meetings?${order}`)
  const second = await pageStatements(view.next)
  for (const path of [`/meetings?${order}`, view.next, view.last, second.view.previous]) {
    const { asked } = await pageStatements(path)
    expect([path, asked.length]).toEqual([path, 1])
    const steps = await pagePlanOf(asked[0])
    expect(steps.filter((step) => step['Node Type'].includes('Sort'))).toEqual([])
    const reads = steps.filter((step) => step['Relation Name'] === 'meeting')
    expect(reads).toHaveLength(1)
    expect(reads[0]['Node Type']).toMatch(/^Index/)
    expect(reads[0]['Index Cond']).toMatch(/"organizationId" = \$\d/)
    // A cursor in two directions is a bound of its first column only; the others filter.
    if (path.includes('after=') || path.includes('before=ey') || path.includes('before=Wy'))
      expect(reads[0]['Index Cond']).toMatch(/ROW|\b(id|"dateFrom"|"dateTo") [<>]/)
  }
})

test('a filtered page and its total are one statement, by indexes on scope and filter', async () => {
  const { asked } = await pageStatements(`/meetings?employee=/employees/${employee.id}&itemsPerPage=10`)
  expect(asked).toHaveLength(1)
  const steps = await pagePlanOf(asked[0])
  const reads = steps.filter((step) => step['Index Cond'])
  expect(steps.filter((step) => step['Node Type'] === 'Seq Scan')).toEqual([])
  expect(reads).toHaveLength(2)
  for (const step of reads) expect(step['Index Cond']).toMatch(/"organizationId" = \$1.* AND .*"employeeId" = \$2/)
})
