import { setImmediate as tick } from 'node:timers/promises'
import fc from 'fast-check'
import { Pool } from 'pg'
import { Employee, Location, Meeting, Organization, User } from '../../entities/index.ts'
import { batchPoolOptions } from '../../ormconfig.ts'
import { type Role, roles } from '../../src/access/roles.ts'
import type { Found } from '../../src/hydra/model/page.ts'
import type { Executor } from '../../src/hydra/model/store.ts'
import { KeyedStatement } from '../../src/hydra/store/batch/keyed-statement.ts'
import { ReadBatches } from '../../src/hydra/store/batch/read-batches.ts'
import { PostgresStore } from '../../src/hydra/store/postgres-store.ts'
import { sentColumns } from '../../src/hydra/store/sent-rows.ts'
import { statement } from '../../src/hydra/store/statement.ts'
import { TenantScope } from '../../src/hydra/store/tenant-scope.ts'
import { surviveConnectionErrors } from '../../src/postgres/connection-errors.ts'
import { meeting, organization as organizations, user as users } from '../../src/resources/visibility.ts'
import { poolsOf } from '../../src/runtime/database.ts'
import { morning, openWorld } from '../support/world.ts'

const { database, elsewhere, ending, given, organization, tenant, served } = await openWorld()

const batches = new Pool(batchPoolOptions(poolsOf(served).items.pool))
surviveConnectionErrors(batches)
ending.push(() => batches.end())
const reads = new ReadBatches(batches)
const sizes: number[] = []
reads.onBatch = (keys) => sizes.push(keys)

const store = (type: new () => object, options: object = {}) =>
  new PostgresStore(database.getMetadata(type), { roles, tenantColumn: 'organizationId', ...options })
const whole = { whole: users.whole?.when as string }
const stores = [
  store(Location),
  store(Meeting, { scope: meeting.scope }),
  store(User, { scope: users.scope, named: users.named, computed: whole }),
  store(Organization, { scope: organizations.scope, everyTenant: true }),
  store(Location, { sent: sentColumns(database.getMetadata(Location)) }),
]

const ids: string[] = []
for (const { id: organizationId } of [organization, elsewhere.organization]) {
  const people = organizationId === organization.id ? tenant.users : elsewhere.users
  const { id } = await given(Employee, { name: 'Ada', organizationId, userId: people.member.id })
  const rows = [
    await given(Location, { name: 'Here', organizationId }),
    await given(Meeting, { ...morning, organizationId, employeeId: id }),
    await given(Meeting, { ...morning, organizationId }),
  ]
  ids.push(organizationId, ...[...rows, ...Object.values(people)].map((row) => row.id))
}
ids.push('01890000-0000-7000-8000-000000000000')

const callers = [
  ...[tenant, elsewhere].flatMap(({ organization: { id }, users: people }) =>
    Object.entries(people).map(([role, { id: user }]) => ({ role: role as Role, user, tenant: id as string | null })),
  ),
  { role: 'operator' as Role, user: null, tenant: null },
  { role: 'guest' as Role, user: tenant.users.member.id, tenant: null },
]

const aRead = fc.record({
  caller: fc.constantFrom(...callers),
  store: fc.constantFrom(...stores),
  kind: fc.constantFrom('find' as const, 'show' as const, 'existing' as const, 'page' as const, 'next' as const),
  ids: fc.uniqueArray(fc.constantFrom(...ids), { minLength: 1, maxLength: 3 }),
  ticks: fc.nat(3),
})

const own = (caller: (typeof callers)[number]) => {
  const scope = caller.role === 'operator' ? TenantScope.every : TenantScope.of(caller.tenant)
  return {
    ...poolsOf(served).items.of('test', undefined, scope),
    reads: reads.of(`${caller.tenant}`, undefined, scope),
  }
}
const lone: Executor = { query: (query) => batches.query({ ...query, scope: TenantScope.every } as typeof query) }

/** Runs each read after some turns of the event loop, so that reads meet in batches of many kinds. */
const interleaved = <R extends { ticks: number }, T>(all: R[], run: (read: R) => Promise<T>): Promise<T[]> =>
  Promise.all(
    all.map(async (read) => {
      for (let n = 0; n < read.ticks; n++) await tick()
      return run(read)
    }),
  )

/** A page by its values: one of texts makes its entities when they are asked for. */
const plain = (found: Found<object>) =>
  found.sent ? { ...found, read: undefined, rows: found.sent, entities: found.entities } : found

test('reads of several tenants and roles that travel together give each what a lone read gives', async () => {
  const property = fc.asyncProperty(fc.array(aRead, { minLength: 20, maxLength: 60 }), async (all) => {
    const ask = (
      { caller, store, kind, ids }: (typeof all)[number],
      executor: ReturnType<typeof own> | typeof lone,
    ) => {
      if (kind === 'existing') return store.existing(executor, caller, ids).then((found) => found.toSorted())
      if (kind === 'find' || kind === 'show') return store.find(executor, caller, ids[0], kind === 'show')
      const from = kind === 'page' ? { offset: 0 } : { after: [ids[0]] }
      return store.page(executor, caller, { conditions: [], order: [], size: 10, from }).then(plain)
    }
    const together = await interleaved(all, (read) => ask(read, own(read.caller)))
    for (const [n, read] of all.entries()) {
      const alone = await ask(read, lone)
      expect(together[n]).toStrictEqual(alone)
      expect(Object.getPrototypeOf(together[n] ?? {})).toBe(Object.getPrototypeOf(alone ?? {}))
    }
  })
  await fc.assert(property, { numRuns: 25 })
  expect(Math.max(...sizes)).toBeGreaterThan(4)
})

test('a batch has at most 256 keys of items, or 32 pages', async () => {
  const [caller] = callers
  const page = { conditions: [], order: [], size: 10, from: { offset: 0 } }
  const largestOf = async (count: number, read: () => Promise<unknown>) => {
    sizes.length = 0
    await Promise.all(Array.from({ length: count }, read))
    return Math.max(...sizes)
  }
  expect(await largestOf(500, () => stores[0].find(own(caller), caller, ids[0]))).toBe(256)
  expect(await largestOf(100, () => stores[0].page(own(caller), caller, page))).toBe(32)
})

/** The globals of the modules that test files share. */
const { workerGlobal } = globalThis as unknown as { workerGlobal: typeof globalThis }

test('no timer delays a read: the only timers of batches are the limits of their reads', async () => {
  const delays: number[] = []
  const start = workerGlobal.setTimeout
  workerGlobal.setTimeout = ((run: () => void, delay: number, ...rest: unknown[]) => {
    if (new Error().stack?.includes('/store/batch/')) delays.push(delay)
    return start(run, delay, ...rest)
  }) as typeof start
  try {
    const waves = Array.from({ length: 60 }, (_, n) => ({ ticks: n % 4 }))
    await interleaved(waves, () => stores[0].find(own(callers[0]), callers[0], ids[0]))
  } finally {
    workerGlobal.setTimeout = start
  }
  expect(delays.length).toBeGreaterThanOrEqual(60)
  // The limits of a read, of its statement and of its connection, which last for seconds.
  for (const delay of delays) expect(delay).toBeGreaterThanOrEqual(2000)
})

test('two stores of a class read their pages over one connection, in any order', async () => {
  const single = new Pool({ ...batchPoolOptions(poolsOf(served).items.pool), max: 1 })
  surviveConnectionErrors(single)
  ending.push(() => single.end())
  const executor = { ...lone, reads: new ReadBatches(single).of('test', undefined, TenantScope.every) }
  const pages = [{ offset: 0 }, { after: [ids[0]] }]
  for (const order of [pages, pages.toReversed()]) {
    const each = store(Location)
    for (const from of order) {
      const { entities } = await each.page(executor, callers[0], { conditions: [], order: [], size: 10, from })
      expect(entities.length).toBeGreaterThan(0)
    }
  }
})

/** A wrong batch: its scope stands outside the lateral, so a row of one caller answers another one. */
class ScopeOutside extends KeyedStatement {
  private readonly wrong = statement(
    'test:wrong',
    `SELECT "batch"."n", "found".* FROM unnest(:ids::uuid[]) WITH ORDINALITY AS "batch"("id", "n"),
       LATERAL (SELECT "id", "name" FROM "location" WHERE "organizationId" = ANY(:tenants) AND "id" = "batch"."id") AS "found"`,
  )

  override async together(...[executor, keys]: Parameters<KeyedStatement['together']>) {
    const values = { ids: keys.map(({ id }) => id), tenants: keys.map((key) => key.tenant) }
    const { rows } = await this.wrong(executor, values)
    return keys.map((_, at) => rows.filter(({ n }) => n === at + 1).map(({ n, ...row }) => row))
  }
}

const text = {
  each: 'SELECT "id", "name" FROM "location" WHERE ("organizationId" = :tenant) AND "id" = :id',
  types: { tenant: 'uuid', id: 'uuid' } as const,
}

test.each([
  [
    'a batch whose scope stands inside the lateral has the property',
    new KeyedStatement({ ...text, name: 'test:right' }),
    false,
  ],
  [
    'a batch whose scope stands outside the lateral fails it',
    new ScopeOutside({ ...text, name: 'test:outside' }),
    true,
  ],
])('%s', async (_, keyed, fails) => {
  const read = fc.record({ caller: fc.constantFrom(...callers), id: fc.constantFrom(...ids), ticks: fc.nat(2) })
  const property = fc.asyncProperty(fc.array(read, { minLength: 20, maxLength: 60 }), async (all) => {
    const key = ({ caller, id }: (typeof all)[number]) => [{ tenant: caller.tenant, id }]
    const together = await interleaved(all, (one) => keyed.read(own(one.caller), key(one)))
    for (const [n, one] of all.entries()) expect(together[n]).toEqual(await keyed.alone(lone, key(one)))
  })
  const { failed } = await fc.check(property, { numRuns: 15, endOnFailure: true })
  expect(failed).toBe(fails)
})
