import type { MigrationInterface, QueryRunner } from 'typeorm'

/** Stores Stripe's events, the coupon of a subscription, and audit events without a user. */
export class Billing1764000000004 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      `CREATE TABLE "stripe_event" ("id" text NOT NULL, "type" text NOT NULL, "customerId" text, "objectId" text, "created" TIMESTAMP(3) WITH TIME ZONE NOT NULL, "payload" jsonb NOT NULL, "status" text NOT NULL, "attempts" integer NOT NULL DEFAULT '0', "error" text, "receivedAt" TIMESTAMP(3) WITH TIME ZONE NOT NULL DEFAULT now(), "processedAt" TIMESTAMP(3) WITH TIME ZONE, CONSTRAINT "PK_7a91ab435defe9ce0ee6fb6f7f7" PRIMARY KEY ("id"))`,
    )
    await runner.query(`CREATE INDEX "IDX_29b3945f76e4888ab3cc5e4890" ON "stripe_event" ("receivedAt")`)
    await runner.query(`CREATE INDEX "IDX_d1e0cbf6762c5c16be73bb82fe" ON "stripe_event" ("status", "customerId")`)
    await runner.query(`ALTER TABLE "subscription" ADD "coupon" text`)
    await runner.query(`ALTER TABLE "audit_event" ALTER COLUMN "actorId" DROP NOT NULL`)
  }

  /** Fails while an audit event has no user, because the older schema cannot hold it. */
  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE "audit_event" ALTER COLUMN "actorId" SET NOT NULL`)
    await runner.query(`ALTER TABLE "subscription" DROP COLUMN "coupon"`)
    await runner.query(`DROP TABLE "stripe_event"`)
  }
}
