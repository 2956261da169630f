import type { MigrationInterface, QueryRunner } from 'typeorm'

/** An ended subscription keeps a copy of the address that it was billed to, so the address itself can be deleted. */
export class BilledTo1764000000083 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE "subscription" ADD "billedTo" jsonb`)
    await keepBilledTo.create(runner)
  }

  /** Each copy becomes an address again, because the older schema requires one. It gets the id of its subscription. */
  async down(runner: QueryRunner): Promise<void> {
    await keepBilledTo.drop(runner)
    await runner.query(`INSERT INTO "organization_address" ("id", "createdAt", "updatedAt", "version", "organizationId", "kind",
        "name", "street", "houseNumber", "postalCode", "city", "countryId", "vatNumber")
      SELECT "id", now(), now(), 1, "organizationId", 'postal', "billedTo"->>'name', "billedTo"->>'street', "billedTo"->>'houseNumber',
        "billedTo"->>'postalCode', "billedTo"->>'city', "billedTo"->>'country', "billedTo"->>'vatNumber'
      FROM "subscription" WHERE "billedTo" IS NOT NULL AND "organizationAddressId" IS NULL`)
    await runner.query(`UPDATE "subscription" SET "organizationAddressId" = "id", "updatedAt" = now(), "version" = "version" + 1
      WHERE "billedTo" IS NOT NULL AND "organizationAddressId" IS NULL`)
    await runner.query(`ALTER TABLE "subscription" DROP COLUMN "billedTo"`)
  }
}

/** The trigger that makes the copy. */
export const keepBilledTo = {
  async create(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE FUNCTION "keep_billed_to"() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        UPDATE "subscription" SET "organizationAddressId" = NULL, "updatedAt" = now(), "version" = "version" + 1,
            "billedTo" = jsonb_build_object('name', OLD."name", 'street', OLD."street", 'houseNumber', OLD."houseNumber",
              'postalCode', OLD."postalCode", 'city', OLD."city", 'country', OLD."countryId", 'vatNumber', OLD."vatNumber")
          WHERE "organizationId" = OLD."organizationId" AND "organizationAddressId" = OLD."id"
            AND "status" IN ('canceled', 'incomplete_expired');
        RETURN OLD;
      END $$`)
    await runner.query(
      `CREATE TRIGGER "organization_address.keep_billed_to" BEFORE DELETE ON "organization_address" FOR EACH ROW EXECUTE FUNCTION "keep_billed_to"()`,
    )
  },

  async drop(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TRIGGER "organization_address.keep_billed_to" ON "organization_address"`)
    await runner.query(`DROP FUNCTION "keep_billed_to"()`)
  },
}
