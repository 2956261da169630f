import type { MigrationInterface, QueryRunner } from 'typeorm'

/** Every table, key and index, as TypeORM generates them from the entities. */
export class Initial1764000000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      `CREATE TABLE "user" ("id" uuid NOT NULL, "createdAt" TIMESTAMP(3) WITH TIME ZONE NOT NULL, "updatedAt" TIMESTAMP(3) WITH TIME ZONE NOT NULL, "version" integer NOT NULL, "issuer" text NOT NULL, "subject" text NOT NULL, "name" text NOT NULL, "email" text, "locale" text, "operator" boolean NOT NULL, CONSTRAINT "PK_cace4a159ff9f2512dd42373760" PRIMARY KEY ("id"))`,
    )
    await runner.query(`CREATE UNIQUE INDEX "IDX_04feb441dfb99688a1387ae038" ON "user" ("issuer", "subject")`)
    await runner.query(
      `CREATE TABLE "audit_event" ("id" uuid NOT NULL, "createdAt" TIMESTAMP(3) WITH TIME ZONE NOT NULL, "updatedAt" TIMESTAMP(3) WITH TIME ZONE NOT NULL, "version" integer NOT NULL, "organizationId" uuid NOT NULL, "actorId" uuid NOT NULL, "action" text NOT NULL, "target" text NOT NULL, "at" TIMESTAMP(3) WITH TIME ZONE NOT NULL, "changes" jsonb NOT NULL, CONSTRAINT "UQ_2fdd1973cb263aefbc4385417d0" UNIQUE ("organizationId", "id"), CONSTRAINT "PK_481efbe8b0a403efe3f47a6528f" PRIMARY KEY ("id"))`,
    )
    await runner.query(`CREATE INDEX "IDX_2b778fde3afc04ec59f83e29fa" ON "audit_event" ("actorId")`)
    await runner.query(
      `CREATE TABLE "country" ("id" text NOT NULL, CONSTRAINT "PK_bf6e37c231c4f4ea56dcd887269" PRIMARY KEY ("id"))`,
    )
    await runner.query(
      `CREATE TABLE "location" ("id" uuid NOT NULL, "createdAt" TIMESTAMP(3) WITH TIME ZONE NOT NULL, "updatedAt" TIMESTAMP(3) WITH TIME ZONE NOT NULL, "version" integer NOT NULL, "organizationId" uuid NOT NULL, "name" text NOT NULL, "officeOpenHour" smallint, "officeCloseHour" smallint, CONSTRAINT "UQ_8c66a51c3dd081ebe059911330d" UNIQUE ("organizationId", "id"), CONSTRAINT "CHK_453f1746abd7f94293d9b366ae" CHECK (("officeOpenHour" IS NULL) = ("officeCloseHour" IS NULL) AND "officeCloseHour" > "officeOpenHour"), CONSTRAINT "PK_876d7bdba03c72251ec4c2dc827" PRIMARY KEY ("id"))`,
    )
    await runner.query(
      `CREATE TABLE "employee" ("id" uuid NOT NULL, "createdAt" TIMESTAMP(3) WITH TIME ZONE NOT NULL, "updatedAt" TIMESTAMP(3) WITH TIME ZONE NOT NULL, "version" integer NOT NULL, "organizationId" uuid NOT NULL, "name" text NOT NULL, "email" text, "phone" text, "jobTitle" text, "userId" uuid, "locationId" uuid, "active" boolean NOT NULL, CONSTRAINT "UQ_2247275992abef0cbd8ab26a488" UNIQUE ("organizationId", "id"), CONSTRAINT "PK_3c2bc72f03fd5abbbc5ac169498" PRIMARY KEY ("id"))`,
    )
    await runner.query(`CREATE INDEX "IDX_0fd35cddc64820c8a7e59b669c" ON "employee" ("organizationId", "locationId")`)
    await runner.query(`CREATE INDEX "IDX_4cc0789d6aa36afeb1406e854e" ON "employee" ("organizationId", "userId")`)
    await runner.query(
      `CREATE TABLE "integration" ("id" uuid NOT NULL, "createdAt" TIMESTAMP(3) WITH TIME ZONE NOT NULL, "updatedAt" TIMESTAMP(3) WITH TIME ZONE NOT NULL, "version" integer NOT NULL, "organizationId" uuid NOT NULL, "provider" text NOT NULL, "status" text NOT NULL, "target" text, "officialName" text, "consentExpiresAt" TIMESTAMP(3) WITH TIME ZONE, "lastPulledAt" TIMESTAMP(3) WITH TIME ZONE, CONSTRAINT "UQ_5c6d1ea1fa3a5856088a822405a" UNIQUE ("organizationId", "id"), CONSTRAINT "PK_f348d4694945d9dc4c7049a178a" PRIMARY KEY ("id"))`,
    )
    await runner.query(
      `CREATE TABLE "organization_address" ("id" uuid NOT NULL, "createdAt" TIMESTAMP(3) WITH TIME ZONE NOT NULL, "updatedAt" TIMESTAMP(3) WITH TIME ZONE NOT NULL, "version" integer NOT NULL, "organizationId" uuid NOT NULL, "kind" text NOT NULL, "name" text NOT NULL, "street" text NOT NULL, "houseNumber" text, "postalCode" text, "city" text NOT NULL, "countryId" text NOT NULL, "vatNumber" text, CONSTRAINT "UQ_a9365e6f439328579395b3cef8e" UNIQUE ("organizationId", "id"), CONSTRAINT "PK_0f31fe3925535afb5462326d7d6" PRIMARY KEY ("id"))`,
    )
    await runner.query(`CREATE INDEX "IDX_6812cf314c044953f41696556b" ON "organization_address" ("countryId")`)
    await runner.query(
      `CREATE TABLE "organization_module" ("id" uuid NOT NULL, "createdAt" TIMESTAMP(3) WITH TIME ZONE NOT NULL, "updatedAt" TIMESTAMP(3) WITH TIME ZONE NOT NULL, "version" integer NOT NULL, "organizationId" uuid NOT NULL, "name" text NOT NULL, "enabled" boolean NOT NULL, "source" text, "limit" integer, CONSTRAINT "UQ_e285a518a75427802627ea27904" UNIQUE ("organizationId", "id"), CONSTRAINT "PK_8e1a14187bdda302870f8e6d13b" PRIMARY KEY ("id"))`,
    )
    await runner.query(
      `CREATE UNIQUE INDEX "IDX_d030a21c0bb8ad6b01eec5586e" ON "organization_module" ("organizationId", "name")`,
    )
    await runner.query(
      `CREATE TABLE "payment_method" ("id" uuid NOT NULL, "createdAt" TIMESTAMP(3) WITH TIME ZONE NOT NULL, "updatedAt" TIMESTAMP(3) WITH TIME ZONE NOT NULL, "version" integer NOT NULL, "organizationId" uuid NOT NULL, "type" text NOT NULL, "brand" text, "last4" text, "expiryMonth" smallint, "expiryYear" smallint, "externalId" text NOT NULL, "preferred" boolean NOT NULL, CONSTRAINT "UQ_957d04b530f046ae3e1c0f318e8" UNIQUE ("organizationId", "id"), CONSTRAINT "PK_7744c2b2dd932c9cf42f2b9bc3a" PRIMARY KEY ("id"))`,
    )
    await runner.query(`CREATE UNIQUE INDEX "IDX_324cefab9e32b700c543024dbb" ON "payment_method" ("externalId")`)
    await runner.query(
      `CREATE TABLE "subscription" ("id" uuid NOT NULL, "createdAt" TIMESTAMP(3) WITH TIME ZONE NOT NULL, "updatedAt" TIMESTAMP(3) WITH TIME ZONE NOT NULL, "version" integer NOT NULL, "organizationId" uuid NOT NULL, "organizationAddressId" uuid NOT NULL, "type" text NOT NULL, "paymentMethodId" uuid, "seats" integer NOT NULL, "modules" text array NOT NULL, "status" text NOT NULL, "externalId" text, "metadata" jsonb NOT NULL, "confirmedAt" TIMESTAMP(3) WITH TIME ZONE, "cancelAt" TIMESTAMP(3) WITH TIME ZONE, CONSTRAINT "UQ_542cd1376268678f2299d90c62e" UNIQUE ("organizationId", "id"), CONSTRAINT "PK_8c3e00ebd02103caa1174cd5d9d" PRIMARY KEY ("id"))`,
    )
    await runner.query(`CREATE UNIQUE INDEX "IDX_335f42003a267eee7b44c69a00" ON "subscription" ("externalId")`)
    await runner.query(
      `CREATE INDEX "IDX_674bff5fc7660244d24d04a104" ON "subscription" ("organizationId", "paymentMethodId")`,
    )
    await runner.query(
      `CREATE INDEX "IDX_b00493ce59307bfa7303756958" ON "subscription" ("organizationId", "organizationAddressId")`,
    )
    await runner.query(
      `CREATE TABLE "invoice" ("id" uuid NOT NULL, "createdAt" TIMESTAMP(3) WITH TIME ZONE NOT NULL, "updatedAt" TIMESTAMP(3) WITH TIME ZONE NOT NULL, "version" integer NOT NULL, "organizationId" uuid NOT NULL, "name" text, "externalId" text NOT NULL, "subscriptionId" uuid NOT NULL, "status" text NOT NULL, "currency" text NOT NULL, "total" bigint NOT NULL, "amountDue" bigint NOT NULL, "issuedAt" TIMESTAMP(3) WITH TIME ZONE, "dueAt" TIMESTAMP(3) WITH TIME ZONE, "paidAt" TIMESTAMP(3) WITH TIME ZONE, "pdf" text, CONSTRAINT "UQ_1d4ba866e9de6dc98d234111082" UNIQUE ("organizationId", "id"), CONSTRAINT "PK_15d25c200d9bcd8a33f698daf18" PRIMARY KEY ("id"))`,
    )
    await runner.query(`CREATE UNIQUE INDEX "IDX_637c4baff3d0e1abd947340404" ON "invoice" ("externalId")`)
    await runner.query(
      `CREATE INDEX "IDX_9a7c0d4bf061cb69075ffbd57c" ON "invoice" ("organizationId", "subscriptionId", "id")`,
    )
    await runner.query(
      `CREATE TABLE "language" ("organizationId" uuid NOT NULL, "id" text NOT NULL, "createdAt" TIMESTAMP(3) WITH TIME ZONE NOT NULL, CONSTRAINT "PK_b897f36ef5a8c4907b2528605a8" PRIMARY KEY ("organizationId", "id"))`,
    )
    await runner.query(
      `CREATE TABLE "mail_footer" ("organizationId" uuid NOT NULL, "mailFooter" text, "updatedAt" TIMESTAMP(3) WITH TIME ZONE NOT NULL, "version" integer NOT NULL, CONSTRAINT "PK_1b8ecd3fd2522af0be40cdb1369" PRIMARY KEY ("organizationId"))`,
    )
    await runner.query(
      `CREATE TABLE "meeting" ("id" uuid NOT NULL, "createdAt" TIMESTAMP(3) WITH TIME ZONE NOT NULL, "updatedAt" TIMESTAMP(3) WITH TIME ZONE NOT NULL, "version" integer NOT NULL, "organizationId" uuid NOT NULL, "employeeId" uuid, "dateFrom" TIMESTAMP(3) WITH TIME ZONE NOT NULL, "dateTo" TIMESTAMP(3) WITH TIME ZONE NOT NULL, "notes" text, "time" TIMESTAMP(3) WITH TIME ZONE, CONSTRAINT "UQ_0df54c45775c222ece9dc15b9d8" UNIQUE ("organizationId", "id"), CONSTRAINT "CHK_3643ed60cfd3e50f3c235838f0" CHECK ("dateFrom" < "dateTo" AND "time" BETWEEN "dateFrom" AND "dateTo"), CONSTRAINT "PK_dccaf9e4c0e39067d82ccc7bb83" PRIMARY KEY ("id"))`,
    )
    await runner.query(
      `CREATE INDEX "IDX_660073743e59a57a2db18f7cba" ON "meeting" ("organizationId", "employeeId", "id")`,
    )
    await runner.query(
      `CREATE TABLE "organization" ("id" uuid NOT NULL, "createdAt" TIMESTAMP(3) WITH TIME ZONE NOT NULL, "updatedAt" TIMESTAMP(3) WITH TIME ZONE NOT NULL, "version" integer NOT NULL, "type" text NOT NULL, "status" text NOT NULL, "name" text NOT NULL, "slug" text NOT NULL, "stripeCustomerId" text, "manualBilling" boolean NOT NULL, "databaseStatus" jsonb, "demo" boolean NOT NULL, "productionLike" boolean NOT NULL, "currentSubscriptionId" uuid, CONSTRAINT "CHK_1c84860a483abb64bf27ad8514" CHECK (NOT ("manualBilling" AND "stripeCustomerId" IS NOT NULL)), CONSTRAINT "PK_472c1f99a32def1b0abb219cd67" PRIMARY KEY ("id"))`,
    )
    await runner.query(`CREATE UNIQUE INDEX "IDX_a08804baa7c5d5427067c49a31" ON "organization" ("slug")`)
    await runner.query(`CREATE UNIQUE INDEX "IDX_6577a5c81fedc33f9d8d284d49" ON "organization" ("stripeCustomerId")`)
    await runner.query(
      `CREATE TABLE "organization_config" ("id" uuid NOT NULL, "createdAt" TIMESTAMP(3) WITH TIME ZONE NOT NULL, "updatedAt" TIMESTAMP(3) WITH TIME ZONE NOT NULL, "version" integer NOT NULL, "organizationId" uuid NOT NULL, "key" text NOT NULL, "value" jsonb, CONSTRAINT "UQ_a815c070c0f29caf305f52dfc41" UNIQUE ("organizationId", "id"), CONSTRAINT "PK_b2683bdc08b2cccae9eeb00af45" PRIMARY KEY ("id"))`,
    )
    await runner.query(
      `CREATE UNIQUE INDEX "IDX_7f69cb2d01d483b3e7a50c114b" ON "organization_config" ("organizationId", "key")`,
    )
    await runner.query(
      `CREATE TABLE "organization_user" ("id" uuid NOT NULL, "createdAt" TIMESTAMP(3) WITH TIME ZONE NOT NULL, "updatedAt" TIMESTAMP(3) WITH TIME ZONE NOT NULL, "version" integer NOT NULL, "organizationId" uuid NOT NULL, "userId" uuid NOT NULL, "name" text NOT NULL, "role" text NOT NULL, "status" text NOT NULL, "joinedAt" TIMESTAMP(3) WITH TIME ZONE NOT NULL, CONSTRAINT "UQ_96dfa94c6cfab9a29571e23bf45" UNIQUE ("organizationId", "id"), CONSTRAINT "PK_b93269ca4d9016837d22ab6e1e0" PRIMARY KEY ("id"))`,
    )
    await runner.query(`CREATE INDEX "IDX_29586d245154770441881d8f4f" ON "organization_user" ("userId")`)
    await runner.query(
      `CREATE UNIQUE INDEX "IDX_9625fda29f4e999694bd4cc33e" ON "organization_user" ("organizationId", "userId")`,
    )
    await runner.query(
      `CREATE TABLE "organization_user_invitation" ("id" uuid NOT NULL, "createdAt" TIMESTAMP(3) WITH TIME ZONE NOT NULL, "updatedAt" TIMESTAMP(3) WITH TIME ZONE NOT NULL, "version" integer NOT NULL, "organizationId" uuid NOT NULL, "email" text NOT NULL, "name" text, "role" text NOT NULL, "expiresAt" TIMESTAMP(3) WITH TIME ZONE NOT NULL, "invitedById" uuid NOT NULL, "acceptedAt" TIMESTAMP(3) WITH TIME ZONE, "revokedAt" TIMESTAMP(3) WITH TIME ZONE, "tokenHash" bytea NOT NULL, CONSTRAINT "UQ_84cc108ff41f2e843140419dc34" UNIQUE ("organizationId", "id"), CONSTRAINT "PK_49092ca1394b21eb0da229905f4" PRIMARY KEY ("id"))`,
    )
    await runner.query(
      `CREATE INDEX "IDX_e941fb23bc1330c6909b3a513c" ON "organization_user_invitation" ("invitedById")`,
    )
    await runner.query(
      `ALTER TABLE "audit_event" ADD CONSTRAINT "FK_c927fa1e760c83f185aee1a014b" FOREIGN KEY ("organizationId") REFERENCES "organization"("id") ON DELETE NO ACTION ON UPDATE NO ACTION`,
    )
    await runner.query(
      `ALTER TABLE "audit_event" ADD CONSTRAINT "FK_2b778fde3afc04ec59f83e29fa0" FOREIGN KEY ("actorId") REFERENCES "user"("id") ON DELETE NO ACTION ON UPDATE NO ACTION`,
    )
    await runner.query(
      `ALTER TABLE "location" ADD CONSTRAINT "FK_15ac9732fb93911a4e7a70c5340" FOREIGN KEY ("organizationId") REFERENCES "organization"("id") ON DELETE NO ACTION ON UPDATE NO ACTION`,
    )
    await runner.query(
      `ALTER TABLE "employee" ADD CONSTRAINT "FK_c6a48286f3aa8ae903bee0d1e72" FOREIGN KEY ("organizationId") REFERENCES "organization"("id") ON DELETE NO ACTION ON UPDATE NO ACTION`,
    )
    await runner.query(
      `ALTER TABLE "employee" ADD CONSTRAINT "FK_f4b0d329c4a3cf79ffe9d565047" FOREIGN KEY ("userId") REFERENCES "user"("id") ON DELETE NO ACTION ON UPDATE NO ACTION`,
    )
    await runner.query(
      `ALTER TABLE "employee" ADD CONSTRAINT "FK_0fd35cddc64820c8a7e59b669cf" FOREIGN KEY ("organizationId", "locationId") REFERENCES "location"("organizationId","id") ON DELETE NO ACTION ON UPDATE NO ACTION`,
    )
    await runner.query(
      `ALTER TABLE "integration" ADD CONSTRAINT "FK_6a928e1e52c1c61be8b0a407c30" FOREIGN KEY ("organizationId") REFERENCES "organization"("id") ON DELETE NO ACTION ON UPDATE NO ACTION`,
    )
    await runner.query(
      `ALTER TABLE "organization_address" ADD CONSTRAINT "FK_d774c13d8f67544c223b15df628" FOREIGN KEY ("organizationId") REFERENCES "organization"("id") ON DELETE NO ACTION ON UPDATE NO ACTION`,
    )
    await runner.query(
      `ALTER TABLE "organization_address" ADD CONSTRAINT "FK_6812cf314c044953f41696556be" FOREIGN KEY ("countryId") REFERENCES "country"("id") ON DELETE NO ACTION ON UPDATE NO ACTION`,
    )
    await runner.query(
      `ALTER TABLE "organization_module" ADD CONSTRAINT "FK_4e6c2c706955cf9b55f5d5c04e1" FOREIGN KEY ("organizationId") REFERENCES "organization"("id") ON DELETE NO ACTION ON UPDATE NO ACTION`,
    )
    await runner.query(
      `ALTER TABLE "payment_method" ADD CONSTRAINT "FK_10f1e01f67dfc1c0dfbe65946ef" FOREIGN KEY ("organizationId") REFERENCES "organization"("id") ON DELETE NO ACTION ON UPDATE NO ACTION`,
    )
    await runner.query(
      `ALTER TABLE "subscription" ADD CONSTRAINT "FK_8ccdfc22892c16950b568145d53" FOREIGN KEY ("organizationId") REFERENCES "organization"("id") ON DELETE NO ACTION ON UPDATE NO ACTION`,
    )
    await runner.query(
      `ALTER TABLE "subscription" ADD CONSTRAINT "FK_674bff5fc7660244d24d04a104e" FOREIGN KEY ("organizationId", "paymentMethodId") REFERENCES "payment_method"("organizationId","id") ON DELETE NO ACTION ON UPDATE NO ACTION`,
    )
    await runner.query(
      `ALTER TABLE "subscription" ADD CONSTRAINT "FK_b00493ce59307bfa7303756958d" FOREIGN KEY ("organizationId", "organizationAddressId") REFERENCES "organization_address"("organizationId","id") ON DELETE NO ACTION ON UPDATE NO ACTION`,
    )
    await runner.query(
      `ALTER TABLE "invoice" ADD CONSTRAINT "FK_058ef835f99e28fc6717cd7c80f" FOREIGN KEY ("organizationId") REFERENCES "organization"("id") ON DELETE NO ACTION ON UPDATE NO ACTION`,
    )
    await runner.query(
      `ALTER TABLE "invoice" ADD CONSTRAINT "FK_23db4083bb143f0022f51a30f69" FOREIGN KEY ("organizationId", "subscriptionId") REFERENCES "subscription"("organizationId","id") ON DELETE NO ACTION ON UPDATE NO ACTION`,
    )
    await runner.query(
      `ALTER TABLE "language" ADD CONSTRAINT "FK_58fbcb8af8f711c22765965e0dd" FOREIGN KEY ("organizationId") REFERENCES "organization"("id") ON DELETE NO ACTION ON UPDATE NO ACTION`,
    )
    await runner.query(
      `ALTER TABLE "mail_footer" ADD CONSTRAINT "FK_1b8ecd3fd2522af0be40cdb1369" FOREIGN KEY ("organizationId") REFERENCES "organization"("id") ON DELETE NO ACTION ON UPDATE NO ACTION`,
    )
    await runner.query(
      `ALTER TABLE "meeting" ADD CONSTRAINT "FK_d178aea163cef98b5b4ea37677c" FOREIGN KEY ("organizationId") REFERENCES "organization"("id") ON DELETE NO ACTION ON UPDATE NO ACTION`,
    )
    await runner.query(
      `ALTER TABLE "meeting" ADD CONSTRAINT "FK_9199d66e8a25c86ce3fff47ebd5" FOREIGN KEY ("organizationId", "employeeId") REFERENCES "employee"("organizationId","id") ON DELETE NO ACTION ON UPDATE NO ACTION`,
    )
    await runner.query(
      `ALTER TABLE "organization" ADD CONSTRAINT "FK_d5671554e1e363058ec5fee9b1a" FOREIGN KEY ("id", "currentSubscriptionId") REFERENCES "subscription"("organizationId","id") ON DELETE NO ACTION ON UPDATE NO ACTION`,
    )
    await runner.query(
      `ALTER TABLE "organization_config" ADD CONSTRAINT "FK_aa8d2b169122d05a03f309f5925" FOREIGN KEY ("organizationId") REFERENCES "organization"("id") ON DELETE NO ACTION ON UPDATE NO ACTION`,
    )
    await runner.query(
      `ALTER TABLE "organization_user" ADD CONSTRAINT "FK_63562fe364ecc738a7be56a8444" FOREIGN KEY ("organizationId") REFERENCES "organization"("id") ON DELETE NO ACTION ON UPDATE NO ACTION`,
    )
    await runner.query(
      `ALTER TABLE "organization_user" ADD CONSTRAINT "FK_29586d245154770441881d8f4fd" FOREIGN KEY ("userId") REFERENCES "user"("id") ON DELETE NO ACTION ON UPDATE NO ACTION`,
    )
    await runner.query(
      `ALTER TABLE "organization_user_invitation" ADD CONSTRAINT "FK_46c6b4c683d340aeccf0508806a" FOREIGN KEY ("organizationId") REFERENCES "organization"("id") ON DELETE NO ACTION ON UPDATE NO ACTION`,
    )
    await runner.query(
      `ALTER TABLE "organization_user_invitation" ADD CONSTRAINT "FK_e941fb23bc1330c6909b3a513c3" FOREIGN KEY ("invitedById") REFERENCES "user"("id") ON DELETE NO ACTION ON UPDATE NO ACTION`,
    )
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE "organization_user_invitation" DROP CONSTRAINT "FK_e941fb23bc1330c6909b3a513c3"`)
    await runner.query(`ALTER TABLE "organization_user_invitation" DROP CONSTRAINT "FK_46c6b4c683d340aeccf0508806a"`)
    await runner.query(`ALTER TABLE "organization_user" DROP CONSTRAINT "FK_29586d245154770441881d8f4fd"`)
    await runner.query(`ALTER TABLE "organization_user" DROP CONSTRAINT "FK_63562fe364ecc738a7be56a8444"`)
    await runner.query(`ALTER TABLE "organization_config" DROP CONSTRAINT "FK_aa8d2b169122d05a03f309f5925"`)
    await runner.query(`ALTER TABLE "organization" DROP CONSTRAINT "FK_d5671554e1e363058ec5fee9b1a"`)
    await runner.query(`ALTER TABLE "meeting" DROP CONSTRAINT "FK_9199d66e8a25c86ce3fff47ebd5"`)
    await runner.query(`ALTER TABLE "meeting" DROP CONSTRAINT "FK_d178aea163cef98b5b4ea37677c"`)
    await runner.query(`ALTER TABLE "mail_footer" DROP CONSTRAINT "FK_1b8ecd3fd2522af0be40cdb1369"`)
    await runner.query(`ALTER TABLE "language" DROP CONSTRAINT "FK_58fbcb8af8f711c22765965e0dd"`)
    await runner.query(`ALTER TABLE "invoice" DROP CONSTRAINT "FK_23db4083bb143f0022f51a30f69"`)
    await runner.query(`ALTER TABLE "invoice" DROP CONSTRAINT "FK_058ef835f99e28fc6717cd7c80f"`)
    await runner.query(`ALTER TABLE "subscription" DROP CONSTRAINT "FK_b00493ce59307bfa7303756958d"`)
    await runner.query(`ALTER TABLE "subscription" DROP CONSTRAINT "FK_674bff5fc7660244d24d04a104e"`)
    await runner.query(`ALTER TABLE "subscription" DROP CONSTRAINT "FK_8ccdfc22892c16950b568145d53"`)
    await runner.query(`ALTER TABLE "payment_method" DROP CONSTRAINT "FK_10f1e01f67dfc1c0dfbe65946ef"`)
    await runner.query(`ALTER TABLE "organization_module" DROP CONSTRAINT "FK_4e6c2c706955cf9b55f5d5c04e1"`)
    await runner.query(`ALTER TABLE "organization_address" DROP CONSTRAINT "FK_6812cf314c044953f41696556be"`)
    await runner.query(`ALTER TABLE "organization_address" DROP CONSTRAINT "FK_d774c13d8f67544c223b15df628"`)
    await runner.query(`ALTER TABLE "integration" DROP CONSTRAINT "FK_6a928e1e52c1c61be8b0a407c30"`)
    await runner.query(`ALTER TABLE "employee" DROP CONSTRAINT "FK_0fd35cddc64820c8a7e59b669cf"`)
    await runner.query(`ALTER TABLE "employee" DROP CONSTRAINT "FK_f4b0d329c4a3cf79ffe9d565047"`)
    await runner.query(`ALTER TABLE "employee" DROP CONSTRAINT "FK_c6a48286f3aa8ae903bee0d1e72"`)
    await runner.query(`ALTER TABLE "location" DROP CONSTRAINT "FK_15ac9732fb93911a4e7a70c5340"`)
    await runner.query(`ALTER TABLE "audit_event" DROP CONSTRAINT "FK_2b778fde3afc04ec59f83e29fa0"`)
    await runner.query(`ALTER TABLE "audit_event" DROP CONSTRAINT "FK_c927fa1e760c83f185aee1a014b"`)
    await runner.query(`DROP INDEX "public"."IDX_e941fb23bc1330c6909b3a513c"`)
    await runner.query(`DROP TABLE "organization_user_invitation"`)
    await runner.query(`DROP INDEX "public"."IDX_9625fda29f4e999694bd4cc33e"`)
    await runner.query(`DROP INDEX "public"."IDX_29586d245154770441881d8f4f"`)
    await runner.query(`DROP TABLE "organization_user"`)
    await runner.query(`DROP INDEX "public"."IDX_7f69cb2d01d483b3e7a50c114b"`)
    await runner.query(`DROP TABLE "organization_config"`)
    await runner.query(`DROP INDEX "public"."IDX_6577a5c81fedc33f9d8d284d49"`)
    await runner.query(`DROP INDEX "public"."IDX_a08804baa7c5d5427067c49a31"`)
    await runner.query(`DROP TABLE "organization"`)
    await runner.query(`DROP INDEX "public"."IDX_660073743e59a57a2db18f7cba"`)
    await runner.query(`DROP TABLE "meeting"`)
    await runner.query(`DROP TABLE "mail_footer"`)
    await runner.query(`DROP TABLE "language"`)
    await runner.query(`DROP INDEX "public"."IDX_9a7c0d4bf061cb69075ffbd57c"`)
    await runner.query(`DROP INDEX "public"."IDX_637c4baff3d0e1abd947340404"`)
    await runner.query(`DROP TABLE "invoice"`)
    await runner.query(`DROP INDEX "public"."IDX_b00493ce59307bfa7303756958"`)
    await runner.query(`DROP INDEX "public"."IDX_674bff5fc7660244d24d04a104"`)
    await runner.query(`DROP INDEX "public"."IDX_335f42003a267eee7b44c69a00"`)
    await runner.query(`DROP TABLE "subscription"`)
    await runner.query(`DROP INDEX "public"."IDX_324cefab9e32b700c543024dbb"`)
    await runner.query(`DROP TABLE "payment_method"`)
    await runner.query(`DROP INDEX "public"."IDX_d030a21c0bb8ad6b01eec5586e"`)
    await runner.query(`DROP TABLE "organization_module"`)
    await runner.query(`DROP INDEX "public"."IDX_6812cf314c044953f41696556b"`)
    await runner.query(`DROP TABLE "organization_address"`)
    await runner.query(`DROP TABLE "integration"`)
    await runner.query(`DROP INDEX "public"."IDX_4cc0789d6aa36afeb1406e854e"`)
    await runner.query(`DROP INDEX "public"."IDX_0fd35cddc64820c8a7e59b669c"`)
    await runner.query(`DROP TABLE "employee"`)
    await runner.query(`DROP TABLE "location"`)
    await runner.query(`DROP TABLE "country"`)
    await runner.query(`DROP INDEX "public"."IDX_2b778fde3afc04ec59f83e29fa"`)
    await runner.query(`DROP TABLE "audit_event"`)
    await runner.query(`DROP INDEX "public"."IDX_04feb441dfb99688a1387ae038"`)
    await runner.query(`DROP TABLE "user"`)
  }
}
