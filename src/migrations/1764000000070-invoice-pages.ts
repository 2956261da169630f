import type { MigrationInterface, QueryRunner } from 'typeorm'

/** Stripe's page on which an open invoice can be paid. */
export class InvoicePages1764000000070 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE "invoice" ADD "hostedInvoiceUrl" text`)
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE "invoice" DROP COLUMN "hostedInvoiceUrl"`)
  }
}
