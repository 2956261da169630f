import { readdir, readFile } from 'node:fs/promises'
import { tableKinds } from '../../src/postgres/table-kinds.ts'
import { openWorld } from '../support/world.ts'

const { database } = await openWorld()

const { reference, distributed, local } = tableKinds
const isDistributed = (table: string) => (distributed as readonly string[]).includes(table)

/** The tables with a column for the organization. */
const tenantTables: string[] = await names(
  `SELECT "table_name" AS "name" FROM information_schema.columns
    WHERE "table_schema" = 'public' AND "column_name" = 'organizationId'`,
)

async function names(query: string): Promise<string[]> {
  const rows: { name: string }[] = await database.query(query)
  return rows.map(({ name }) => name)
}

/** Keys that a client or a mail names without the organization; they are random, so two rows never share one. */
const found = ['api_key (hash)', 'integration (redirectionId)', 'organization_user_invitation (tokenHash)']

/** The primary keys, unique indexes and exclusion constraints of a table, each with its columns in order. */
const keys: { table: string; columns: string[]; isPrimary: boolean }[] = await database.query(
  `SELECT indrelid::regclass::text AS "table", indisprimary AS "isPrimary", ARRAY(
      SELECT coalesce(attname::text, '(expression)') FROM unnest(indkey::int2[]) WITH ORDINALITY AS "key" (number, place)
        LEFT JOIN pg_attribute ON attrelid = indrelid AND attnum = number ORDER BY place) AS "columns"
    FROM pg_index JOIN pg_class ON pg_class.oid = indrelid
    WHERE (indisunique OR indisexclusion) AND relnamespace = 'public'::regnamespace`,
)

test('every table has one kind: distributed by organization, reference or local', async () => {
  const all = await names(`SELECT tablename AS "name" FROM pg_tables WHERE schemaname = 'public'`)
  const listed: string[] = [...reference, ...distributed, ...local]
  const forgotten = all.filter((table) => !listed.includes(table))
  expect(forgotten.map((table) => `Add '${table}' to a kind in src/postgres/table-kinds.ts.`)).toEqual([])
  const gone = listed.filter((table) => !all.includes(table))
  expect(gone.map((table) => `Remove '${table}' from src/postgres/table-kinds.ts.`)).toEqual([])
  expect(listed).toHaveLength(all.length)
})

test('a table is distributed only if its rows have an organization', () => {
  expect(distributed.filter((table) => !tenantTables.includes(table))).toEqual([])
})

test('each primary key of a tenant’s rows begins with the organization', () => {
  const primary = keys.filter(({ table, isPrimary }) => isPrimary && tenantTables.includes(table))
  expect(primary.length).toBeGreaterThan(15)
  expect(primary.filter(({ columns }) => columns[0] !== 'organizationId')).toEqual([])
})

test('so does each unique index and exclusion constraint, but for random keys that are looked up alone', () => {
  const others = keys.filter(({ table, columns }) => tenantTables.includes(table) && columns[0] !== 'organizationId')
  expect(others.map(({ table, columns }) => `${table} (${columns})`).sort()).toEqual(found)
})

test('a distributed table has no unique key without the organization', () => {
  const wrong = keys.filter(({ table, columns }) => isDistributed(table) && !columns.includes('organizationId'))
  expect(wrong).toEqual([])
})

describe('a foreign key', () => {
  const foreignKeys = () =>
    database.query(
      `SELECT conname AS "name", conrelid::regclass::text AS "from", confrelid::regclass::text AS "to",
          ARRAY(SELECT attname::text FROM unnest(conkey) "key" JOIN pg_attribute ON attrelid = conrelid AND attnum = "key") AS "columns"
        FROM pg_constraint WHERE contype = 'f' AND connamespace = 'public'::regnamespace`,
    ) as Promise<{ name: string; from: string; to: string; columns: string[] }[]>

  test('refers from a reference or local table to no distributed table', async () => {
    expect((await foreignKeys()).filter(({ from, to }) => isDistributed(to) && !isDistributed(from))).toEqual([])
  })

  test('between distributed tables includes the organization', async () => {
    const between = (await foreignKeys()).filter(({ from, to }) => isDistributed(from) && isDistributed(to))
    expect(between.length).toBeGreaterThan(2)
    expect(between.filter(({ columns }) => !columns.includes('organizationId'))).toEqual([])
  })

  test('refers to a table that is listed before it', async () => {
    const order: string[] = [...reference, ...distributed]
    const wrong = (await foreignKeys()).filter(({ from, to }) => {
      const [first, second] = [to, from].map((table) => order.indexOf(table.replaceAll('"', '')))
      return second >= 0 && first >= second
    })
    expect(wrong).toEqual([])
  })
})

test('a trigger stands on a distributed table, because Citus would run it on every copy of a reference table', async () => {
  const tables = await names(
    `SELECT DISTINCT relname AS "name" FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
      WHERE NOT tgisinternal AND relnamespace = 'public'::regnamespace`,
  )
  expect(tables.length).toBeGreaterThan(3)
  expect(tables.filter((table) => !isDistributed(table))).toEqual([])
})

test('a migration changes a table by one subcommand a statement, as Citus wants it', async () => {
  const several = /ALTER TABLE [^`']*?,\s*(ADD|ALTER|DROP|VALIDATE)\b/g
  const wrong: string[] = []
  for (const file of await readdir('src/migrations'))
    for (const [statement] of (await readFile(`src/migrations/${file}`, 'utf8')).matchAll(several))
      wrong.push(`${file}: ${statement}`)
  expect(wrong).toEqual([])
})
