import type { MigrationInterface, QueryRunner } from 'typeorm'
import { countryCodes } from '../../entities/country-codes.ts'

/** Rules that TypeORM has no notation for: unique indexes over expressions and parts of tables, triggers, and the countries. */
export class Rules1764000000001 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE UNIQUE INDEX "location:name" ON "location" ("organizationId", lower("name"))`)
    await runner.query(`CREATE UNIQUE INDEX "organization_user_invitation:email" ON "organization_user_invitation"
      ("organizationId", lower("email")) WHERE "acceptedAt" IS NULL AND "revokedAt" IS NULL`)
    await runner.query(`CREATE UNIQUE INDEX "subscription:live" ON "subscription" ("organizationId")
      WHERE "status" NOT IN ('canceled', 'incomplete_expired')`)

    await runner.query(`CREATE FUNCTION "refuse_change"() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN RAISE EXCEPTION 'The audit log is only ever added to.'; END $$`)
    await runner.query(`CREATE TRIGGER "append_only" BEFORE UPDATE OR DELETE ON "audit_event"
      FOR EACH ROW EXECUTE FUNCTION "refuse_change"()`)
    await runner.query(`CREATE TRIGGER "never_emptied" BEFORE TRUNCATE ON "audit_event"
      FOR EACH STATEMENT EXECUTE FUNCTION "refuse_change"()`)

    await runner.query(`CREATE FUNCTION "follow_subscription"() RETURNS trigger LANGUAGE plpgsql AS $$
      DECLARE
        live uuid := (SELECT "id" FROM "subscription" WHERE "organizationId" = NEW."organizationId"
          AND "status" NOT IN ('canceled', 'incomplete_expired'));
        bought text[] := (SELECT "modules" FROM "subscription" WHERE "id" = live
          AND "status" IN ('trialing', 'active', 'past_due'));
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
      END $$`)
    await runner.query(`CREATE TRIGGER "followed" AFTER INSERT OR UPDATE ON "subscription"
      FOR EACH ROW EXECUTE FUNCTION "follow_subscription"()`)

    await runner.query(`INSERT INTO "country" ("id") SELECT unnest($1::text[]) ON CONFLICT DO NOTHING`, [countryCodes])
  }

  /** The countries stay, because addresses may point at them. */
  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TRIGGER "followed" ON "subscription"`)
    await runner.query(`DROP FUNCTION "follow_subscription"`)
    await runner.query(`DROP TRIGGER "never_emptied" ON "audit_event"`)
    await runner.query(`DROP TRIGGER "append_only" ON "audit_event"`)
    await runner.query(`DROP FUNCTION "refuse_change"`)
    await runner.query(`DROP INDEX "subscription:live"`)
    await runner.query(`DROP INDEX "organization_user_invitation:email"`)
    await runner.query(`DROP INDEX "location:name"`)
  }
}
