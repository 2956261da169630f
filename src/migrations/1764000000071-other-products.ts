import type { MigrationInterface, QueryRunner } from 'typeorm'

/** Stores the items of a Stripe subscription that are not in the catalogue. */
export class OtherProducts1764000000071 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE "subscription" ADD "otherProducts" jsonb NOT NULL DEFAULT '[]'`)
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE "subscription" DROP COLUMN "otherProducts"`)
  }
}
