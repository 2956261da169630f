import type { MigrationInterface, QueryRunner } from 'typeorm'

/** The pause of a subscription's invoices: while they become void, its modules are off. */
export class PausedCollection1764000000072 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE "subscription" ADD "paused" text`)
    await runner.query(follow(`AND "paused" IS DISTINCT FROM 'void'`))
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(follow(''))
    await runner.query(`ALTER TABLE "subscription" DROP COLUMN "paused"`)
  }
}

/** The function of the trigger: the organization and its modules follow its one live subscription. */
export const follow = (
  served: string,
) => `CREATE OR REPLACE FUNCTION "follow_subscription"() RETURNS trigger LANGUAGE plpgsql AS $$
  DECLARE
    live uuid := (SELECT "id" FROM "subscription" WHERE "organizationId" = NEW."organizationId"
      AND "status" NOT IN ('canceled', 'incomplete_expired'));
    bought text[] := (SELECT "modules" FROM "subscription" WHERE "id" = live
      AND "status" IN ('trialing', 'active', 'past_due') ${served});
  BEGIN
    UPDATE "organization" SET "currentSubscriptionId" = live
      WHERE "id" = NEW."organizationId" AND "currentSubscriptionId" IS DISTINCT FROM live;
    UPDATE "organization_module" SET
        "enabled" = coalesce("name" = ANY (bought), false),
        "source" = CASE WHEN "name" = ANY (bought) THEN 'subscription' END,
        "updatedAt" = now(), "version" = "version" + 1
      WHERE "organizationId" = NEW."organizationId" AND "source" IS DISTINCT FROM 'operator'
        AND "enabled" IS DISTINCT FROM coalesce("name" = ANY (bought), false);
    RETURN NULL;
  END $$`
