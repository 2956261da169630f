import type { MigrationInterface, QueryRunner } from 'typeorm'

/** The changes of the last hour, which streams are fed from. Each statement that writes rows of a resource adds them. */
export class Changes1764000000104 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      `CREATE TABLE "change" ("organizationId" uuid NOT NULL, "xid" xid8 NOT NULL DEFAULT pg_current_xact_id(), "at" TIMESTAMP(3) WITH TIME ZONE NOT NULL DEFAULT now(), "relation" text NOT NULL, "id" text, "type" text NOT NULL, "version" integer)`,
    )
    await runner.query(`CREATE INDEX "change_since" ON "change" ("organizationId", "xid")`)
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE "change"')
  }
}
