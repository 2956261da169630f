import { nameCollation } from '../../entities/collation.ts'
import { Employee, Location } from '../../entities/index.ts'
import { NameOrder1764000000062 } from '../../src/migrations/1764000000062-name-order.ts'
import { requireCurrentCollation } from '../../src/postgres/collation-check.ts'
import { openWorld } from '../support/world.ts'

const { api, as, database, elsewhere, given } = await openWorld()

// The same mistake could be in each order by a text, in the cursors of its pages, and in what else reads its index.

const ordered = [
  'Adam',
  'ádám',
  'de Boer',
  'De Boer',
  'de boer 2',
  'Émile',
  'emile 2',
  'Zoë',
  'zoé 2',
  'Zuid',
  'Łódź',
  'Ωmega',
  'Яна',
]
const expected = [...ordered].sort(new Intl.Collator('und').compare)
const shuffled = [...ordered].sort((one, other) => one.length - other.length || (one < other ? 1 : -1))
for (const name of shuffled) await given(Employee, { name })

const namesOf = async (path: string): Promise<string[]> =>
  (await api.get(path)).body.member.map(({ name }: { name: string }) => name)

/** The names of every page, each found by the link of the one before. */
async function paged(first: string, way: 'next' | 'previous' = 'next'): Promise<string[]> {
  const pages: string[][] = []
  for (let path = first; path; ) {
    const { body } = await api.get(path)
    pages.push(body.member.map(({ name }: { name: string }) => name))
    path = body.view[way]
  }
  return (way === 'next' ? pages : pages.reverse()).flat()
}

test('names are ordered as people do: by letter, then by accent, then by case', async () => {
  expect(expected.slice(0, 5)).toEqual(['Adam', 'ádám', 'de Boer', 'De Boer', 'de boer 2'])
  expect(await namesOf('/employees?order[name]=asc')).toEqual(expected)
  expect(await namesOf('/employees?order[name]=desc')).toEqual([...expected].reverse())
})

test('pages that are followed hold each name once, in both directions', async () => {
  for (const size of [1, 2, 5]) {
    const first = `/employees?order[name]=asc&itemsPerPage=${size}`
    expect(await paged(first)).toEqual(expected)
    expect(await paged((await api.get(first)).body.view.last, 'previous')).toEqual(expected)
    expect(await paged(`/employees?order[name]=desc&itemsPerPage=${size}`)).toEqual([...expected].reverse())
  }
})

test('pages in this order are read from its index', async () => {
  const runner = database.createQueryRunner()
  await runner.startTransaction()
  await runner.query('SET LOCAL enable_seqscan = off')
  const plan = await runner.query(
    `EXPLAIN SELECT "id" FROM "employee" WHERE "organizationId" = $1 AND ("name" COLLATE "name_order", "id") > ($2, $3) ORDER BY "name" COLLATE "name_order", "id" LIMIT 30`,
    [elsewhere.organization.id, 'x', '01900000-0000-7000-8000-00000000000a'],
  )
  await runner.rollbackTransaction()
  await runner.release()
  const text = JSON.stringify(plan)
  expect(text).toMatch(/Index (Only )?Scan using [^a-z]*employee.name/)
  expect(text).toMatch(/Index Cond: .*name/)
  expect(text).not.toContain('Sort')
})

test('a database with rows takes on the order, and gives it back', async () => {
  const own = { organizationId: elsewhere.organization.id }
  for (const name of shuffled) await given(Employee, { ...own, name })
  await given(Location, { ...own, name: 'Zuid' })
  const runner = database.createQueryRunner()
  const migration = new NameOrder1764000000062()
  for (const step of ['down', 'up'] as const) {
    await runner.startTransaction()
    await migration[step](runner)
    await runner.commitTransaction()
  }
  await runner.release()
  const found = await as(elsewhere.users.owner).get('/employees?order[name]=asc')
  expect(found.body.member.map(({ name }: { name: string }) => name)).toEqual(expected)
  expect((await as(elsewhere.users.owner).post('/locations', { name: 'ZUID' })).status).toBe(422)
})

test('a start is refused where ICU has another version, with what to run; then it starts', async () => {
  await requireCurrentCollation(database)
  await database.query(`UPDATE pg_collation SET "collversion" = '1.2' WHERE "collname" = $1`, [nameCollation])
  const refused = await requireCurrentCollation(database).catch((error: Error) => error.message)
  expect(refused).toMatch(
    /^The indexes of names were built with version 1\.2 of the collation "name_order"\. Postgres now has version /,
  )
  const commands = (refused as string).split('start again: ')[1]
  expect(commands).toBe(
    `${['bank_account', 'employee', 'location', 'organization'].map((table) => `REINDEX INDEX "${table}.name"; `).join('')}` +
      `ALTER COLLATION "name_order" REFRESH VERSION;`,
  )
  for (const command of commands.split('; ')) await database.query(command)
  await requireCurrentCollation(database)
})
