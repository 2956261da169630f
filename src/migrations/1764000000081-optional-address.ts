import type { MigrationInterface, QueryRunner } from 'typeorm'

/** A subscription that was made at Stripe is taken in though its organization has no billing address. */
export class OptionalAddress1764000000081 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE "subscription" ALTER COLUMN "organizationAddressId" DROP NOT NULL`)
  }

  /** Fails while a subscription has no address, because the older schema cannot hold it. */
  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE "subscription" ALTER COLUMN "organizationAddressId" SET NOT NULL`)
  }
}
