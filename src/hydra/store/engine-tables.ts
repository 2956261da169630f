import type { QueryRunner } from 'typeorm'

export interface EngineTables {
  /** The column with the tenant's id: "totalsBy" of classes with kept totals, and `recorded.tenant` of recorded ones. */
  tenantColumn: string
}

/**
 * Creates the tables of the engine; call it in a migration. It creates only what is absent, so a database that has these tables
 * already stays as it is.
 */
export async function createEngineTables(runner: QueryRunner, { tenantColumn }: EngineTables): Promise<void> {
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
  await runner.query(
    `CREATE TABLE IF NOT EXISTS "change" ("${tenantColumn}" uuid NOT NULL, "xid" xid8 NOT NULL DEFAULT pg_current_xact_id(),
      "at" TIMESTAMP(3) WITH TIME ZONE NOT NULL DEFAULT now(), "relation" text NOT NULL, "id" text, "type" text NOT NULL,
      "version" integer)`,
  )
  await runner.query(`CREATE INDEX IF NOT EXISTS "change_since" ON "change" ("${tenantColumn}", "xid")`)
}
