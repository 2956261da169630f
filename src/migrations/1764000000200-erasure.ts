import type { MigrationInterface, QueryRunner } from 'typeorm'
import { allowDeletions, allowErasures, erasesOnly } from './audit-log-guard.ts'

/** Keeps when an employee was erased, and lets an erasure replace values in the audit log. */
export class Erasure1764000000200 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE "employee" ADD COLUMN "erasedAt" TIMESTAMP(3) WITH TIME ZONE`)
    await runner.query(erasesOnly)
    await runner.query(allowErasures)
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(allowDeletions)
    await runner.query(`DROP FUNCTION "erases_only"`)
    await runner.query(`ALTER TABLE "employee" DROP COLUMN "erasedAt"`)
  }
}
