import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { Client } from 'pg'
import { tableKinds } from '../../src/postgres/table-kinds.ts'

const { CITUS_URL: url } = process.env

/** The tests of every resource, and of the queries that every collection takes. */
const rooms = [
  'test/resources',
  'test/query',
  'test/subscriptions',
  'test/invitations',
  'test/banking/import',
  'test/webhooks',
]

const hour = 60 * 60 * 1000

/** Without CITUS_URL, the address of a coordinator and an empty database on it, there is no cluster to ask. */
const onCluster = url ? describe : describe.skip

onCluster('on a Citus cluster (CITUS_URL)', () => {
  /** Runs test files one by one: each of them empties the database of the cluster and distributes it again. */
  const jest = (...args: string[]) =>
    promisify(execFile)(
      process.execPath,
      ['--experimental-vm-modules', 'node_modules/jest/bin/jest.js', '--runInBand', '--testTimeout=120000', ...args],
      { env: process.env, maxBuffer: 100_000_000 },
    ).then(
      () => '',
      ({ stderr }) => stderr.match(/^ *● .+$/gm)?.join('\n') ?? stderr,
    )

  test(
    'the API tests of every resource pass',
    async () => {
      expect(await jest(...rooms)).toBe('')
    },
    hour,
  )

  test('the tables are of the kind that is listed', async () => {
    const client = new Client({ connectionString: url })
    await client.connect()
    const { rows } = await client.query(
      `SELECT table_name::text AS "table", citus_table_type AS "kind" FROM citus_tables WHERE citus_table_type <> 'local'`,
    )
    await client.end()
    const kinds = new Map(rows.map(({ table, kind }) => [table.replaceAll('"', ''), kind]))
    for (const table of tableKinds.reference) expect([table, kinds.get(table)]).toEqual([table, 'reference'])
    for (const table of tableKinds.distributed) expect([table, kinds.get(table)]).toEqual([table, 'distributed'])
  })

  test('a statement that names the organization asks one shard', async () => {
    const client = new Client({ connectionString: url })
    await client.connect()
    const id = '019b8a6c-4000-7000-8000-00000000000a'
    for (const table of tableKinds.distributed) {
      const { rows } = await client.query(`EXPLAIN SELECT 1 FROM "${table}" WHERE "organizationId" = '${id}'`)
      expect([table, rows.map((row) => row['QUERY PLAN']).join('\n')]).toEqual([
        table,
        expect.stringContaining('Task Count: 1'),
      ])
    }
    await client.end()
  })
})
