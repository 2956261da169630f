import type { MigrationInterface, QueryRunner } from 'typeorm'

/** When the token was issued that a user's name and address are from, so that only a newer one changes them. */
export class Claims1764000000050 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE "user" ADD "claimsAt" TIMESTAMP(3) WITH TIME ZONE`)
    await runner.query(`CREATE INDEX "user.email" ON "user" (lower("email"))`)
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP INDEX "user.email"`)
    await runner.query(`ALTER TABLE "user" DROP COLUMN "claimsAt"`)
  }
}
