import type { MigrationInterface, QueryRunner } from 'typeorm'
import { createOverlapTriggers, dropOverlapTriggers } from './overlap-triggers.ts'

const indexes = [
  ['IDX_1e0a5973e61110d3614357550d', 'audit_event', '"organizationId", "action", "id"'],
  ['IDX_60b8c10c733c4f443dfa472357', 'audit_event', '"organizationId", "target", "id"'],
]

/** The rule of "meetingOverlap" under concurrency, organizations that are being set up, and the audit log's filters. */
export class Workspace1764000000007 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const [name, table, columns] of indexes)
      await runner.query(`CREATE INDEX "${name}" ON "${table}" (${columns})`)
    await runner.query(`CREATE INDEX "organization.unready" ON "organization" ("id")
      WHERE "databaseStatus" IS NOT NULL OR "status" = 'provisioning'`)

    await runner.query('CREATE EXTENSION IF NOT EXISTS btree_gist')
    await runner.query(`ALTER TABLE "meeting" ADD "exclusive" boolean NOT NULL DEFAULT false`)
    // That ids differ is always so; with it the complaint of Postgres names the meeting that stands in the way.
    await runner.query(`ALTER TABLE "meeting" ADD CONSTRAINT "meeting:overlap" EXCLUDE USING gist
      ("employeeId" WITH =, tstzrange("dateFrom", "dateTo") WITH &&, "id" WITH <>)
      WHERE ("exclusive" AND "employeeId" IS NOT NULL)`)
    await createOverlapTriggers(runner)
  }

  async down(runner: QueryRunner): Promise<void> {
    await dropOverlapTriggers(runner)
    await runner.query(`ALTER TABLE "meeting" DROP CONSTRAINT "meeting:overlap"`)
    await runner.query(`ALTER TABLE "meeting" DROP COLUMN "exclusive"`)
    await runner.query(`DROP INDEX "organization.unready"`)
    for (const [name] of indexes) await runner.query(`DROP INDEX "${name}"`)
  }
}
