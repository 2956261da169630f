import { AuditEvent, Language, Location, Meeting, type Organization } from '../../../entities/index.ts'
import { clearedTables } from '../../../src/controllers/organizations/clear.ts'
import { counted } from '../../support/rows/counted-rows.ts'
import { rowsOf } from '../../support/rows/sample-rows.ts'
import { morning, openWorld } from '../../support/world.ts'

const { api, as, database, foundTenant, given, operator } = await openWorld()

/** The tables that a clear keeps, by name; the tables of the queue are not listed. */
const kept = {
  theTenants: [
    ...['organization', 'organization_user', 'organization_user_invitation', 'organization_address', 'subscription'],
    ...['organization_config', 'organization_module', 'mail_footer', 'payment_method', 'invoice', 'integration'],
    ...['employee', 'audit_event', 'api_key', 'webhook_endpoint', 'webhook_delivery', 'organization_export'],
  ],
  /** Totals and changes follow the wiped rows by themselves. Mails that wait are about kept data, and are still sent. */
  keptAlong: ['row_total', 'change', 'idempotency_key', 'outgoing_mail', 'organization_export_part'],
  nobodys: [
    'user',
    'country',
    'image',
    'stripe_event',
    'bank_import',
    'bank_slot',
    'job_crash',
    'migrations',
    'session',
  ],
}

const tables: string[] = (
  await database.query(`SELECT "tablename" FROM "pg_tables" WHERE "schemaname" = 'public' ORDER BY 1`)
).map(({ tablename }: { tablename: string }) => tablename)

const owned: string[] = (
  await database.query(`SELECT "table_name" FROM "information_schema"."columns"
    WHERE "table_schema" = 'public' AND "column_name" = 'organizationId' AND "table_name" NOT IN ('row_total', 'change')`)
).map(({ table_name }: { table_name: string }) => table_name)

/** How many rows an organization has in each table of tenants. */
async function counts({ id }: Organization): Promise<Record<string, number>> {
  const each = [...owned.map((table) => [table, 'organizationId']), ['organization', 'id']].map(
    ([table, column]) => `SELECT '${table}' AS "table", count(*)::int AS "rows" FROM "${table}" WHERE "${column}" = $1`,
  )
  const found: { table: string; rows: number }[] = await database.query(each.join(' UNION ALL '), [id])
  return Object.fromEntries(found.map(({ table, rows }) => [table, rows]))
}

test('every table is either wiped or kept, and it is written down which', () => {
  const decided = [...clearedTables.map(({ table }) => table), ...Object.values(kept).flat()]
  const undecided = tables.filter((table) => !decided.includes(table))
  expect(
    undecided.map(
      (table) => `Add "${table}" to clearedTables in src/controllers/organizations/clear.ts, or to kept here.`,
    ),
  ).toEqual([])
  expect(tables).toEqual(decided.sort())
  expect(owned.filter((table) => kept.nobodys.includes(table))).toEqual([])
})

test('clearing wipes what was put in, leaves what an organization is, and no other loses a row', async () => {
  const demo = await foundTenant('Demo', 'demo', { demo: true, productionLike: false })
  const rows = await rowsOf(demo)
  await rowsOf(await foundTenant('Acme too', 'acme-too'))
  await given(Language, { organizationId: demo.organization.id, id: 'nl-BE' })
  const others = await database.query('SELECT * FROM "organization" WHERE "id" <> $1', [demo.organization.id])
  const before = await counts(demo.organization)
  for (const table of clearedTables) expect([table.table, before[table.table] > 0]).toEqual([table.table, true])
  const elsewhere = await Promise.all(others.map(counts))

  const cleared = await as(demo.users.owner).post('/organizations/clear', { confirm: 'demo' })
  expect(cleared.status).toBe(201)
  expect(cleared.body).toMatchObject({ '@id': `/organizations/${demo.organization.id}`, slug: 'demo' })
  expect(cleared.headers.location).toBe(cleared.body['@id'])

  const after = await counts(demo.organization)
  const none = Object.fromEntries(clearedTables.map(({ table }) => [table, 0]))
  // The event of the clear is sent to the endpoint, too.
  const added = { audit_event: before.audit_event + 1, webhook_delivery: before.webhook_delivery + 1 }
  expect(after).toEqual({ ...before, ...none, language: 2, ...added })
  for (const table of kept.theTenants) expect([table, after[table] > 0]).toEqual([table, true])
  expect(await Promise.all(others.map(counts))).toEqual(elsewhere)

  const languages = (await as(demo.users.owner).get('/languages')).body.member
  expect(languages.map(({ id }: Language) => id)).toEqual(['en', 'nl'])
  const employee = await as(demo.users.owner).get(`/employees/${rows.Employee.id}`)
  expect(employee.body).toMatchObject({ name: 'Mia', location: null })
  expect((await as(demo.users.owner).get('/meetings')).body.totalItems).toBe(0)

  const [event] = await database.manager.find(AuditEvent, { where: { action: 'organization.clear' } })
  expect(event).toMatchObject({
    actorId: demo.users.owner.id,
    organizationId: demo.organization.id,
    target: `/organizations/${demo.organization.id}`,
    changes: { meetings: [1, 0], locations: [1, 0], languages: [2, 0] },
  })

  const again = await as(demo.users.owner).post('/organizations/clear', { confirm: 'demo' })
  expect([again.status, again.body]).toEqual([200, cleared.body])
  expect(await counts(demo.organization)).toEqual(after)
})

test('clearing is for owners', async () => {
  const demo = await foundTenant('Guarded', 'guarded', { demo: true })
  for (const user of [demo.users.member, demo.users.admin, operator])
    expect((await as(user).post('/organizations/clear', { confirm: 'guarded' })).status).toBe(403)
  expect((await as().post('/organizations/clear', { confirm: 'guarded' })).status).toBe(401)
})

test('clearing wants the slug to the letter', async () => {
  const demo = await foundTenant('Careful', 'careful', { productionLike: false })
  await given(Location, { organizationId: demo.organization.id, name: 'Office' })
  for (const confirm of ['Careful', 'careful ', 'acme', '', null, true, ['careful']]) {
    const { status, body } = await as(demo.users.owner).post('/organizations/clear', { confirm })
    expect([confirm, status, body.violations[0].propertyPath]).toEqual([confirm, 422, 'confirm'])
  }
  expect((await as(demo.users.owner).post('/organizations/clear', {})).status).toBe(422)
  expect((await as(demo.users.owner).post('/organizations/clear')).status).toBe(415)
  expect((await counts(demo.organization)).location).toBe(1)
})

test.each([
  [{ demo: false, productionLike: true }, 409],
  [{ demo: true, productionLike: true }, 200],
  [{ demo: true, productionLike: false }, 200],
  [{ demo: false, productionLike: false }, 200],
])('clearing an organization that is %j is answered %i', async (kind, expected) => {
  const slug = `kind-${Math.random().toString(36).slice(2)}`
  const { users } = await foundTenant('Kind', slug, kind)
  expect((await as(users.owner).post('/organizations/clear', { confirm: slug })).status).toBe(expected)
})

test('clearing twice at once wipes once, and so it does when two owners do it', async () => {
  const demo = await foundTenant('Hasty', 'hasty-clear', { demo: true })
  for (let count = 0; count < 20; count++) await given(Meeting, { organizationId: demo.organization.id, ...morning })
  await given(Location, { organizationId: demo.organization.id, name: 'Office' })
  await as(demo.users.owner)
    .patch(await memberOf(demo.users.admin.name), { role: 'owner' })
    .expect(200)
  const clear = (user: typeof demo.users.owner) => as(user).post('/organizations/clear', { confirm: 'hasty-clear' })
  const all = await Promise.all([demo.users.owner, demo.users.owner, demo.users.admin].map(clear))
  expect(all.map(({ status }) => status).sort()).toEqual([200, 200, 201])
  expect(await counts(demo.organization)).toMatchObject({ meeting: 0, location: 0, audit_event: 2 })
})

test('clearing leaves nothing half wiped when it fails', async () => {
  const demo = await foundTenant('Torn', 'torn', { demo: true })
  await rowsOf(demo)
  const before = await counts(demo.organization)
  await database.query(
    `CREATE FUNCTION "stumble"() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'stumbled'; END $$`,
  )
  await database.query(`CREATE TRIGGER "stumbles" BEFORE DELETE ON "language" EXECUTE FUNCTION "stumble"()`)
  try {
    expect((await as(demo.users.owner).post('/organizations/clear', { confirm: 'torn' })).status).toBe(500)
  } finally {
    await database.query(`DROP FUNCTION "stumble" CASCADE`)
  }
  expect(await counts(demo.organization)).toEqual(before)
  expect((await as(demo.users.owner).post('/organizations/clear', { confirm: 'torn' })).status).toBe(201)
})

test('100,000 rows are deleted quickly, and other requests do not wait', async () => {
  const big = await foundTenant('Big', 'big', { demo: true })
  for (let start = 0; start < 100_000; start += 10_000)
    await database.query(
      counted(
        database,
        'meeting',
        `INSERT INTO "meeting" ("id", "createdAt", "updatedAt", "version", "organizationId", "dateFrom", "dateTo")
        SELECT gen_random_uuid(), now(), now(), 1, $1, "from", "from" + interval '1 hour'
          FROM (SELECT timestamptz '2026-01-01Z' + n * interval '10 minutes' AS "from"
            FROM generate_series($2::int, $2::int + 9999) n) AS made`,
      ),
      [big.organization.id, start],
    )
  const [reader, writer] = [as(big.users.member), api]
  const slowest = { reader: 0, writer: 0 }
  let done = false
  const go = async (who: keyof typeof slowest, ask: () => PromiseLike<{ status: number }>, expected: number) => {
    while (!done) {
      const start = performance.now()
      expect((await ask()).status).toBe(expected)
      slowest[who] = Math.max(slowest[who], performance.now() - start)
    }
  }
  const meanwhile = [
    go('reader', () => reader.get('/locations'), 200),
    go('reader', () => as(big.users.admin).get('/meetings'), 200),
    go('writer', () => writer.post('/meetings', { employee: null, ...morning }), 201),
  ]
  const start = performance.now()
  const { status } = await as(big.users.owner).post('/organizations/clear', { confirm: 'big' })
  const took = performance.now() - start
  done = true
  await Promise.all(meanwhile)
  expect(status).toBe(201)
  expect((await as(big.users.owner).get('/meetings')).body.totalItems).toBe(0)
  if (process.env.TELL) console.log({ took, ...slowest })
  expect(took).toBeLessThan(8000)
  expect(Math.max(slowest.reader, slowest.writer)).toBeLessThan(2000)
})

async function memberOf(name: string): Promise<string> {
  const [{ id }] = await database.query('SELECT "id" FROM "organization_user" WHERE "name" = $1', [name])
  return `/organization-users/${id}`
}
