import type { QueryRunner } from 'typeorm'

// Until migration 1764000000101, triggers kept the totals in "row_total".

export async function createCountFunction(runner: QueryRunner): Promise<void> {
  await runner.query(`CREATE FUNCTION "count_rows"() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        INSERT INTO "row_total" SELECT TG_TABLE_NAME, "organizationId", (CASE TG_OP WHEN 'INSERT' THEN 1 ELSE -1 END) * count(*)
          FROM "changed" GROUP BY "organizationId";
        RETURN NULL;
      END $$`)
}

export async function createCountTriggers(runner: QueryRunner, table: string): Promise<void> {
  await runner.query(`CREATE TRIGGER "counted_in" AFTER INSERT ON "${table}"
        REFERENCING NEW TABLE AS "changed" FOR EACH STATEMENT EXECUTE FUNCTION "count_rows"()`)
  await runner.query(`CREATE TRIGGER "counted_out" AFTER DELETE ON "${table}"
        REFERENCING OLD TABLE AS "changed" FOR EACH STATEMENT EXECUTE FUNCTION "count_rows"()`)
}

export async function dropCountTriggers(runner: QueryRunner, table: string): Promise<void> {
  await runner.query(`DROP TRIGGER "counted_out" ON "${table}"`)
  await runner.query(`DROP TRIGGER "counted_in" ON "${table}"`)
}

/** Counts the rows of a table into its totals. */
export async function countTable(runner: QueryRunner, table: string): Promise<void> {
  await runner.query(
    `INSERT INTO "row_total" SELECT '${table}', "organizationId", count(*) FROM "${table}" GROUP BY "organizationId"`,
  )
}
