import pg, { type Client, type PoolClient } from 'pg'
import { TenantScope } from '../../src/hydra/store/tenant-scope.ts'
import { poolsOf } from '../../src/runtime/database.ts'
import { openWorld } from '../support/world.ts'

/* Pools to Postgres itself use a client of our own for named statements. It must give what the client of pg gives. */
const { database, ending, served } = await openWorld({ pooled: false })
const { pool } = poolsOf(database).items
const own = await pool.connect()
const theirs = new pg.Client(pool.options)
await theirs.connect()
ending.push(
  async () => own.release(),
  () => theirs.end(),
)

let named = 0
const fresh = () => `named-statements:${named++}`

const moments = `SELECT $1::timestamptz AS "moment", $2::int[] AS "numbers"`
const statements: [what: string, text: string, values: unknown[], options?: object][] = [
  ['texts, and null', 'SELECT $1::text AS "a", $2::text AS "b", $3::text AS "c"', ['Zoë 🎉 \u0001', '', null]],
  ['numbers and booleans', 'SELECT $1::int AS "a", $2::float8 AS "b", $3::boolean AS "c"', [-7, 1e300, true]],
  ['a date and an array', moments, [new Date(Date.UTC(2026, 0, 5, 8, 0, 0, 250)), [3, null, 1]]],
  ['JSON', 'SELECT $1::jsonb AS "a"', [{ name: '"ü"', list: [1, { deep: null }] }]],
  ['bytes', 'SELECT $1::bytea AS "a", length($1::bytea) AS "length"', [Buffer.from([0, 255, 7])]],
  ['a long text', 'SELECT $1::text AS "a"', ['é'.repeat(20_000)]],
  ['several rows', 'SELECT n, NULL AS "none" FROM generate_series(1, $1::int) n', [50]],
  ['no row', 'SELECT 1 AS "a" WHERE $1::int = 0', [1]],
  ['two columns of one name', 'SELECT $1::int AS "a", 2 AS "a"', [1]],
  ['rows as arrays', 'SELECT $1::int, 2, $1::int', [1], { rowMode: 'array' }],
  ['own parsers', 'SELECT $1::int AS "a"', [1], { types: { getTypeParser: () => (text: string) => `<${text}>` } }],
  ['a write without rows', 'UPDATE "user" SET "name" = "name" WHERE "name" <> $1', ['nobody']],
  ['a write that returns rows', 'DELETE FROM "row_total" WHERE "relation" = $1 RETURNING "delta"', ['nothing']],
]

test.each(statements)('%s: the first and later results are those of pg', async (...[, text, values, options]) => {
  const name = fresh()
  const run = async (client: Client | PoolClient) => {
    const { command, rowCount, rows, fields } = await client.query({ name, text, values, ...options })
    return { command, rowCount, rows, fields: fields.map(({ name, dataTypeID }) => ({ name, dataTypeID })) }
  }
  const expected = await run(theirs)
  for (let times = 0; times < 3; times++) expect(await run(own)).toEqual(expected)
})

test('a connection describes a statement once', async () => {
  const { connection } = own as unknown as { connection: NodeJS.EventEmitter }
  let described = 0
  const count = () => described++
  connection.on('rowDescription', count)
  const name = fresh()
  for (let n = 0; n < 3; n++)
    expect((await own.query({ name, text: 'SELECT $1::int AS "n"', values: [n] })).rows).toEqual([{ n }])
  connection.off('rowDescription', count)
  expect(described).toBe(1)
})

test('the tenants of a statement travel in its chunk, and Postgres sends no row for them', async () => {
  const client = await poolsOf(served).items.pool.connect()
  const { connection } = client as unknown as { connection: NodeJS.EventEmitter & { stream: NodeJS.WritableStream } }
  const { stream } = connection
  const query = { name: fresh(), text: `SELECT current_setting('app.tenants') AS "tenants"`, values: [] }
  const admit = () => client.query({ ...query, scope: TenantScope.every } as typeof query)
  await admit()
  const seen = { chunks: 0, rows: 0 }
  const write = stream.write.bind(stream)
  stream.write = ((...given: Parameters<typeof write>) => {
    seen.chunks++
    return write(...given)
  }) as typeof write
  connection.on('dataRow', () => seen.rows++)
  const { rows } = await admit()
  const sent = { ...seen }
  client.release(true)
  expect(rows).toEqual([{ tenants: '*' }])
  expect(sent).toEqual({ chunks: 1, rows: 1 })
})

const failures: [what: string, text: string, values: unknown[], options?: object][] = [
  ['a value that Postgres refuses', 'SELECT 1 / $1::int', [0]],
  ['a value too many', 'SELECT $1::int', [1, 2]],
  ['a text that is no SQL', 'SELEC $1', [1]],
  ['a parser that throws', 'SELECT $1::int', [1], { types: { getTypeParser: () => JSON.parse.bind(null, '{') } }],
]

test.each(failures)(
  '%s: the statement fails as with pg, and the connection goes on',
  async (...[, text, values, options]) => {
    const name = fresh()
    const failure = (client: Client | PoolClient) =>
      client.query({ name, text, values, ...options }).catch((error: Error & { code?: string }) => error)
    const { message, code } = (await failure(theirs)) as Error & { code?: string }
    for (let times = 0; times < 3; times++) {
      expect(await failure(own)).toMatchObject({ message, ...(code && { code }) })
      expect(
        (await own.query({ name: 'named-statements:next', text: 'SELECT $1::int AS "a"', values: [1] })).rows,
      ).toEqual([{ a: 1 }])
    }
  },
)

test('a name of another text is refused', async () => {
  const name = fresh()
  await own.query({ name, text: 'SELECT $1::int', values: [1] })
  await expect(own.query({ name, text: 'SELECT $1::text', values: ['1'] })).rejects.toThrow('must be unique')
})
