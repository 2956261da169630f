import type { MigrationInterface, QueryRunner } from 'typeorm'

/** The index of account numbers is rebuilt in a form that Postgres 14 has, where an earlier version built it with another. */
export class AccountNumber1764000000091 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP INDEX "bank_account.number"`)
    await runner.query(`CREATE UNIQUE INDEX "bank_account.number" ON "bank_account"
      ("organizationId", "iban", coalesce("currency", '')) WHERE "iban" IS NOT NULL`)
  }

  async down(): Promise<void> {}
}
