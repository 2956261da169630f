import type { MigrationInterface, QueryRunner } from 'typeorm'
import { follow } from './1764000000072-paused-collection.ts'
import { CustomerProfile1764000000080 } from './1764000000080-customer-profile.ts'
import { keepBilledTo } from './1764000000083-billed-to.ts'
import { lowerCompatibleFrom, raiseCompatibleFrom } from './compatibility.ts'

const customerProfile = new CustomerProfile1764000000080()

/**
 * No trigger of subscriptions, addresses and customers writes another table: a distributed database cannot run such a trigger. The
 * code writes these rows. The live subscription of an organization is read from the subscriptions.
 */
export class EffectsInCode1764000000102 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await raiseCompatibleFrom(runner, this)
    await customerProfile.down(runner)
    await keepBilledTo.drop(runner)
    await runner.query(`DROP TRIGGER "followed" ON "subscription"`)
    await runner.query(`DROP FUNCTION "follow_subscription"()`)
    await runner.query(`ALTER TABLE "organization" DROP COLUMN "currentSubscriptionId"`)
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE "organization" ADD COLUMN "currentSubscriptionId" uuid`)
    await runner.query(`UPDATE "organization" SET "currentSubscriptionId" = "subscription"."id" FROM "subscription"
      WHERE "organizationId" = "organization"."id" AND "subscription"."status" NOT IN ('canceled', 'incomplete_expired')`)
    await runner.query(`ALTER TABLE "organization" ADD CONSTRAINT "FK_d5671554e1e363058ec5fee9b1a"
      FOREIGN KEY ("id", "currentSubscriptionId") REFERENCES "subscription" ("organizationId", "id")`)
    await runner.query(follow(`AND "paused" IS DISTINCT FROM 'void'`))
    await runner.query(`CREATE TRIGGER "followed" AFTER INSERT OR UPDATE ON "subscription"
      FOR EACH ROW EXECUTE FUNCTION "follow_subscription"()`)
    await keepBilledTo.create(runner)
    await customerProfile.up(runner)
    await lowerCompatibleFrom(runner, 1_764_000_000_101)
  }
}
