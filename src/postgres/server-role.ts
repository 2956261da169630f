import type { DataSource } from 'typeorm'
import { StartError } from '../start/start-error.ts'
import { listRoleOf, tenantColumns, tenantPolicy } from './row-security.ts'
import { unlistedTables } from './table-kinds.ts'

type Owner = Pick<DataSource, 'query'>

/** The schema of the queue. Its library turns row-level security on, and makes no policy. */
const queue = 'graphile_worker'

/** Lists show rows of tenants, and the users who belong to them. */
const listedTables = [...tenantColumns.keys(), 'user'].filter((table) => !unlistedTables.includes(table))

/**
 * Grants a server's role what it needs: to write rows, but to change no table. Its role of lists reads rows of every tenant in the
 * tables that lists show. The owner runs it after migrations.
 * @throws StartError with the statements to run where the owner may not create the role of lists
 */
export async function grantServerRole(owner: Owner, server: string): Promise<void> {
  const statements = await lackingRoles(owner, server)
  try {
    for (const statement of statements) await owner.query(statement)
  } catch (error) {
    throw new StartError(
      `The owner of the database may not create the role ${listRoleOf(server)}: ${(error as Error).message}. ` +
        `Run this as a superuser, then start again: ${statements.map((statement) => `${statement};`).join(' ')}`,
      { cause: error },
    )
  }
  for (const statement of await lackingGrants(owner, server)) await owner.query(statement)
}

/** Whether a server's role has all that it needs. */
export async function isGranted(owner: Owner, server: string): Promise<boolean> {
  return (await lackingRoles(owner, server)).length === 0 && (await lackingGrants(owner, server)).length === 0
}

/** The statements that create the role of lists. The server's role may change to it, but does not have its rights by itself. */
async function lackingRoles(owner: Owner, server: string): Promise<string[]> {
  const lists = listRoleOf(server)
  const [{ exists, isMember, inherits, version }] = await owner.query(
    `SELECT "lists"."oid" IS NOT NULL AS "exists", coalesce(pg_has_role($1::name, "lists"."oid", 'MEMBER'), false) AS "isMember",
      coalesce(pg_has_role($1::name, "lists"."oid", 'USAGE'), false) AS "inherits",
      current_setting('server_version_num')::int AS "version"
    FROM (SELECT) AS "one" LEFT JOIN pg_roles AS "lists" ON "lists"."rolname" = $2`,
    [server, lists],
  )
  if (isMember && !inherits) return []
  return [
    ...(exists ? [] : [`CREATE ROLE ${quoted(lists)}`]),
    ...(version < 160_000 ? [`ALTER ROLE ${quoted(server)} NOINHERIT`] : []),
    `GRANT ${quoted(lists)} TO ${quoted(server)}${version < 160_000 ? '' : ' WITH INHERIT FALSE'}`,
  ]
}

/** The statements that are left to run. Two servers that start at once would disturb each other with superfluous ones. */
async function lackingGrants(owner: Owner, server: string): Promise<string[]> {
  const rows: { statement: string }[] = await owner.query(
    `WITH "tables" AS (
      SELECT "oid", "oid"::regclass::text AS "name", "relacl" AS "rights", "relname" = 'migrations' AS "isLog",
          "relname" = ANY ($3) AND "relnamespace" = 'public'::regnamespace AS "isTenants", "relrowsecurity" AS "isSecured",
          "relname" = ANY ($4) AND "relnamespace" = 'public'::regnamespace AS "isListed",
          "relnamespace" = to_regnamespace('${queue}') AS "isQueue"
        FROM pg_class WHERE "relkind" IN ('r', 'v') AND "relnamespace" IN ('public'::regnamespace, to_regnamespace('${queue}'))),
    "policies" AS (SELECT "polrelid" AS "oid", "polname" AS "policy" FROM pg_policy)
    SELECT format('GRANT USAGE ON SCHEMA %I TO %I', '${queue}', $1::text) AS "statement"
      WHERE NOT has_schema_privilege($1::name, '${queue}', 'USAGE')
    UNION ALL SELECT format("statement", "role")
      FROM (VALUES ('ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO %I', $1::text, false),
        ('ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE SELECT ON TABLES FROM %I', $2::text, true)) AS "future" ("statement", "role", "isGiven")
      WHERE "isGiven" = EXISTS (SELECT FROM pg_default_acl, aclexplode("defaclacl") WHERE "defaclrole" = current_user::regrole
        AND "defaclnamespace" = 'public'::regnamespace AND "grantee" = (SELECT "oid" FROM pg_roles WHERE "rolname" = "role"))
    UNION ALL SELECT format('GRANT USAGE ON ALL SEQUENCES IN SCHEMA ${queue} TO %I', $1::text) WHERE EXISTS (
      SELECT FROM pg_class WHERE "relnamespace" = to_regnamespace('${queue}')
        AND CASE "relkind" WHEN 'S' THEN NOT has_sequence_privilege($1::name, "oid", 'USAGE') END)
    UNION ALL SELECT format('GRANT SELECT ON %s TO %I', "name", $1::text) FROM "tables"
      WHERE "isLog" AND NOT has_table_privilege($1::name, "oid", 'SELECT')
    UNION ALL SELECT format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO %I', "name", $1::text) FROM "tables"
      WHERE NOT "isLog" AND NOT (has_table_privilege($1::name, "oid", 'SELECT') AND has_table_privilege($1::name, "oid", 'INSERT')
        AND has_table_privilege($1::name, "oid", 'UPDATE') AND has_table_privilege($1::name, "oid", 'DELETE'))
    UNION ALL SELECT format('GRANT SELECT ON %s TO %I', "name", $2::text) FROM "tables"
      WHERE "isListed" AND NOT has_table_privilege($2::name, "oid", 'SELECT')
    UNION ALL SELECT format('REVOKE SELECT ON %s FROM %I', "name", $2::text) FROM "tables"
      WHERE NOT "isListed" AND EXISTS (SELECT FROM aclexplode("rights") JOIN pg_roles ON "grantee" = pg_roles."oid" WHERE "rolname" = $2)
    UNION ALL SELECT format('CREATE POLICY %1$I ON %2$s FOR SELECT TO %1$I USING (true)', $2::text, "name") FROM "tables"
      WHERE "isTenants" AND "isSecured" AND ("oid", $2::name) NOT IN (SELECT * FROM "policies")
    UNION ALL SELECT format('CREATE POLICY "${tenantPolicy}" ON %s USING (true)', "name") FROM "tables"
      WHERE "isQueue" AND "isSecured" AND ("oid", '${tenantPolicy}') NOT IN (SELECT * FROM "policies")`,
    [server, listRoleOf(server), [...tenantColumns.keys()], listedTables],
  )
  return rows.map(({ statement }) => statement)
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}
