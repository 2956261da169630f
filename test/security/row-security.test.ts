import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { Client, type QueryResult } from 'pg'
import { pino } from 'pino'
import { DataSource } from 'typeorm'
import { Location, OrganizationExport, Subscription, WebhookDelivery } from '../../entities/index.ts'
import { TenantScope } from '../../src/hydra/index.ts'
import { readRowSecurity, tenantColumns } from '../../src/postgres/row-security.ts'
import { sharedTables, unlistedTables } from '../../src/postgres/table-kinds.ts'
import { poolsOf } from '../../src/runtime/database.ts'
import { WebhookSender } from '../../src/webhooks/sender.ts'
import { jobs } from '../support/jobs.ts'
import { type PageStatement, watchPages } from '../support/page-statements.ts'
import { rowsOf } from '../support/rows/sample-rows.ts'
import { openWorld } from '../support/world.ts'

const { api, database, databaseName, directUrl, elsewhere, given, organization, outside, served, serverUrl, tenant } =
  await openWorld()

await rowsOf(tenant)
const others = await rowsOf(elsewhere)
const tables = [...tenantColumns]
const [ownId, otherId] = [organization.id, elsewhere.organization.id]
const own = TenantScope.of(ownId).view(served)

/** The number of rows that a role sees. */
async function count(source: Pick<DataSource, 'query'>, table: string, condition = 'true'): Promise<number> {
  const [{ rows }] = await source.query(`SELECT count(*)::int AS "rows" FROM "${table}" WHERE ${condition}`)
  return rows
}

test('every table with an organization is behind a policy, and no other table', async () => {
  const withTenants = await database.query(
    `SELECT "table_name" AS "name" FROM information_schema.columns
      WHERE "table_schema" = 'public' AND "column_name" = 'organizationId' UNION SELECT 'organization' ORDER BY 1`,
  )
  const secured = await database.query(
    `SELECT DISTINCT "relname"::text AS "name" FROM pg_class JOIN pg_policy ON "polrelid" = pg_class."oid"
      WHERE "relrowsecurity" AND "relnamespace" = 'public'::regnamespace AND "polname" = 'tenants' ORDER BY 1`,
  )
  expect(secured).toEqual(withTenants)
  expect(tables.map(([table]) => table).sort()).toEqual(withTenants.map(({ name }: { name: string }) => name).sort())
})

describe.each(tables)('the rows of "%s"', (table, column) => {
  test('are neither returned nor changed by a statement whose scope was forgotten', async () => {
    expect(await count(served, table)).toBe(0)
    expect((await served.query(`UPDATE "${table}" SET "${column}" = "${column}"`))[1]).toBe(0)
    expect((await served.query(`DELETE FROM "${table}"`))[1]).toBe(0)
  })

  test('are neither returned nor changed for another tenant than theirs', async () => {
    const foreign = `"${column}" = '${otherId}'`
    expect(await count(own, table, foreign)).toBe(0)
    expect((await own.query(`DELETE FROM "${table}" WHERE ${foreign}`))[1]).toBe(0)
    expect(await count(own, table)).toBe(await count(database, table, `"${column}" = '${ownId}'`))
    expect(await count(TenantScope.every.view(served), table)).toBe(await count(database, table))
  })
})

test('most of these tables have rows, so the tests above see what they hide', async () => {
  const counts = await Promise.all(tables.map(([table]) => count(database, table)))
  expect(counts.filter((rows) => rows > 0).length).toBeGreaterThan(15)
})

test('a row is neither inserted for another tenant nor given to it', async () => {
  const mine = await given(Location, { name: 'Mine' })
  const values = `'01890000-0000-7000-8000-00000000000a', now(), now(), 1, '${otherId}', 'Planted'`
  const columns = '"id", "createdAt", "updatedAt", "version", "organizationId", "name"'
  await expect(own.query(`INSERT INTO "location" (${columns}) VALUES (${values})`)).rejects.toThrow(
    'row-level security',
  )
  await expect(
    own.query(`UPDATE "location" SET "organizationId" = $1 WHERE "id" = $2`, [otherId, mine.id]),
  ).rejects.toThrow('row-level security')
})

test('a transaction touches its tenant only, also after it returned to a savepoint', async () => {
  await own.transaction(async (manager) => {
    const sees = () => count(manager, 'location', `"organizationId" <> '${ownId}'`)
    expect(await sees()).toBe(0)
    await manager.query('SAVEPOINT "before"')
    expect(await count(manager, 'location')).toBeGreaterThan(0)
    await expect(manager.query('SELECT 1 / 0')).rejects.toThrow('division by zero')
    await manager.query('ROLLBACK TO SAVEPOINT "before"')
    expect([await sees(), (await count(manager, 'location')) > 0]).toEqual([0, true])
  })
})

test('a transaction that returns to a savepoint touches no tenant that it was allowed before', async () => {
  await own.transaction(async (manager) => {
    const sees = () => count(manager, 'location', `"organizationId" <> '${ownId}'`)
    expect(await TenantScope.every.run(manager, sees)).toBeGreaterThan(0)
    await manager.query('SAVEPOINT "before"')
    expect(await sees()).toBe(0)
    await expect(manager.query('SELECT 1 / 0')).rejects.toThrow('division by zero')
    await manager.query('ROLLBACK TO SAVEPOINT "before"')
    expect(await sees()).toBe(0)
  })
})

test('a start is refused while lists would be empty, because the role has none that reads them', async () => {
  const role = `lonely_${databaseName}`
  await database.query(`CREATE ROLE "${role}" LOGIN`)
  const url = (serverUrl as string).replace(/\/\/\w+@/, `//${role}@`)
  const lonely = await new DataSource({ ...served.options, url } as DataSource['options']).initialize()
  await expect(readRowSecurity(lonely)).rejects.toThrow(
    `The role ${role}_lists, which reads lists, is missing or not granted to ${role}. Run "npm run migrate" with`,
  )
  await lonely.destroy()
})

test('a start is refused while a table of tenants has no policy', async () => {
  await database.query('ALTER TABLE "location" DISABLE ROW LEVEL SECURITY')
  try {
    await expect(readRowSecurity(served)).rejects.toThrow(
      'Row-level security is on, but not for the tables location. Call secureRows for them in a migration.',
    )
  } finally {
    await database.query('ALTER TABLE "location" ENABLE ROW LEVEL SECURITY')
  }
  expect(await readRowSecurity(served)).toMatchObject({ isOn: true })
  expect(await readRowSecurity(database)).toMatchObject({ isOn: false })
})

test('no tenant stays with a connection for its next borrower', async () => {
  const { pool } = poolsOf(served).items
  const borrowed = await Promise.all(
    Array.from({ length: 10 }, () => own.query('SELECT pg_backend_pid(), pg_sleep(0.01)')),
  )
  expect(new Set(borrowed.map(([row]) => row.pg_backend_pid)).size).toBeGreaterThan(1)
  const settings = `SELECT current_setting('app.tenants', true) AS "tenants", count(*)::int AS "rows" FROM "location"`
  const after = await Promise.all(Array.from({ length: 10 }, () => pool.query(settings)))
  for (const { rows } of after) expect([rows[0].tenants || '', rows[0].rows]).toEqual(['', 0])
})

describe('the role of the server', () => {
  test('owns no table, and is exempt from no policy', async () => {
    const [role] = await served.query(
      `SELECT "rolsuper" OR "rolbypassrls" OR "rolcreaterole" AS "powerful",
        (SELECT count(*)::int FROM pg_class WHERE pg_has_role("relowner", 'MEMBER')
          AND "relnamespace" = 'public'::regnamespace) AS "owned" FROM pg_roles WHERE "rolname" = current_user`,
    )
    expect(role).toEqual({ powerful: false, owned: 0 })
  })

  test('cannot hide a table from a function of the owner behind a temporary one', async () => {
    const definers = await database.query(
      `SELECT "proname" AS "name", "proconfig" AS "settings" FROM pg_proc
        WHERE "prosecdef" AND "pronamespace" = 'public'::regnamespace`,
    )
    expect(definers).toEqual([{ name: 'meeting_exclusive', settings: ['search_path=pg_catalog, public, pg_temp'] }])
  })

  test('cannot become the owner, or turn the policies off', async () => {
    const [{ owner }] = await database.query('SELECT current_user AS "owner"')
    await expect(own.query(`SET ROLE "${owner}"`)).rejects.toThrow('permission denied')
    await expect(own.query('ALTER TABLE "location" DISABLE ROW LEVEL SECURITY')).rejects.toThrow('must be owner')
    await expect(own.query('DROP POLICY "tenants" ON "location"')).rejects.toThrow('must be owner')
    await served.query('RESET ROLE')
    expect(await count(served, 'location')).toBe(0)
  })

  test('sees every tenant in an exempt statement only, which writes no row', async () => {
    const client = await poolsOf(served).lists.pool.connect()
    const rowsBy = async (query: object) => ((await client.query(query as never)) as unknown as QueryResult).rows
    const rowsSeen = (isExempt: boolean) =>
      count({ query: async (text: string) => rowsBy({ text, isExempt }) } as never, 'location')
    try {
      expect(await rowsSeen(true)).toBe(await count(database, 'location'))
      expect(await rowsSeen(false)).toBe(0)
      for (const text of ['DELETE FROM "location"', 'UPDATE "location" SET "name" = \'x\''])
        await expect(client.query({ text, isExempt: true } as never)).rejects.toThrow('permission denied')
      // In a transaction the role would stay for the statements after it.
      await client.query('BEGIN')
      expect(await rowsSeen(true)).toBe(0)
      await client.query('ROLLBACK')
    } finally {
      client.release()
    }
  })

  test('reads no session, mail, archive or other table without lists in an exempt statement', async () => {
    const { pool } = poolsOf(served).lists
    for (const table of [...sharedTables.filter((shared) => shared !== 'user'), ...unlistedTables])
      await expect(pool.query({ text: `SELECT FROM "${table}"`, isExempt: true } as never)).rejects.toThrow(
        `permission denied for table ${table}`,
      )
  })
})

describe('the statement of a list', () => {
  const { pool } = poolsOf(served).lists
  let sent: PageStatement | undefined
  watchPages(served, (statement) => {
    if (/ LIMIT /.test(statement.text)) sent = statement
  })
  const statementOf = async (path: string) => {
    sent = undefined
    await api.get(path).expect(200)
    return sent as unknown as PageStatement
  }

  test.each([
    '/locations?order[name]=asc',
    '/meetings?dateFrom[after]=2020-01-01',
    '/employees?active=true',
    '/audit-events?order[at]=desc',
    '/organization-users?role=owner',
    '/webhook-deliveries?status=pending&status=sent',
  ])('of %s returns no row of a forged tenant, and none without its scope', async (path) => {
    const { scope, ...statement } = await statementOf(path)
    expect([scope?.text, statement.isExempt]).toEqual([ownId, false])
    const values = statement.values.map((value) => (value === ownId ? otherId : value))
    // The first wall alone would let a forged tenant through.
    expect(await database.query(statement.text, values)).not.toEqual([])
    const forged = { ...statement, values, scope }
    expect((await pool.query(forged)).rows).toEqual([])
    expect((await pool.query(statement)).rows).toEqual([])
  })

  test.each(['/meetings?notes=x', '/meetings?q=x', '/users?email=a@b.nl', '/bank-transactions?amount[gt]=5'])(
    'of %s is exempt, because a policy would keep it from its index',
    async (path) => expect(await statementOf(path)).toMatchObject({ isExempt: true }),
  )
})

describe('a forgotten or forged scope of a request or a job', () => {
  const digestOf = async ([table, column]: [string, string]) =>
    database.query(`SELECT md5(string_agg(t::text, ' ' ORDER BY t::text)) FROM "${table}" t WHERE "${column}" = $1`, [
      otherId,
    ])
  const contentOfOthers = () => Promise.all(tables.map(digestOf))

  test('reads and changes nothing where no tenant is named', async () => {
    const { items } = poolsOf(served)
    const { manager } = items.within(served, ownId)
    expect(await manager.find(Location)).toEqual([])
    expect(await manager.update(Location, { organizationId: ownId }, { name: 'Changed' })).toMatchObject({
      affected: 0,
    })
    expect(await manager.transaction((within) => within.delete(Location, { organizationId: ownId }))).toMatchObject({
      affected: 0,
    })
    const query = { name: '', text: `SELECT "id" FROM "location" WHERE "organizationId" = $1`, values: [ownId] }
    expect((await items.of(ownId).query(query as never)).rows).toEqual([])
  })

  test('reads and changes no row of another tenant that is found by its id alone', async () => {
    const before = await contentOfOthers()
    for (const source of [own, poolsOf(served).items.within(served, ownId, TenantScope.of(ownId))])
      await source.transaction(async (manager) => {
        const { id } = others.Location
        expect(await manager.findOneBy(Location, { id })).toBeNull()
        expect(await manager.update(Location, { id }, { name: 'Changed' })).toMatchObject({ affected: 0 })
        expect(await manager.delete(WebhookDelivery, { id: others.WebhookDelivery.id })).toMatchObject({ affected: 0 })
      })
    expect(await contentOfOthers()).toEqual(before)
  })

  test('changes nothing where a payload names a row of another tenant', async () => {
    await database.manager.update(OrganizationExport, { id: others.OrganizationExport.id }, { status: 'pending' })
    await database.manager.update(Subscription, { id: others.Subscription.id }, { externalId: null })
    const due = { status: 'pending', nextAttemptAt: new Date(0) } as const
    await database.manager.update(WebhookDelivery, { id: others.WebhookDelivery.id }, due)
    const before = await contentOfOthers()
    await jobs.exportOrganization({ organizationId: ownId, id: others.OrganizationExport.id })
    await jobs.settleSubscription({ organization: ownId, subscription: others.Subscription.id })
    const sender = new WebhookSender(served, outside.webhooks, pino({ level: 'silent' }))
    const { id, endpointId: endpoint } = others.WebhookDelivery as WebhookDelivery
    await sender.offer({ organization: ownId, deliveries: [{ id, endpoint }] })
    await sender.stop()
    expect(await contentOfOthers()).toEqual(before)
  })
})

test('a row is read by its key under the policy', async () => {
  const plan: { 'QUERY PLAN': string }[] = await own.query(
    `EXPLAIN SELECT * FROM "location" WHERE "organizationId" = $1 AND "id" = $2`,
    [ownId, otherId],
  )
  const text = plan.map((line) => line['QUERY PLAN']).join('\n')
  expect(text).toMatch(/Index Cond: \(\("?organizationId"? = .*\) AND \(id = /)
})

test('deploy/roles.sql makes roles that a migration completes, and behind which the server sees no tenant by itself', async () => {
  const script = (await readFile('deploy/roles.sql', 'utf8')).replace(/^--.*/gm, '').replace(/:'\w+'/g, "'secret'")
  const [server, api] = script.split(/^\\connect api$/m).map((part) => part.replace(/^\\.*/gm, '').split(/;\s*$/m))
  for (const statement of server.filter((text) => text.trim())) await database.query(statement)
  const own = new URL(directUrl)
  const urlOf = (role: string) => `postgres://${role}@localhost:${own.port}/api${own.search}`
  const superuser = new Client(urlOf(own.username))
  await superuser.connect()
  await superuser.query(api.join(';'))
  const env = { PATH: process.env.PATH, DATABASE_URL: urlOf('api'), DATABASE_OWNER_URL: urlOf('api_owner') }
  await promisify(execFile)(process.execPath, ['dist/bundle/migrate.js'], { env })

  const installed = await new DataSource({ ...served.options, url: urlOf('api') } as DataSource['options']).initialize()
  expect(await readRowSecurity(installed)).toEqual({ isOn: true, listRole: 'api_lists' })
  const [{ row }] = await database.query(`SELECT to_jsonb("organization") AS "row" FROM "organization" LIMIT 1`)
  await superuser.query(`INSERT INTO "organization" SELECT * FROM jsonb_populate_record(null::"organization", $1)`, [
    row,
  ])
  expect(await count(installed, 'organization')).toBe(0)
  expect(await count(TenantScope.every.view(installed), 'organization')).toBe(1)
  await expect(installed.query('CREATE TABLE "planted" ()')).rejects.toThrow('permission denied for schema public')
  await installed.destroy()
  await superuser.end()
})
