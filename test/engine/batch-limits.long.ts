import { Client, Pool, type PoolClient } from 'pg'
import { Location } from '../../entities/index.ts'
import { batchPoolOptions } from '../../ormconfig.ts'
import { KeyedStatement } from '../../src/hydra/store/batch/keyed-statement.ts'
import { ReadBatches } from '../../src/hydra/store/batch/read-batches.ts'
import { TenantScope } from '../../src/hydra/store/tenant-scope.ts'
import { surviveConnectionErrors } from '../../src/postgres/connection-errors.ts'
import { poolsOf } from '../../src/runtime/database.ts'
import { eventually } from '../support/eventually.ts'
import { openWorld } from '../support/world.ts'

const { api, as, directUrl, elsewhere, ending, given, organization, served } = await openWorld()

const { id } = await given(Location, { name: 'Here' })
const foreign = await given(Location, { name: 'There', organizationId: elsewhere.organization.id })

const pool = new Pool(batchPoolOptions(poolsOf(served).items.pool))
surviveConnectionErrors(pool)
const texts: string[] = []
const connections: PoolClient[] = []
pool.on('connect', (client) => {
  const query = client.query.bind(client)
  client.query = ((asked: { text: string }, ...rest: never[]) => {
    texts.push(asked.text)
    return query(asked as never, ...rest)
  }) as never
})
pool.on('acquire', (client) => connections.push(client))
const reads = new ReadBatches(pool)
const sizes: number[] = []
reads.onBatch = (keys) => sizes.push(keys)

const holder = new Client({ connectionString: directUrl })
holder.on('error', () => {})
await holder.connect()
ending.push(async () => {
  await holder.end()
  await pool.end()
})
beforeEach(() => {
  for (const list of [sizes, texts, connections]) list.length = 0
})

interface Connected {
  connection: { stream: { destroy(): void } }
}

let statements = 0
const locations = (most?: number) =>
  new KeyedStatement({
    name: `test:locations:${statements++}`,
    each: 'SELECT "id", "name" FROM "location" WHERE ("organizationId" = :tenant) AND "id" = :id',
    types: { tenant: 'uuid', id: 'uuid' },
    several: {
      text: 'SELECT "id", "name" FROM "location" WHERE ("organizationId" = :tenant) AND "id" = ANY(:ids)',
      by: 'id',
    },
    most,
  })

/** A read of a tenant's location; `share` is the tenant that it counts for. */
const read = (keyed: KeyedStatement, share = 'one', client?: { socket: { destroyed: boolean } }) =>
  keyed.read({ query: () => Promise.reject(), reads: reads.of(share, client, TenantScope.every) }, [
    { tenant: organization.id, id },
  ])

const outcome = (rows: Promise<unknown>) =>
  rows.then(
    () => 'rows',
    (error) => error.status ?? error.code ?? error.message,
  )

/** Runs work while no statement can read locations. */
async function whileLocked<T>(work: () => Promise<T>): Promise<T> {
  await holder.query('BEGIN; LOCK TABLE "location" IN ACCESS EXCLUSIVE MODE')
  try {
    return await work()
  } finally {
    await holder.query('ROLLBACK')
  }
}

/** The locks that are waited for; other test files share this Postgres. */
const lockWaits = `pg_locks WHERE NOT "granted" AND "database" = (SELECT "oid" FROM pg_database WHERE "datname" = current_database())`

const untilWaiting = (count: number) =>
  eventually(
    async () => (await holder.query(`SELECT FROM ${lockWaits}`)).rowCount,
    (waiting) => expect(waiting).toBe(count),
  )

test('a read is sent at once while less than two batches are sent; later ones travel together', async () => {
  const keyed = locations()
  const sent = await whileLocked(async () => {
    const all = Array.from({ length: 40 }, () => read(keyed))
    expect(sizes).toEqual([1, 1])
    await untilWaiting(2)
    return all
  })
  for (const rows of await Promise.all(sent)) expect(rows).toEqual([{ id, name: 'Here' }])
  expect(sizes).toEqual([1, 1, 38])
})

const turn = () => new Promise((resolve) => setImmediate(resolve))

test('after a batch of many, reads gather while each turn of the event loop brings further ones', async () => {
  const keyed = locations()
  await Promise.all(Array.from({ length: 40 }, () => read(keyed)))
  sizes.length = 0
  const late = []
  for (let n = 0; n < 4; n++) {
    late.push(read(keyed), read(keyed))
    expect(sizes).toEqual([])
    await turn()
  }
  await Promise.all(late)
  expect(sizes).toEqual([8])

  for (let n = 0; n < 40; n++) await read(keyed)
  sizes.length = 0
  const lone = read(keyed)
  expect(sizes).toEqual([1])
  await lone
})

test('a second batch is sent once as many keys wait as the first has', async () => {
  const keyed = locations()
  await Promise.all(Array.from({ length: 40 }, () => read(keyed)))
  sizes.length = 0
  const sent = await whileLocked(async () => {
    const all = Array.from({ length: 8 }, () => read(keyed))
    await untilWaiting(1)
    for (let n = 0; n < 7; n++) all.push(read(keyed))
    for (let n = 0; n < 20; n++) await turn()
    expect(sizes).toEqual([8])
    all.push(read(keyed))
    await untilWaiting(2)
    return all
  })
  await Promise.all(sent)
  expect(sizes).toEqual([8, 8])
})

test('a batch has at most its number of keys, and all batches use at most half of the connections', async () => {
  const [first, ...others] = Array.from({ length: 8 }, () => locations(8))
  const sent = await whileLocked(async () => {
    const all = [
      ...Array.from({ length: 30 }, () => read(first)),
      ...others.flatMap((keyed) => [read(keyed), read(keyed)]),
    ]
    await untilWaiting(5)
    expect(sizes).toHaveLength(5)
    return all
  })
  await Promise.all(sent)
  expect(Math.max(...sizes)).toBe(8)
})

test('large rows lower the number of keys of the next batch, so that it has about 1 MB', async () => {
  const large = new KeyedStatement({
    name: 'test:large',
    each: `SELECT repeat(:id, 100000) AS "text"`,
    types: { id: 'text' },
  })
  const executor = { query: () => Promise.reject(), reads: reads.of('one', undefined, TenantScope.every) }
  const all = await Promise.all(Array.from({ length: 60 }, () => large.read(executor, [{ id: 'x' }])))
  for (const [{ text }] of all) expect(text).toHaveLength(100_000)
  expect(sizes.slice(0, 3)).toEqual([1, 1, 10])
  expect(Math.max(...sizes)).toBe(10)
})

test('the flood of one tenant does not delay a read of another tenant', async () => {
  const keyed = locations(8)
  let before = 0
  const { flood, other } = await whileLocked(async () => ({
    flood: Array.from({ length: 300 }, () => read(keyed, 'flood').then(() => before++)),
    other: read(keyed, 'other').then(() => before),
  }))
  expect(await other).toBeLessThanOrEqual(2 + 16)
  await Promise.all(flood)
})

test('a tenant has at most 512 waiting keys; its further reads get 429, and those of others do not', async () => {
  const keyed = locations()
  const [flood, refused, other] = await whileLocked(async () => {
    const flood = Array.from({ length: 514 }, () => outcome(read(keyed, 'flood')))
    return [flood, await outcome(read(keyed, 'flood')), outcome(read(keyed, 'other'))]
  })
  expect(refused).toBe(429)
  expect(new Set(await Promise.all([...flood, other]))).toEqual(new Set(['rows']))
  expect(reads.waiting.size).toBe(0)
})

test('a waiting read whose client has left is dropped', async () => {
  const keyed = locations()
  const client = { socket: { destroyed: false } }
  const [sent, left] = await whileLocked(async () => {
    const sent = [read(keyed), read(keyed), read(keyed)]
    const left = outcome(read(keyed, 'one', client))
    client.socket.destroyed = true
    return [sent, left]
  })
  await Promise.all(sent)
  expect(await left).toBe(408)
  expect(sizes).toEqual([1, 1, 1])
})

test('a value that Postgres rejects fails its own read; the rest of the batch is read in halves', async () => {
  const numbers = new KeyedStatement({
    name: 'test:numbers',
    each: 'SELECT (:id::text)::int AS "n"',
    types: { id: 'text' },
  })
  const executor = { query: () => Promise.reject(), reads: reads.of('one', undefined, TenantScope.every) }
  const all = ['0', '1', ...'23x45678y9'].map((text) => outcome(numbers.read(executor, [{ id: text }])))
  const bad = (text: string) => (/[xy]/.test(text) ? '22P02' : 'rows')
  expect(await Promise.all(all)).toEqual([...'0123x45678y9'].map(bad))
  expect(sizes).toEqual([1, 1, 10])
})

test('a batch whose connection is lost is sent again once', async () => {
  const keyed = locations()
  const lose = () => {
    for (const client of connections.splice(0)) (client as unknown as Connected).connection.stream.destroy()
  }
  const again = await whileLocked(async () => {
    const sent = [outcome(read(keyed)), outcome(read(keyed))]
    await eventually(
      async () => connections.length,
      (count) => expect(count).toBe(2),
    )
    await untilWaiting(2)
    lose()
    return sent
  })
  expect(await Promise.all(again)).toEqual(['rows', 'rows'])
  connections.length = 0

  const lost = await whileLocked(async () => {
    const sent = outcome(read(keyed))
    for (let n = 0; n < 2; n++) {
      await eventually(
        async () => connections.length,
        (count) => expect(count).toBe(1),
      )
      await new Promise((resolve) => setTimeout(resolve, 50))
      lose()
    }
    return sent
  })
  expect(lost).toMatch(/^Connection terminated|ECONNRESET/)
})

test('an administrator who ends the connection fails every read of the batch', async () => {
  const keyed = locations()
  const sent = await whileLocked(async () => {
    const all = Array.from({ length: 2 }, () => outcome(read(keyed)))
    await untilWaiting(2)
    await holder.query(`SELECT pg_terminate_backend("pid") FROM ${lockWaits}`)
    return Promise.all(all)
  })
  expect(sent).toEqual(['57P01', '57P01'])
})

test('items of a locked table get 503 within the two seconds of a read', async () => {
  const began = performance.now()
  const answers = await whileLocked(() => Promise.all(Array.from({ length: 12 }, () => api.get(`/locations/${id}`))))
  expect(performance.now() - began).toBeLessThan(3500)
  for (const { status, headers } of answers) {
    expect(status).toBe(503)
    expect(headers['retry-after']).toMatch(/^\d+$/)
  }
  expect((await api.get(`/locations/${id}`)).status).toBe(200)
})

test('a client reads what it has written, beside other reads of the same statement', async () => {
  const many = Array.from({ length: 20 }, async () => (await api.get(`/locations/${id}`)).status)
  for (const name of ['One', 'Two', 'Three']) {
    expect((await api.patch(`/locations/${id}`, { name })).status).toBe(200)
    const [{ body }, hidden] = await Promise.all([
      api.get(`/locations/${id}`),
      as(elsewhere.users.owner).get(`/locations/${id}`),
    ])
    expect([body.name, hidden.status]).toEqual([name, 404])
  }
  expect(new Set(await Promise.all(many))).toEqual(new Set([200]))
})

test('a scope value that the caller lacks is read alone', async () => {
  const answers: string[] = []
  const query = (asked: { text: string }) => Promise.resolve({ rows: [], ...(answers.push(asked.text) && {}) } as never)
  await locations().read({ query, reads: reads.of('none', undefined, TenantScope.every) }, [{ tenant: null, id }])
  expect(answers).toHaveLength(1)
  expect(sizes).toEqual([])
})

test('batch connections use generic plans and no JIT', async () => {
  const show = async (name: string) => (await pool.query(`SELECT current_setting('${name}') AS "value"`)).rows[0].value
  expect([await show('plan_cache_mode'), await show('jit')]).toEqual(['force_generic_plan', 'off'])
})

test('on a distributed database a batch has the keys of one tenant, and names that tenant once', async () => {
  reads.isDistributed = true
  texts.length = 0
  const keyed = locations()
  const asked = [organization, elsewhere.organization].flatMap((each) =>
    [id, foreign.id, id, foreign.id].map((one) => ({ tenant: each.id, id: one })),
  )
  const found = await Promise.all(
    asked.map((key) =>
      keyed.read({ query: () => Promise.reject(), reads: reads.of(key.tenant, undefined, TenantScope.every) }, [key]),
    ),
  )
  const visible = ({ tenant, id: one }: (typeof asked)[number]) => (tenant === organization.id) === (one === id)
  expect(found.map((rows) => rows.length)).toEqual(asked.map((key) => (visible(key) ? 1 : 0)))
  expect(sizes.toSorted()).toEqual([1, 1, 1, 1, 2, 2])
  for (const text of texts) expect(text).toMatch(/"organizationId" = \$1\) AND "id" = (\$2|ANY\(\$2\))$/)
})
