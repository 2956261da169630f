import { Employee } from '../../entities/index.ts'
import { withoutTimeouts } from '../../ormconfig.ts'
import { poolsOf } from '../../src/runtime/database.ts'
import { type PageStatement, watchPages } from '../support/page-statements.ts'
import { counted } from '../support/rows/counted-rows.ts'
import { openWorld } from '../support/world.ts'

const { api, database, elsewhere, given, organization, served } = await openWorld()

interface Plan {
  'Node Type': string
  'Relation Name'?: string
  'Shared Hit Blocks': number
  'Shared Read Blocks': number
  'Actual Rows': number
  Plans?: Plan[]
}

const many = 20_000
const { id: employee } = await given(Employee, { name: 'Ada' })
const meetings = counted(
  database,
  'meeting',
  `INSERT INTO "meeting"
    ("id", "createdAt", "updatedAt", "version", "organizationId", "employeeId", "dateFrom", "dateTo", "notes", "time")
  SELECT (lpad(to_hex(1767225600000 + n), 12, '0') || '7' || substr(md5(n || $1), 1, 3) || 'a' || substr(md5($1 || n), 1, 15))::uuid,
    now(), now(), 1, $1::uuid, CASE WHEN n % 200 = 0 THEN $3::uuid END, "from", "from" + interval '2 hours',
    CASE WHEN n % 10 = 0 THEN 'note ' || md5(n::text) END, CASE WHEN n % 10 = 0 THEN "from" + interval '1 hour' END
  FROM (SELECT n, timestamptz '2026-01-01Z' + (n * 7919 % $2 / 3) * interval '1 hour' AS "from"
    FROM generate_series(1, $2::int) n) AS made`,
)
const filling = await withoutTimeouts(database).initialize()
await filling.query(meetings, [organization.id, many, employee])
await filling.query(meetings, [elsewhere.organization.id, many * 2, null])
await filling.query('VACUUM ANALYZE "meeting"')
await filling.destroy()

const { pool } = poolsOf(served).lists
const query = pool.query.bind(pool)
let listStatement: PageStatement | undefined
watchPages(served, (statement) => {
  if (statement.text?.includes('FROM "meeting"') && statement.text.includes('LIMIT')) listStatement = statement
})

/** How Postgres came by the rows of a page, every step of it. */
async function planOf(path: string): Promise<Plan[]> {
  const { status, body } = await api.get(path)
  expect([status, body.detail]).toEqual([200, undefined])
  const { text, values, scope, isExempt } = listStatement as PageStatement
  const explain = { text: `EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) ${text}`, values, scope, isExempt }
  const { rows } = await query(explain)
  const steps = ({ Plans = [], ...step }: Plan): Plan[] => [step, ...Plans.flatMap(steps)]
  return steps(rows[0]['QUERY PLAN'][0].Plan)
}

const blocks = ([top]: Plan[]) => top['Shared Hit Blocks'] + top['Shared Read Blocks']
const orders = [
  '',
  'order[id]=desc',
  ...['dateFrom', 'dateTo'].flatMap((name) => [`order[${name}]=asc`, `order[${name}]=desc`]),
]
const mixed = [
  'order[dateFrom]=asc&order[dateTo]=desc',
  'order[dateTo]=desc&order[dateFrom]=desc',
  'order[dateFrom]=desc&order[id]=asc',
]

test.each([...orders, ...mixed])(
  'whatever the order (%s), a page deep down costs what the first does',
  async (order) => {
    const first = await planOf(`/meetings?${order}`)
    const middle = (await api.get(`/meetings?${order}&page=400`)).body.view
    const deep = await planOf(middle.next)
    const back = await planOf(middle.previous)
    const end = await planOf(middle.last)
    for (const plan of [first, deep, back, end]) {
      expect(plan.map((step) => step['Node Type'])).not.toEqual(expect.arrayContaining(['Seq Scan']))
      expect(plan.filter((step) => step['Node Type'] === 'Sort')).toEqual([])
      expect(blocks(plan)).toBeLessThanOrEqual(blocks(first) * 1.5 + 60)
    }
  },
)

const filters = [
  ...[
    `employee=${employee}`,
    'exists[employee]=true',
    'exists[employee]=false',
    'exists[time]=true',
    'exists[notes]=true',
  ],
  ...['dateFrom', 'dateTo', 'time'].flatMap((name) =>
    ['before', 'strictly_before', 'after', 'strictly_after'].map((operator) => `${name}[${operator}]=2026-03-01`),
  ),
  ...['notes=c4ca4', 'q=c4ca4', 'notes=aaaa&notes=bbbb', 'notes=note'],
]

test.each(filters)('a page of those with %s is found by an index', async (filter) => {
  for (const order of ['', '&order[dateFrom]=desc']) {
    const { body } = await api.get(`/meetings?${filter}&itemsPerPage=20${order}`)
    for (const path of [`/meetings?${filter}&itemsPerPage=20${order}`, body.view.next].filter(Boolean)) {
      const plan = await planOf(path)
      expect(plan.filter((step) => step['Node Type'] === 'Seq Scan')).toEqual([])
      expect(plan.filter((step) => step['Node Type'] === 'Sort' && step['Actual Rows'] > many / 20)).toEqual([])
    }
  }
})

test.each([1, 2])(
  'page %s of one reference reads only its own rows, in their order, also with a plan for any values',
  async (page) => {
    const path = `/meetings?employee=${employee}&itemsPerPage=20`
    await planOf(page === 1 ? path : (await api.get(path)).body.view.next)
    const { text, values, scope } = listStatement as PageStatement
    const client = await pool.connect()
    try {
      for (const mode of ['force_custom_plan', 'force_generic_plan']) {
        await client.query(`SET plan_cache_mode = ${mode}`)
        const explain = { name: `explained:${page}`, text: `EXPLAIN (ANALYZE, FORMAT JSON) ${text}`, values, scope }
        const steps = ({ Plans = [], ...step }: Plan): Plan[] => [step, ...Plans.flatMap(steps)]
        const plan = steps((await client.query(explain)).rows[0]['QUERY PLAN'][0].Plan)
        expect(plan.filter((step) => step['Node Type'] === 'Sort')).toEqual([])
        expect(Math.max(...plan.map((step) => step['Actual Rows']))).toBeLessThanOrEqual(100)
      }
    } finally {
      client.release(true)
    }
  },
)

test('the total of a tenant is read without counting its rows', async () => {
  const explain = {
    text: `EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) SELECT sum("delta") FROM "row_total" WHERE "relation" = 'meeting' AND "organizationId" = $1`,
    values: [organization.id],
    scope: { text: organization.id },
  }
  const { rows } = await query(explain)
  expect(rows[0]['QUERY PLAN'][0].Plan['Shared Hit Blocks']).toBeLessThan(10)
  expect((await api.get('/meetings?itemsPerPage=1')).body.totalItems).toBe(many)
})
