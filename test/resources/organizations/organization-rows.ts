import { Organization, Session, StripeEvent, User } from '../../../entities/index.ts'
import { newId } from '../../../entities/new-id.ts'
import { tenantColumns } from '../../../src/postgres/row-security.ts'
import { openWorld, type Tenant } from '../../support/world.ts'

const { database } = await openWorld()

const dayMs = 24 * 60 * 60 * 1000

/** The number of rows of an organization in each table of tenants. */
export async function counts(id: string): Promise<Record<string, number>> {
  const each = [...tenantColumns].map(
    ([table, column]) => `SELECT '${table}' AS "table", count(*)::int AS "rows" FROM "${table}" WHERE "${column}" = $1`,
  )
  const found: { table: string; rows: number }[] = await database.query(each.join(' UNION ALL '), [id])
  return Object.fromEntries(found.map(({ table, rows }) => [table, rows]))
}

/** The tasks of the jobs whose payload names an organization. */
export async function waitingJobs(organization: string): Promise<string[]> {
  const rows: { task: string }[] = await database.query(
    `SELECT "task"."identifier" AS "task" FROM graphile_worker._private_jobs "job"
      JOIN graphile_worker._private_tasks "task" ON "task"."id" = "job"."task_id"
      WHERE "payload"->>'organization' = $1 OR "payload"->>'organizationId' = $1`,
    [organization],
  )
  return rows.map(({ task }) => task)
}

/** Names an organization in each shared table. */
export async function givenInSharedTables({ organization: { id }, users }: Tenant, customer: string): Promise<void> {
  const now = new Date()
  await database.manager.update(User, { id: users.member.id }, { defaultOrganizationId: id })
  const { issuer, subject } = users.member
  const times = { createdAt: now, usedAt: now, expiresAt: new Date(Date.now() + dayMs), tokenExpiresAt: now }
  await database.manager.insert(Session, {
    ...{ id: newId(), issuer, subject, organization: id, hash: Buffer.from('x'), sealedTokens: 'x', browser: null },
    ...times,
  })
  await database.manager.insert(StripeEvent, {
    ...{ id: 'evt_of_deleted', type: 'customer.updated', customerId: customer, objectId: customer, created: now },
    ...{ payload: { name: 'Subscriber' }, status: 'done' },
  })
  await database.query(`INSERT INTO "job_crash" VALUES ('sendWebhooks', 'x', false, $1, 1, now(), NULL)`, [
    JSON.stringify({ organization: id }),
  ])
  await database.query(
    `INSERT INTO "idempotency_key" ("caller", "key", "claim", "fingerprint", "tenant", "createdAt", "claimedAt", "answer")
      VALUES ('x', 'x', $1, 'x', $1, now(), now(), '{}')`,
    [id],
  )
  await database.query(
    `INSERT INTO "organization_export_part" SELECT "organizationId", "id", 0, '\\x00'
    FROM "organization_export" WHERE "organizationId" = $1`,
    [id],
  )
}

/** No row of a shared table names the organization. */
export async function expectForgotten(
  { organization: { id }, users }: Tenant,
  customer: string,
  slug: string,
): Promise<void> {
  const tables: { name: string }[] = await database.query(
    `SELECT "tablename" AS "name" FROM pg_tables WHERE "schemaname" = 'public' AND NOT "tablename" = ANY ($1)`,
    [[...tenantColumns.keys()]],
  )
  for (const { name } of tables) {
    const named = `SELECT count(*)::int AS "rows" FROM "${name}" "row"
      WHERE "row"::text LIKE '%' || $1 || '%' OR "row"::text LIKE '%' || $2 || '%'`
    const [{ rows }] = await database.query(named, [id, customer])
    expect([name, rows]).toEqual([name, 0])
  }
  const [{ organization }] = await database.manager.findBy(Session, { subject: users.member.subject })
  expect(organization).toBeNull()
  expect(await database.manager.existsBy(User, { id: users.member.id })).toBe(true)
  expect(await database.manager.existsBy(Organization, { slug })).toBe(false)
}
