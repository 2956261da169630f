import type { MigrationInterface, QueryRunner } from 'typeorm'
import { allowDeletions, refuseChanges } from './audit-log-guard.ts'

/** Keeps when a closed organization is deleted, and lets its deletion remove events from the audit log. */
export class Closing1764000000190 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE "organization" ADD COLUMN "deleteAt" TIMESTAMP(3) WITH TIME ZONE`)
    await runner.query(`ALTER TABLE "organization" ADD COLUMN "deletedAt" TIMESTAMP(3) WITH TIME ZONE`)
    await runner.query(
      `CREATE INDEX "organization.leaving" ON "organization" ("deleteAt") WHERE "deleteAt" IS NOT NULL`,
    )
    await runner.query(allowDeletions)
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(refuseChanges)
    await runner.query(`ALTER TABLE "organization" DROP COLUMN "deletedAt"`)
    await runner.query(`ALTER TABLE "organization" DROP COLUMN "deleteAt"`)
  }
}
