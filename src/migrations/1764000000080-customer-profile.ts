import type { MigrationInterface, QueryRunner } from 'typeorm'

/** Which changes concern the name, the email, the address or the language of a customer at Stripe. */
const triggers = {
  organization: 'AFTER UPDATE OF "name"',
  organization_address: 'AFTER INSERT OR UPDATE OR DELETE',
  organization_config: 'AFTER INSERT OR UPDATE OF "value" OR DELETE',
  organization_user: 'AFTER INSERT OR UPDATE OF "role", "status" OR DELETE',
  user: 'AFTER UPDATE OF "email"',
}

/** Every change of a customer's profile at Stripe enqueues a job, whichever code makes the change. */
export class CustomerProfile1764000000080 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE FUNCTION "tell_customer"() RETURNS trigger LANGUAGE plpgsql AS $$
      DECLARE "row" jsonb := CASE TG_OP WHEN 'DELETE' THEN to_jsonb(OLD) ELSE to_jsonb(NEW) END;
      BEGIN
        IF TG_OP = 'UPDATE' AND to_jsonb(OLD) = "row"
          OR TG_TABLE_NAME = 'organization_config' AND "row"->>'key' <> 'language'
          OR TG_TABLE_NAME = 'organization_user' AND "row"->>'role' <> 'owner' AND (TG_OP <> 'UPDATE' OR to_jsonb(OLD)->>'role' <> 'owner')
        THEN RETURN NULL; END IF;
        PERFORM graphile_worker.add_job('tellCustomer', json_build_object('organization', "id"), job_key := 'tell:' || "id")
          FROM "organization" WHERE "stripeCustomerId" IS NOT NULL AND CASE TG_TABLE_NAME
            WHEN 'organization' THEN "id" = ("row"->>'id')::uuid
            WHEN 'user' THEN "id" IN (SELECT "organizationId" FROM "organization_user"
              WHERE "userId" = ("row"->>'id')::uuid AND "role" = 'owner')
            ELSE "id" = ("row"->>'organizationId')::uuid END;
        RETURN NULL;
      END $$`)
    for (const [table, moment] of Object.entries(triggers))
      await runner.query(
        `CREATE TRIGGER "${table}.tell_customer" ${moment} ON "${table}" FOR EACH ROW EXECUTE FUNCTION "tell_customer"()`,
      )
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of Object.keys(triggers)) await runner.query(`DROP TRIGGER "${table}.tell_customer" ON "${table}"`)
    await runner.query(`DROP FUNCTION "tell_customer"()`)
  }
}
