import type { DataSource, QueryRunner } from 'typeorm'
import { StartError } from '../start/start-error.ts'
import { readDistribution } from './distribution.ts'
import { sharedTables, tableKinds } from './table-kinds.ts'

/** The state of row-level security. All pools of a database share one object. */
export interface RowSecurity {
  /** Whether Postgres hides the rows of tenants that a transaction does not name. */
  isOn: boolean
  /** The role that exempt statements of lists read with: it sees the rows of every tenant, and writes none. */
  listRole?: string
}

/** The column with the tenant's id, for each table with rows of tenants. */
export const tenantColumns: ReadonlyMap<string, string> = new Map(
  [...tableKinds.reference, ...tableKinds.distributed, ...tableKinds.local].flatMap((table): [string, string][] =>
    sharedTables.includes(table) ? [] : [[table, table === 'organization' ? 'id' : 'organizationId']],
  ),
)

/** The policy that admits the tenants of a transaction. */
export const tenantPolicy = 'tenants'

const admitted = `current_setting('app.tenants', true)`

/**
 * The rows of the tenants that the transaction names; `*` names every tenant. Each subquery is read once a statement. Without them,
 * Postgres takes the policy as a condition of an index, and prefers an index that is worse.
 */
const condition = (column: string) =>
  `(SELECT ${admitted} = '*') OR "${column}" = ANY ((SELECT string_to_array(nullif(${admitted}, '*'), ',')::uuid[])::uuid[])`

/** Secures the rows of a table. Citus accepts no policy with subqueries, so there tables stay open. */
export async function secureRows(runner: QueryRunner, table: string): Promise<void> {
  const column = tenantColumns.get(table) ?? 'organizationId'
  if (await readDistribution(runner)) return
  await runner.query(`CREATE POLICY "${tenantPolicy}" ON "${table}" USING (${condition(column)})`)
  await runner.query(`ALTER TABLE "${table}" ENABLE ROW LEVEL SECURITY`)
}

/** Opens the rows of a table again. */
export async function openRows(runner: QueryRunner, table: string): Promise<void> {
  await runner.query(`ALTER TABLE "${table}" DISABLE ROW LEVEL SECURITY`)
  const found: { name: string }[] = await runner.query(
    `SELECT quote_ident("polname") AS "name" FROM pg_policy WHERE "polrelid" = '"${table}"'::regclass`,
  )
  for (const { name } of found) await runner.query(`DROP POLICY ${name} ON "${table}"`)
}

/** The name of the role of lists that belongs to a server's role. */
export function listRoleOf(serverRole: string): string {
  return `${serverRole}_lists`
}

/**
 * Reads whether Postgres hides rows from the role of a database's connections.
 * @throws StartError where it hides those of some tables of tenants and not those of others, and where lists would be empty
 */
export async function readRowSecurity(database: DataSource): Promise<RowSecurity> {
  const [{ name, isOn, unsecured, listRole }] = await database.query(
    `SELECT session_user AS "name", coalesce(bool_or("active"), false) AS "isOn",
      array_agg("relname"::text ORDER BY "relname") FILTER (WHERE NOT "active") AS "unsecured",
      (SELECT "rolname" FROM pg_roles WHERE "rolname" = session_user || '_lists' AND pg_has_role("oid", 'MEMBER')) AS "listRole"
    FROM (SELECT "relname", row_security_active("oid") AS "active" FROM pg_class
      WHERE "relnamespace" = 'public'::regnamespace AND "relkind" = 'r' AND "relname" = ANY ($1)) AS "table"`,
    [[...tenantColumns.keys()]],
  )
  if (isOn && unsecured)
    throw new StartError(
      `Row-level security is on, but not for the tables ${unsecured.join(', ')}. Call secureRows for them in a migration.`,
    )
  if (isOn && listRole !== listRoleOf(name))
    throw new StartError(
      `The role ${listRoleOf(name)}, which reads lists, is missing or not granted to ${name}. ` +
        'Run "npm run migrate" with DATABASE_OWNER_URL, which creates it.',
    )
  return { isOn, listRole: isOn ? listRole : undefined }
}
