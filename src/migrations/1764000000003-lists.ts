import type { MigrationInterface, QueryRunner } from 'typeorm'

const ordered = [
  ['IDX_69f1fc677e14998c2013108333', 'audit_event', '"organizationId", "at", "id"'],
  ['IDX_bb778317b775b78adafff9e9e9', 'location', '"organizationId", "name", "id"'],
  ['IDX_b8ec5ef1581503cc3cfdf778fb', 'employee', '"organizationId", "name", "id"'],
  ['IDX_c801a12fce96f681dc705050b4', 'invoice', '"organizationId", "createdAt", "id"'],
  ['IDX_eb01349cfb7cff80aa69782659', 'meeting', '"organizationId", "dateTo", "id"'],
  ['IDX_273981bf12728b36261fba9263', 'meeting', '"organizationId", "dateFrom", "id"'],
  ['IDX_b9419178889a52d490f3d08234', 'employee', '"organizationId", "email"'],
  ['IDX_c4cd446a4b6067f02547f755d1', 'meeting', '"organizationId", "time"'],
  ['IDX_3a08dd29cd188f3318c88b0e13', 'organization', '"createdAt", "id"'],
  ['IDX_bfb6ed0ecee4c0a3a5d1ee3780', 'organization', '"name", "id"'],
]

/** Found by a part of their text, which only an index of trigrams can do. */
const searched = [
  ['meeting', 'notes'],
  ['location', 'name'],
  ['employee', 'name'],
  ['employee', 'jobTitle'],
]

const counted = ['audit_event', 'employee', 'invoice', 'location', 'meeting']

/** Makes large collections fast: an index for each order and each text, and totals that need no counting. */
export class Lists1764000000003 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const [name, table, columns] of ordered)
      await runner.query(`CREATE INDEX "${name}" ON "${table}" (${columns})`)
    await runner.query('CREATE EXTENSION IF NOT EXISTS pg_trgm')
    for (const [table, column] of searched)
      await runner.query(`CREATE INDEX "${table}.${column}" ON "${table}" USING gin ("${column}" gin_trgm_ops)`)

    await runner.query(
      `CREATE TABLE "row_total" ("relation" text NOT NULL, "organizationId" uuid NOT NULL, "delta" bigint NOT NULL)`,
    )
    await runner.query(`CREATE INDEX "row_total_of" ON "row_total" ("organizationId", "relation")`)
    await runner.query(`CREATE FUNCTION "count_rows"() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        INSERT INTO "row_total" SELECT TG_TABLE_NAME, "organizationId", (CASE TG_OP WHEN 'INSERT' THEN 1 ELSE -1 END) * count(*)
          FROM "changed" GROUP BY "organizationId";
        RETURN NULL;
      END $$`)
    for (const table of counted) {
      await runner.query(`CREATE TRIGGER "counted_in" AFTER INSERT ON "${table}"
        REFERENCING NEW TABLE AS "changed" FOR EACH STATEMENT EXECUTE FUNCTION "count_rows"()`)
      await runner.query(`CREATE TRIGGER "counted_out" AFTER DELETE ON "${table}"
        REFERENCING OLD TABLE AS "changed" FOR EACH STATEMENT EXECUTE FUNCTION "count_rows"()`)
      await runner.query(
        `INSERT INTO "row_total" SELECT '${table}', "organizationId", count(*) FROM "${table}" GROUP BY "organizationId"`,
      )
    }
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of counted) {
      await runner.query(`DROP TRIGGER "counted_out" ON "${table}"`)
      await runner.query(`DROP TRIGGER "counted_in" ON "${table}"`)
    }
    await runner.query(`DROP FUNCTION "count_rows"`)
    await runner.query(`DROP TABLE "row_total"`)
    for (const [table, column] of searched) await runner.query(`DROP INDEX "${table}.${column}"`)
    for (const [name] of ordered) await runner.query(`DROP INDEX "${name}"`)
  }
}
