import { withoutTimeouts } from '../../ormconfig.ts'
import { rowsOf } from '../support/rows/sample-rows.ts'
import { openWorld } from '../support/world.ts'

const { database, elsewhere, tenant } = await openWorld()

/** The first migration of those that let a tenant's rows be distributed. */
const first = 1_764_000_000_100

/** Columns that later migrations added to older tables. */
const later = ['audit_event.apiKeyId', 'employee.erasedAt', 'organization.deleteAt', 'organization.deletedAt']

/** Every table with its number of rows and a digest of these columns. */
async function digests(columns: Record<string, string[]>): Promise<Record<string, string>> {
  const each = Object.entries(columns).map(([table, names]) => {
    const row = `row(${names.map((name) => `"${name}"`).join(', ')})::text`
    return `SELECT '${table}' AS "table", count(*) || ' ' || coalesce(md5(string_agg(${row}, '' ORDER BY ${row})), '') AS "digest" FROM "${table}"`
  })
  const rows: { table: string; digest: string }[] = await database.query(each.join(' UNION ALL '))
  return Object.fromEntries(rows.map(({ table, digest }) => [table, digest]))
}

const totals = () =>
  database.query('SELECT "relation", "organizationId", sum("delta") FROM "row_total" GROUP BY 1, 2 ORDER BY 1, 2')

test('the migrations to keys by organization keep every row and every total, there and back', async () => {
  await rowsOf(tenant)
  await rowsOf(elsewhere)
  const columns = Object.fromEntries(
    database.entityMetadatas.map(({ tableName, columns }) => [
      tableName,
      columns
        .filter(({ isVirtual, isVirtualProperty }) => !isVirtual && !isVirtualProperty)
        .map(({ databaseName }) => databaseName)
        .filter((name) => !later.includes(`${tableName}.${name}`)),
    ]),
  )
  const before = [await digests(columns), await totals()] as const
  expect(Object.values(before[0]).filter((digest) => !digest.startsWith('0 ')).length).toBeGreaterThan(15)

  const patient = await withoutTimeouts(database).initialize()
  const newest = async () =>
    Number((await patient.query('SELECT max("timestamp") AS "timestamp" FROM "migrations"'))[0].timestamp)
  while ((await newest()) >= first) await patient.undoLastMigration({ transaction: 'none' })
  const tables = await patient.query(`SELECT "tablename" FROM "pg_tables" WHERE "schemaname" = 'public'`)
  const older = new Set(tables.map(({ tablename }: { tablename: string }) => tablename))
  const ofOlder = <T>(values: Record<string, T>) =>
    Object.fromEntries(Object.entries(values).filter(([table]) => older.has(table)))
  const totalsOfOlder = before[1].filter(({ relation }: { relation: string }) => older.has(relation))
  expect([await digests(ofOlder(columns)), await totals()]).toEqual([ofOlder(before[0]), totalsOfOlder])

  await patient.runMigrations()
  await patient.destroy()
  // The tables of later migrations were dropped and are empty.
  expect([ofOlder(await digests(columns)), await totals()]).toEqual([ofOlder(before[0]), totalsOfOlder])
})
