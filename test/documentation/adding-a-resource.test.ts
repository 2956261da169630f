import { readdir } from 'node:fs/promises'
import type { Callers } from '../../src/access/callers.ts'
import { api as table } from '../../src/api.ts'
import { migrations } from '../../src/migrations/index.ts'
import { openWorld } from '../support/world.ts'

const { banking, billing, database } = await openWorld()
const resources = table({ of: () => Promise.reject(), forget() {} } as unknown as Callers, billing, banking)

/*
 * docs/guides/adding-a-resource.md: a forgotten step fails with a sentence. The same mistake can be in every migration, and in
 * every collection whose total is kept.
 */
test('every migration is listed in src/migrations/index.ts', async () => {
  const files = (await readdir('src/migrations')).filter((name) => /^\d/.test(name))
  const listed = migrations.map(({ name }) => /\d+$/.exec(name)?.[0])
  expect(files.map((name) => name.split('-')[0]).sort()).toEqual(listed.sort())
})

test('every kept total has the triggers that write it, and no other table has them', async () => {
  const rows: { table: string; names: string[] }[] = await database.query(`
    SELECT "tgrelid"::regclass::text AS "table", array_agg("tgname"::text ORDER BY "tgname") AS "names"
      FROM "pg_trigger" WHERE "tgname" IN ('counted_in', 'counted_out') GROUP BY 1`)
  expect(rows.filter(({ names }) => names.length !== 2)).toEqual([])
  const counted = resources.filter(({ options }) => options.counted)
  const tables = counted.map(({ entity }) => database.getMetadata(entity).tableName)
  expect(rows.map(({ table }) => table).sort()).toEqual(tables.sort())
})
