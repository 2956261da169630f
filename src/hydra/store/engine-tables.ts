import type { DataSource, QueryRunner } from 'typeorm'

/** The tables of resources with the option `counted`, and the column of those tables with the tenant's id. */
export interface EngineTables {
  tenantColumn: string
  counted?: string[]
}

/**
 * Creates the tables of the engine, and the triggers that count the rows of tables. Call it in a migration, after the
 * counted tables exist. It creates only what is absent, so a database that has these tables already stays as it is.
 */
export async function createEngineTables(
  runner: QueryRunner,
  { tenantColumn, counted = [] }: EngineTables,
): Promise<void> {
  await runner.query(
    `CREATE TABLE IF NOT EXISTS "idempotency_key" ("caller" text NOT NULL, "key" text NOT NULL, "claim" uuid NOT NULL,
      "fingerprint" text NOT NULL, "tenant" uuid, "createdAt" TIMESTAMP(3) WITH TIME ZONE NOT NULL,
      "claimedAt" TIMESTAMP(3) WITH TIME ZONE NOT NULL, "answer" json, PRIMARY KEY ("caller", "key"))`,
  )
  await runner.query(`CREATE INDEX IF NOT EXISTS "IDX_38536b1937c55d305af4d69a97" ON "idempotency_key" ("createdAt")`)
  await runner.query(
    `CREATE TABLE IF NOT EXISTS "row_total" ("relation" text NOT NULL, "${tenantColumn}" uuid NOT NULL, "delta" bigint NOT NULL)`,
  )
  await runner.query(`CREATE INDEX IF NOT EXISTS "row_total_of" ON "row_total" ("${tenantColumn}", "relation")`)
  const [known] = await runner.query(`SELECT to_regproc('count_rows') AS "countRows"`)
  if (known.countRows === null)
    await runner.query(`CREATE FUNCTION "count_rows"() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        INSERT INTO "row_total" SELECT TG_TABLE_NAME, "${tenantColumn}", (CASE TG_OP WHEN 'INSERT' THEN 1 ELSE -1 END) * count(*)
          FROM "changed" GROUP BY "${tenantColumn}";
        RETURN NULL;
      END $$`)
  for (const table of counted) await countRows(runner, table, tenantColumn)
}

async function countRows(runner: QueryRunner, table: string, tenantColumn: string): Promise<void> {
  const found = await runner.query(
    `SELECT FROM pg_trigger WHERE tgname = 'counted_in' AND tgrelid = to_regclass('"${table}"')`,
  )
  if (found.length > 0) return
  await runner.query(`CREATE TRIGGER "counted_in" AFTER INSERT ON "${table}"
    REFERENCING NEW TABLE AS "changed" FOR EACH STATEMENT EXECUTE FUNCTION "count_rows"()`)
  await runner.query(`CREATE TRIGGER "counted_out" AFTER DELETE ON "${table}"
    REFERENCING OLD TABLE AS "changed" FOR EACH STATEMENT EXECUTE FUNCTION "count_rows"()`)
  await runner.query(
    `INSERT INTO "row_total" SELECT '${table}', "${tenantColumn}", count(*) FROM "${table}" GROUP BY "${tenantColumn}"`,
  )
}

/**
 * Adds up the rows of "row_total": each writer inserts its own row there, so that writers do not wait for each other.
 * It is one statement, so a reader sees the old rows or their sum. Several processes may run it at once.
 */
export async function foldRowTotals(
  database: Pick<DataSource, 'query'>,
  { tenantColumn }: Pick<EngineTables, 'tenantColumn'>,
): Promise<void> {
  await database.query(`
    WITH "folded" AS (
      DELETE FROM "row_total" WHERE ("relation", "${tenantColumn}") IN (
        SELECT "relation", "${tenantColumn}" FROM "row_total" GROUP BY 1, 2 HAVING count(*) > 1)
      RETURNING *)
    INSERT INTO "row_total" SELECT "relation", "${tenantColumn}", sum("delta") FROM "folded" GROUP BY 1, 2`)
}
