import { AuditEvent, Employee, Location, Meeting } from '../../entities/index.ts'
import { insertRow } from '../../src/hydra/index.ts'
import { foldTotals } from '../../src/runtime/fold-totals.ts'
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
      if ((n + count) % 3 === 0) await database.manager.delete(Meeting, { id })
      if (count % 4 === n % 4) await foldTotals(database)
      if (count % 5 === 0) await given(Meeting, { ...morning, organizationId: elsewhere.organization.id })
    }
  }
  await Promise.all(Array.from({ length: 16 }, (_, n) => writer(n)))
  expect(await totals(Meeting, '/meetings')).toEqual([128, 128, 128])
  await foldTotals(database)
  await foldTotals(database)
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
    `INSERT INTO "location" ("id", "createdAt", "updatedAt", "version", "organizationId", "name")
      SELECT gen_random_uuid(), now(), now(), 1, o, 'L' || n FROM generate_series(1, 40) n, unnest($1::uuid[]) o`,
    [[organization.id, elsewhere.organization.id]],
  )
  expect(await totals(Location, '/locations')).toEqual([41, 41, 41])
  expect(await totalOf('/locations', as(elsewhere.users.owner))).toBe(40)
  await database.query(`DELETE FROM "location" WHERE "name" LIKE 'L1%'`)
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
  await foldTotals(database)
  await given(Meeting, { ...own, ...morning })
  for (const path of ['/meetings', '/meetings?itemsPerPage=0']) expect(await totalOf(path, wiper)).toBe(1)
})

test('the stored totals equal the counts of the rows', async () => {
  for (const { relation, organizationId } of await deltas()) {
    const [[kept], [counted]] = await Promise.all([
      database.query(
        'SELECT sum("delta")::int AS total FROM "row_total" WHERE "relation" = $1 AND "organizationId" = $2',
        [relation, organizationId],
      ),
      database.query(`SELECT count(*)::int AS total FROM "${relation}" WHERE "organizationId" = $1`, [organizationId]),
    ])
    expect([relation, kept]).toEqual([relation, counted])
  }
})
