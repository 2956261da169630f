import { pino } from 'pino'
import { AuditEvent, Employee, Location, Meeting } from '../../entities/index.ts'
import { insertRow, rowTotals } from '../../src/hydra/index.ts'
import { CountedWrites1764000000101 } from '../../src/migrations/1764000000101-counted-writes.ts'
import { correctTotals } from '../../src/runtime/correct-totals.ts'
import { counted, deleteRows, wrongTotals } from '../support/rows/counted-rows.ts'
import { rowsOf } from '../support/rows/sample-rows.ts'
import { morning, openWorld } from '../support/world.ts'

const { api, as, database, elsewhere, foundTenant, given, organization, tenant } = await openWorld()

const totalOf = async (path: string, agent = api) => (await agent.get(path)).body.totalItems
const deltas = () => database.query('SELECT "relation", "organizationId", "delta"::int FROM "row_total"')

/** The total of an empty page, the total of a page with a member, and the count of Postgres. */
async function totals(type: typeof Meeting | typeof Location, path: string): Promise<number[]> {
  const page = (await api.get(`${path}?itemsPerPage=1`)).body.totalItems
  return [
    await totalOf(`${path}?itemsPerPage=0`),
    page,
    await database.manager.countBy(type, { organizationId: organization.id }),
  ]
}

test('sixteen writers, deletions and folding at once leave the exact number', async () => {
  const writer = async (n: number) => {
    for (let count = 0; count < 12; count++) {
      const { id } = await given(Meeting, morning)
      if ((n + count) % 3 === 0) await deleteRows(database, 'meeting', '"id" = $1', [id])
      if (count % 4 === n % 4) await rowTotals.fold(database)
      if (count % 5 === 0) await given(Meeting, { ...morning, organizationId: elsewhere.organization.id })
    }
  }
  await Promise.all(Array.from({ length: 16 }, (_, n) => writer(n)))
  expect(await totals(Meeting, '/meetings')).toEqual([128, 128, 128])
  await rowTotals.fold(database)
  await rowTotals.fold(database)
  expect(await totals(Meeting, '/meetings')).toEqual([128, 128, 128])
  expect(await totalOf('/meetings', as(elsewhere.users.owner))).toBe(48)
  const held = await deltas()
  expect(held.filter(({ relation }: { relation: string }) => relation === 'meeting')).toHaveLength(2)
})

test('a row that is rolled back or refused is not counted', async () => {
  const [before] = await totals(Meeting, '/meetings')
  const work = database.transaction(async (manager) => {
    for (let n = 0; n < 3; n++)
      await insertRow(manager, Object.assign(new Meeting(), { ...morning, organizationId: organization.id }))
    throw new Error('changed our mind')
  })
  await expect(work).rejects.toThrow('changed our mind')
  await given(Location, { name: 'Once' })
  expect((await api.post('/locations', { name: 'once' })).status).toBe(422)
  expect(await totals(Meeting, '/meetings')).toEqual([before, before, before])
  expect(await totals(Location, '/locations')).toEqual([1, 1, 1])
})

test('rows of several tenants in one statement are counted for each tenant apart', async () => {
  await database.query(
    counted(
      database,
      'location',
      `INSERT INTO "location" ("id", "createdAt", "updatedAt", "version", "organizationId", "name")
        SELECT gen_random_uuid(), now(), now(), 1, o, 'L' || n FROM generate_series(1, 40) n, unnest($1::uuid[]) o`,
    ),
    [[organization.id, elsewhere.organization.id]],
  )
  expect(await totals(Location, '/locations')).toEqual([41, 41, 41])
  expect(await totalOf('/locations', as(elsewhere.users.owner))).toBe(40)
  await deleteRows(database, 'location', `"name" LIKE 'L1%'`)
  expect(await totals(Location, '/locations')).toEqual([30, 30, 30])
})

test('a total counts only rows that the role may read and the filter matches', async () => {
  const mine = await given(Employee, { name: 'Mia', user: tenant.users.member })
  for (let n = 0; n < 5; n++) await given(Meeting, { ...morning, employee: mine, notes: n < 2 ? 'roof' : null })
  expect(await totalOf('/meetings', as(tenant.users.member))).toBe(5)
  expect(await totalOf('/meetings?notes=roof&itemsPerPage=1', as(tenant.users.member))).toBe(2)
  expect(await totalOf('/meetings?notes=roof&itemsPerPage=1')).toBe(2)
  expect(await totalOf('/meetings?itemsPerPage=1')).toBe(133)
})

test('the totals of wiped rows restart at 0', async () => {
  const { users, organization } = await foundTenant('Wiped', 'wiped', { demo: true, productionLike: false })
  const wiper = as(users.owner)
  const own = { organizationId: organization.id }
  for (let n = 0; n < 40; n++) await given(Meeting, { ...own, ...morning })
  await given(Location, { ...own, name: 'Gone' })
  expect(await totalOf('/meetings', wiper)).toBe(40)
  expect((await wiper.post('/organizations/clear', { confirm: 'wiped' })).status).toBe(201)
  for (const path of ['/meetings', '/locations']) expect(await totalOf(`${path}?itemsPerPage=0`, wiper)).toBe(0)
  expect(await totalOf('/audit-events?itemsPerPage=0', wiper)).toBe(await database.manager.countBy(AuditEvent, own))
  await rowTotals.fold(database)
  await given(Meeting, { ...own, ...morning })
  for (const path of ['/meetings', '/meetings?itemsPerPage=0']) expect(await totalOf(path, wiper)).toBe(1)
})

test('creations and clears at the same time leave the exact numbers', async () => {
  const { users, organization } = await foundTenant('Busy', 'busy', { demo: true, productionLike: false })
  const owner = as(users.owner)
  const own = { organizationId: organization.id }
  const create = async (n: number) => {
    for (let count = 0; count < 8; count++) {
      await owner.post('/meetings', { employee: null, ...morning }).expect(201)
      await owner.post('/locations', { name: `Office ${n} ${count}` }).expect(201)
    }
  }
  const clear = async () => {
    for (let count = 0; count < 4; count++) await owner.post('/organizations/clear', { confirm: 'busy' })
  }
  await Promise.all([create(1), create(2), create(3), clear(), clear()])
  for (const [type, path] of [
    [Meeting, '/meetings'],
    [Location, '/locations'],
    [AuditEvent, '/audit-events'],
  ] as const)
    expect(await totalOf(`${path}?itemsPerPage=0`, owner)).toBe(await database.manager.countBy(type, own))
})

/** The lines that the correction logs. */
async function corrections(): Promise<object[]> {
  const lines: string[] = []
  await correctTotals(database, pino({ base: undefined, timestamp: false }, { write: (line) => void lines.push(line) }))
  return lines.map((line) => JSON.parse(line))
}

test('a total that was deleted or falsified is corrected and logged while others write', async () => {
  expect(await corrections()).toEqual([])
  const { organization: falsified } = await foundTenant('Falsified', 'falsified')
  for (let n = 0; n < 3; n++) await given(Location, { organizationId: falsified.id, name: `Office ${n}` })
  const of = [organization.id, 'meeting']
  const rows = await database.manager.countBy(Meeting, { organizationId: organization.id })
  await database.query('DELETE FROM "row_total" WHERE "organizationId" = $1 AND "relation" = $2', of)
  await database.query(`INSERT INTO "row_total" VALUES ('location', $1, 7), ('invoice', $1, -2)`, [falsified.id])
  const deltas = async () => (await wrongTotals(database)).map(({ off }) => off).sort((one, other) => one - other)
  expect(await deltas()).toEqual([-7, 2, rows])

  let isDone = false
  const write = async () => {
    for (let n = 0; !isDone; n++) {
      const { id } = await given(Meeting, morning)
      if (n % 2 === 0) await deleteRows(database, 'meeting', '"id" = $1', [id])
    }
  }
  const writers = [write(), write(), write()]
  const logged = (await Promise.all([corrections(), corrections(), corrections()])).flat()
  isDone = true
  await Promise.all(writers)

  const line = { level: 40, msg: 'corrected a kept total' }
  expect(logged).toHaveLength(3)
  expect(logged).toEqual(
    expect.arrayContaining([
      { ...line, table: 'location', organization: falsified.id, difference: -7 },
      { ...line, table: 'invoice', organization: falsified.id, difference: 2 },
      expect.objectContaining({ ...line, table: 'meeting', organization: organization.id }),
    ]),
  )
  expect(await wrongTotals(database)).toEqual([])
  expect(await corrections()).toEqual([])
  const [, page, counts] = await totals(Meeting, '/meetings')
  expect(page).toBe(counts)
})

test('the stored totals of a row of every class equal the counts of the rows', async () => {
  await rowsOf(await foundTenant('Every', 'every'))
  expect(await wrongTotals(database)).toEqual([])
  const relations = new Set((await deltas()).map(({ relation }: { relation: string }) => relation))
  expect([...relations].sort()).toEqual([
    'audit_event',
    'bank_transaction',
    'employee',
    'invoice',
    'location',
    'meeting',
    'webhook_delivery',
  ])
})

test('the migration back counts by triggers again, from the number of rows on', async () => {
  const migration = new CountedWrites1764000000101()
  const runner = database.createQueryRunner()
  // The migration is older than this table, so its triggers do not count it.
  await deleteRows(database, 'webhook_delivery', 'true')
  await database.query(`INSERT INTO "row_total" VALUES ('invoice', $1, 5)`, [organization.id])
  await runner.startTransaction()
  await migration.down(runner)
  await runner.commitTransaction()
  expect(await wrongTotals(database)).toEqual([])
  await database.manager.delete(Meeting, { organizationId: organization.id })
  await database.query(
    `INSERT INTO "location" ("id", "createdAt", "updatedAt", "version", "organizationId", "name")
      SELECT gen_random_uuid(), now(), now(), 1, $1, 'Restored ' || n FROM generate_series(1, 3) n`,
    [organization.id],
  )
  expect(await wrongTotals(database)).toEqual([])
  await runner.startTransaction()
  await migration.up(runner)
  await runner.commitTransaction()
  await runner.release()
  expect(await wrongTotals(database)).toEqual([])
  await given(Meeting, morning)
  expect(await wrongTotals(database)).toEqual([])
})
