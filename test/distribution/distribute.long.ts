import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { tableKinds } from '../../src/postgres/table-kinds.ts'
import { openWorld } from '../support/world.ts'

const { database } = await openWorld()

const { host, user } = JSON.parse(process.env.TEST_POSTGRES ?? '{}')

/** Runs `npm run distribute` on the database of this file. */
async function distribute(...args: string[]): Promise<{ lines: string[]; errors: string }> {
  const [{ name }] = await database.query('SELECT current_database() AS "name"')
  const url = `postgres:///${name}?host=${encodeURIComponent(host)}&user=${user}&port=${JSON.parse(process.env.TEST_POSTGRES ?? '{}').port}`
  const env = { ...process.env, DATABASE_URL: url }
  const done = await promisify(execFile)('npm', ['run', '--silent', 'distribute', '--', ...args], { env }).catch(
    (error) => error,
  )
  return { lines: done.stdout.split('\n').filter(Boolean), errors: done.stderr }
}

const foreignKeys = () =>
  database.query(
    `SELECT conrelid::regclass::text AS "table", conname AS "name", pg_get_constraintdef(oid) AS "definition"
      FROM pg_constraint WHERE contype = 'f' AND connamespace = 'public'::regnamespace ORDER BY conname`,
  )

test('without --apply it prints the statements and runs none', async () => {
  const { lines } = await distribute()
  const text = lines.join('\n')
  for (const table of tableKinds.reference) expect(text).toContain(`SELECT create_reference_table('"${table}"');`)
  for (const table of tableKinds.distributed)
    expect(text).toContain(`SELECT create_distributed_table('"${table}"', 'organizationId', colocate_with => '`)
  for (const table of tableKinds.local) expect(text).not.toMatch(new RegExp(`create_\\w+_table\\('"${table}"`))
})

test('with --apply it asks for Citus where the database has none', async () => {
  const before = await foreignKeys()
  expect((await distribute('--apply')).errors).toMatch(/^The database has no extension "citus"\. .+\n$/)
  expect(await foreignKeys()).toEqual(before)
})

test('with --apply it gives each table its kind, and puts every foreign key back', async () => {
  await database.query(await readFile('test/distribution/citus-stub.sql', 'utf8'))
  const before = await foreignKeys()
  expect((await distribute('--apply')).errors).toBe('')
  const tables = await database.query(
    'SELECT "table_name"::text AS "table", "citus_table_type" AS "kind" FROM citus_tables',
  )
  const unquoted = tables.map(({ table, kind }: { table: string; kind: string }) => [table.replaceAll('"', ''), kind])
  expect(Object.fromEntries(unquoted)).toEqual(
    Object.fromEntries([
      ...tableKinds.reference.map((table) => [table, 'reference']),
      ...tableKinds.distributed.map((table) => [table, 'distributed']),
    ]),
  )
  expect(await foreignKeys()).toEqual(before)
})

test('a second run changes nothing', async () => {
  expect(await distribute('--apply')).toEqual({ lines: [], errors: '' })
})

test('a run that was interrupted goes on', async () => {
  const before = await foreignKeys()
  await database.query(`DELETE FROM citus_tables WHERE "table_name" = 'meeting'::regclass`)
  await database.query(
    `ALTER TABLE "invoice" DROP CONSTRAINT "${before.find(({ table }: { table: string }) => table === 'invoice').name}"`,
  )
  const { lines, errors } = await distribute('--apply')
  expect(errors).toBe('')
  expect(lines.filter((line) => line.startsWith('SELECT create_'))).toEqual([
    `SELECT create_distributed_table('"meeting"', 'organizationId', colocate_with => 'row_total');`,
  ])
  expect(await foreignKeys()).toEqual(before)
})
