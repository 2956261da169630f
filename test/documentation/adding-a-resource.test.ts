import { readdir } from 'node:fs/promises'
import { Counted } from '../../entities/identified.ts'
import type { Callers } from '../../src/access/callers.ts'
import { api as table } from '../../src/api.ts'
import { migrations } from '../../src/migrations/index.ts'
import { wrongTotals } from '../support/rows/counted-rows.ts'
import { rowsOf } from '../support/rows/sample-rows.ts'
import { openWorld } from '../support/world.ts'

const { banking, billing, database, tenant } = await openWorld()
const resources = table({ of: () => Promise.reject(), forget() {} } as unknown as Callers, billing, banking)

/*
 * docs/guides/adding-a-resource.md: a forgotten step fails with a sentence. The same mistake can be in every migration, and in
 * every collection whose total is kept.
 */
test('every migration is listed in src/migrations/index.ts', async () => {
  const files = (await readdir('src/migrations')).filter((name) => /^\d/.test(name))
  const listed = migrations.map(({ name }) => /\d+$/.exec(name)?.[0])
  const forgotten = files.filter((name) => !listed.includes(name.split('-')[0]))
  expect(forgotten.map((name) => `Add src/migrations/${name} to src/migrations/index.ts, last.`)).toEqual([])
  expect(listed).toHaveLength(files.length)
})

test('the total of every class that extends Counted is kept by its inserts, and no trigger counts', async () => {
  expect(await database.query(`SELECT FROM "pg_trigger" WHERE "tgname" IN ('counted_in', 'counted_out')`)).toEqual([])
  await rowsOf(tenant)
  const counted = resources.filter(({ entity }) => entity.prototype instanceof Counted)
  const tables = counted.map(({ entity }) => database.getMetadata(entity).tableName)
  const kept = await database.query('SELECT DISTINCT "relation" FROM "row_total" ORDER BY 1')
  const found = kept.map(({ relation }: { relation: string }) => relation)
  const missing = tables.filter((name) => !found.includes(name))
  expect(
    missing.map((name) => `Add a row of "${name}" to test/support/rows/sample-rows.ts; writeRows counts it.`),
  ).toEqual([])
  expect(found).toEqual(tables.sort())
  expect(await wrongTotals(database)).toEqual([])
})

test('no trigger reads or writes another table: it changes or refuses its own row', async () => {
  const triggers: { name: string; source: string }[] = await database.query(
    `SELECT "tgrelid"::regclass || '.' || "tgname" AS "name", "prosrc" AS "source" FROM "pg_trigger"
      JOIN "pg_proc" ON "pg_proc"."oid" = "tgfoid" JOIN "pg_class" ON "pg_class"."oid" = "tgrelid"
      WHERE NOT "tgisinternal" AND "relnamespace" = 'public'::regnamespace`,
  )
  expect(triggers).not.toEqual([])
  const statement = /\b(SELECT|INSERT|DELETE|MERGE|PERFORM|EXECUTE|UPDATE|FROM|JOIN)\b/i
  const reaching = triggers.filter(({ source }) => statement.test(source.replace(/'[^']*'|DISTINCT FROM/gi, '')))
  expect(reaching.map(({ name, source }) => `Write the effect of ${name} in code (docs/adr/0019): ${source}`)).toEqual(
    [],
  )
})
