import type { MigrationInterface, QueryRunner } from 'typeorm'

/** Keeps the responses to POST requests with an Idempotency-Key. */
export class Idempotency1764000000002 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      `CREATE TABLE "idempotency_key" ("caller" text NOT NULL, "key" text NOT NULL, "claim" uuid NOT NULL, "fingerprint" text NOT NULL, "tenant" uuid, "createdAt" TIMESTAMP(3) WITH TIME ZONE NOT NULL, "claimedAt" TIMESTAMP(3) WITH TIME ZONE NOT NULL, "answer" json, CONSTRAINT "PK_1482d923e254705fd82e4d392f6" PRIMARY KEY ("caller", "key"))`,
    )
    await runner.query(`CREATE INDEX "IDX_38536b1937c55d305af4d69a97" ON "idempotency_key" ("createdAt")`)
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP INDEX "IDX_38536b1937c55d305af4d69a97"`)
    await runner.query(`DROP TABLE "idempotency_key"`)
  }
}
