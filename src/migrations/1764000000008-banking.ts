import type { MigrationInterface, QueryRunner } from 'typeorm'
import { createCountTriggers } from './count-rows.ts'

/** The progress of a bank link beside its status; a default where existing rows need one. */
const columns: [definition: string, existing?: string][] = [
  ['"startedById" uuid'],
  ['"redirectionId" text'],
  ['"redirectUrl" text'],
  ['"expiresAt" TIMESTAMP(3) WITH TIME ZONE'],
  ['"ownerExternalId" uuid NOT NULL', 'gen_random_uuid()'],
  ['"accessMode" text NOT NULL', "'MULTIPLE'"],
  ['"sealedAccess" text'],
  ['"sealedSession" text'],
  ['"sessionAt" TIMESTAMP(3) WITH TIME ZONE'],
  ['"pullId" uuid'],
  ['"importingSince" TIMESTAMP(3) WITH TIME ZONE'],
  ['"since" date'],
  ['"asked" text'],
  ['"sessions" smallint NOT NULL', '0'],
  ['"commandId" text'],
  ['"imported" integer'],
  ['"duplicates" integer'],
  ['"partial" boolean'],
  ['"lastErrorCode" text'],
  ['"nextPullAt" TIMESTAMP(3) WITH TIME ZONE'],
  ['"failures" integer NOT NULL', '0'],
]

const indexes = [
  'CREATE INDEX "IDX_8de0a927e4e9fac66589d2e3d2" ON "bank_account" ("organizationId", "name", "id")',
  'CREATE INDEX "IDX_2cb1d78a19b617f8a510325b6d" ON "bank_account" ("organizationId", "integrationId", "id")',
  'CREATE INDEX "IDX_f9cdf7abdead5b20892e92119d" ON "bank_account" ("integrationId", "id")',
  'CREATE UNIQUE INDEX "IDX_5db5b2c6e41e9d0c112a906d3e" ON "bank_account" ("integrationId", "reference")',
  'CREATE INDEX "IDX_b52e4e42dbbfc1653e3d820f7f" ON "bank_transaction" ("organizationId", "status", "id")',
  'CREATE INDEX "IDX_1ec5bbc7af744a0872c2217f82" ON "bank_transaction" ("organizationId", "kind", "id")',
  'CREATE INDEX "IDX_13724e5827dfcfbfbd93781c0d" ON "bank_transaction" ("organizationId", "accountId", "transactionOn", "id")',
  'CREATE INDEX "IDX_ac6da8badae62a1a31451cdb25" ON "bank_transaction" ("organizationId", "amount", "id")',
  'CREATE INDEX "IDX_87e534ea85d1d751b64facac16" ON "bank_transaction" ("organizationId", "bookedOn", "id")',
  'CREATE INDEX "IDX_643ef45c993cc2e5e7312f5a3a" ON "bank_transaction" ("organizationId", "transactionOn", "id")',
  'CREATE UNIQUE INDEX "IDX_5e9256fff50d29a7f2c2acd1a8" ON "integration" ("redirectionId")',
]

const references = [
  'ALTER TABLE "integration" ADD CONSTRAINT "FK_ce872994ccb4f163b018a193fa7" FOREIGN KEY ("startedById") REFERENCES "user"("id")',
  'ALTER TABLE "bank_account" ADD CONSTRAINT "FK_7cc1c14d5b053dc9effa23a1f24" FOREIGN KEY ("organizationId") REFERENCES "organization"("id")',
  'ALTER TABLE "bank_account" ADD CONSTRAINT "FK_c042510c28787834302ba43da7f" FOREIGN KEY ("organizationId", "integrationId") REFERENCES "integration"("organizationId","id")',
  'ALTER TABLE "bank_transaction" ADD CONSTRAINT "FK_5fff04a08d5866b285f6b0c196d" FOREIGN KEY ("organizationId") REFERENCES "organization"("id")',
  'ALTER TABLE "bank_transaction" ADD CONSTRAINT "FK_c26e3584e250ce47cab59e4a360" FOREIGN KEY ("organizationId", "accountId") REFERENCES "bank_account"("organizationId","id")',
]

/** Bank accounts and their transactions; the pulls that run, at most eight, and those of the last day. */
export class Banking1764000000008 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const [definition, existing] of columns) {
      const [, name] = /^"(\w+)"/.exec(definition) ?? []
      await runner.query(`ALTER TABLE "integration" ADD ${definition}${existing ? ` DEFAULT ${existing}` : ''}`)
      if (existing) await runner.query(`ALTER TABLE "integration" ALTER COLUMN "${name}" DROP DEFAULT`)
    }

    await runner.query(
      `CREATE TABLE "bank_account" ("id" uuid NOT NULL, "createdAt" TIMESTAMP(3) WITH TIME ZONE NOT NULL, "updatedAt" TIMESTAMP(3) WITH TIME ZONE NOT NULL, "version" integer NOT NULL, "organizationId" uuid NOT NULL, "integrationId" uuid NOT NULL, "reference" text NOT NULL, "name" text NOT NULL, "iban" text, "currency" text, "balance" numeric(17,2), "availableBalance" numeric(17,2), CONSTRAINT "UQ_a407869d189f3e9830f419d72c8" UNIQUE ("organizationId", "id"), CONSTRAINT "PK_f3246deb6b79123482c6adb9745" PRIMARY KEY ("id"))`,
    )
    await runner.query(
      `CREATE TABLE "bank_transaction" ("id" uuid NOT NULL, "createdAt" TIMESTAMP(3) WITH TIME ZONE NOT NULL, "updatedAt" TIMESTAMP(3) WITH TIME ZONE NOT NULL, "version" integer NOT NULL, "organizationId" uuid NOT NULL, "accountId" uuid NOT NULL, "bookedOn" date, "transactionOn" date NOT NULL, "amount" numeric(17,2) NOT NULL, "currency" text, "party" text, "partyIban" text, "text" text, "kind" text, "status" text, CONSTRAINT "UQ_a4f87d17678778439a8800acc85" UNIQUE ("organizationId", "id"), CONSTRAINT "PK_729b2e0031227515d2ef6f14336" PRIMARY KEY ("id"))`,
    )
    for (const statement of [...indexes, ...references]) await runner.query(statement)
    await runner.query(`CREATE INDEX "integration:open" ON "integration" ("status")
      WHERE "status" IN ('pending', 'importing', 'revoking')`)
    for (const column of ['party', 'text'])
      await runner.query(
        `CREATE INDEX "bank_transaction.${column}" ON "bank_transaction" USING gin ("${column}" gin_trgm_ops)`,
      )
    await createCountTriggers(runner, 'bank_transaction')

    await runner.query(`CREATE TABLE "bank_slot" ("slot" smallint NOT NULL PRIMARY KEY, "integrationId" uuid UNIQUE,
      "until" TIMESTAMP(3) WITH TIME ZONE NOT NULL DEFAULT '-infinity')`)
    await runner.query(`INSERT INTO "bank_slot" ("slot") SELECT generate_series(1, 8)`)
    await runner.query(`CREATE TABLE "bank_import" ("account" text NOT NULL, "at" TIMESTAMP(3) WITH TIME ZONE NOT NULL,
      "pullId" uuid NOT NULL, "session" smallint NOT NULL, PRIMARY KEY ("account", "at", "pullId", "session"))`)
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of ['bank_import', 'bank_slot', 'bank_transaction', 'bank_account'])
      await runner.query(`DROP TABLE "${table}"`)
    await runner.query(`DELETE FROM "row_total" WHERE "relation" = 'bank_transaction'`)
    await runner.query('DROP INDEX "integration:open"')
    for (const [definition] of columns)
      await runner.query(`ALTER TABLE "integration" DROP COLUMN "${/^"(\w+)"/.exec(definition)?.[1]}"`)
  }
}
