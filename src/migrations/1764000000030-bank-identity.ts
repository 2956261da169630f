import type { MigrationInterface, QueryRunner } from 'typeorm'

/** Columns for omissions of imports, their starts, and the names that banks give their accounts; amounts with any decimals. */
export class BankIdentity1764000000030 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE "integration" ADD "skipped" integer`)
    await runner.query(`ALTER TABLE "integration" ADD "importedSince" date`)
    await runner.query(`ALTER TABLE "bank_account" ADD "bankName" text`)
    await runner.query(`ALTER TABLE "bank_account" ADD "closedOn" date`)
    await runner.query(`ALTER TABLE "bank_account" ALTER "balance" TYPE numeric`)
    await runner.query(`ALTER TABLE "bank_account" ALTER "availableBalance" TYPE numeric`)
    await runner.query(`ALTER TABLE "bank_transaction" ALTER "amount" TYPE numeric`)
    for (const statement of corrections) await runner.query(statement)
    await runner.query(`CREATE UNIQUE INDEX "bank_account.number" ON "bank_account"
      ("organizationId", "iban", coalesce("currency", '')) WHERE "iban" IS NOT NULL`)
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP INDEX "bank_account.number"`)
    await runner.query(`ALTER TABLE "bank_transaction" ALTER "amount" TYPE numeric(17, 2)`)
    await runner.query(`ALTER TABLE "bank_account" DROP "bankName"`)
    await runner.query(`ALTER TABLE "bank_account" DROP "closedOn"`)
    await runner.query(`ALTER TABLE "bank_account" ALTER "balance" TYPE numeric(17, 2)`)
    await runner.query(`ALTER TABLE "bank_account" ALTER "availableBalance" TYPE numeric(17, 2)`)
    await runner.query(`ALTER TABLE "integration" DROP "skipped"`)
    await runner.query(`ALTER TABLE "integration" DROP "importedSince"`)
  }
}

/** A Polish account number without its country code: 26 digits whose check digits are right (ISO 13616). */
const polish = (column: string) => `(CASE WHEN ${column} ~ '^[0-9]{26}$' THEN
  (substr(${column}, 3) || '2521' || substr(${column}, 1, 2))::numeric % 97 = 1 ELSE false END)`

const values = ['transactionOn', 'bookedOn', 'amount', 'currency', 'party', 'partyIban', 'text']
  .map((name) => `"${name}"`)
  .join()

const corrections = [
  // A line without a booking day and a status is pending.
  `UPDATE "bank_transaction" SET "status" = 'PENDING' WHERE "status" IS NULL AND "bookedOn" IS NULL`,
  // Currencies are written in upper case.
  `UPDATE "bank_transaction" SET "currency" = upper("currency") WHERE "currency" <> upper("currency")`,
  // Some currencies have no decimals (ISO 4217).
  `UPDATE "bank_transaction" SET "amount" = round("amount") WHERE "amount" = round("amount") AND "currency" IN
    ('BIF', 'CLP', 'DJF', 'GNF', 'ISK', 'JPY', 'KMF', 'KRW', 'PYG', 'RWF', 'UGX', 'UYI', 'VND', 'VUV', 'XAF', 'XOF', 'XPF')`,
  // A Polish number is one number with and without its country code.
  `UPDATE "bank_transaction" SET "partyIban" = 'PL' || "partyIban" WHERE ${polish('"partyIban"')}`,
  // One account by number and currency: the one of a living link that was imported last is kept.
  `CREATE TEMPORARY TABLE "same" ON COMMIT DROP AS SELECT * FROM (
    SELECT account."id", account."organizationId", first_value(account."id") OVER (
      PARTITION BY account."organizationId", CASE WHEN ${polish('"iban"')} THEN 'PL' || "iban" ELSE "iban" END, "currency"
      ORDER BY (link."status" IN ('revoking', 'revoked')), account."updatedAt" DESC, account."id") AS "kept"
    FROM "bank_account" account JOIN "integration" link ON link."id" = account."integrationId" WHERE "iban" IS NOT NULL) numbered
    WHERE "id" <> "kept"`,
  // Equal lines of one account are several, so each is paired with that of the same rank in the other account.
  `WITH "groups" AS (SELECT "id", "kept" FROM "same" UNION SELECT "kept", "kept" FROM "same"),
    "ranked" AS (SELECT line.*, "kept", row_number() OVER (PARTITION BY "accountId", ${values} ORDER BY line."id") AS "rank"
      FROM "bank_transaction" line JOIN "groups" ON "groups"."id" = "accountId"),
    "numbered" AS (SELECT "id", row_number() OVER (
      PARTITION BY "kept", "rank", ${values} ORDER BY "accountId" = "kept" DESC, "id") AS "number" FROM "ranked")
    DELETE FROM "bank_transaction" USING "numbered"
      WHERE "bank_transaction"."id" = "numbered"."id" AND "number" > 1`,
  `UPDATE "bank_transaction" SET "accountId" = "kept" FROM "same" WHERE "accountId" = "same"."id"`,
  `DELETE FROM "bank_account" USING "same" WHERE "bank_account"."id" = "same"."id"`,
  `UPDATE "bank_account" SET "iban" = 'PL' || "iban", "reference" = 'PL' || "reference" WHERE ${polish('"iban"')}`,
  // An account without a number was known by its name, which its owner may change: its key becomes its own id.
  `UPDATE "bank_account" SET "reference" = 'unnumbered ' || (CASE WHEN "reference" LIKE 'card %' THEN 'card ' ELSE 'account ' END) || "id"
    WHERE "iban" IS NULL AND "reference" IN (concat('name ', "name", ' ', "currency"), concat('card ', "name", ' ', "currency"))`,
]
