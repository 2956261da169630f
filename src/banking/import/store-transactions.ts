import type { EntityManager } from 'typeorm'
import { v7 as uuid } from 'uuid'
import { BankTransaction, type Integration } from '../../../entities/index.ts'
import { writeRows } from '../../hydra/index.ts'
import { diffTransactions, type Entry, earliest } from './deduplicate.ts'
import type { ImportedAccount } from './store-accounts.ts'

/** A transaction with the id of its stored account. */
type Line = Entry & { accountId: string; kind: string | null }

/**
 * Inserts new lines, updates lines that the bank has changed, and deletes pending lines that it no longer lists.
 * @param since the first day that the import covers
 */
export async function storeTransactions(
  manager: EntityManager,
  integration: Integration,
  accounts: ImportedAccount[],
  since: string,
): Promise<{ imported: number; duplicates: number }> {
  const lines = accounts.flatMap(({ id, currency, transactions }) =>
    transactions.map(
      (transaction): Line => ({ ...transaction, currency: transaction.currency ?? currency, iban: id, accountId: id }),
    ),
  )
  const first = [since, earliest(lines) ?? since].sort()[0]
  const stored = await storedSince(manager, integration, accounts, first)
  const complete = new Set(accounts.flatMap(({ id, isPartial }) => (isPartial ? [] : id)))
  const covered = ({ accountId, transactionOn, bookedOn }: Line) =>
    complete.has(accountId) && transactionOn >= since && (bookedOn ?? since) >= since
  const { inserts, updates, lapsed } = diffTransactions(lines, stored, covered)
  await insertLines(manager, integration, inserts)
  await updateLines(
    manager,
    integration,
    updates.map(({ stored, imported }) => ({ ...imported, id: stored.id })),
  )
  await writeRows(
    manager,
    BankTransaction,
    `DELETE FROM "bank_transaction" WHERE "organizationId" = :organizationId AND "id" = ANY(:ids)`,
    { organizationId: integration.organizationId, ids: lapsed.map(({ id }) => id) },
  )
  return { imported: inserts.length, duplicates: lines.length - inserts.length }
}

function storedSince(
  manager: EntityManager,
  { organizationId }: Integration,
  accounts: ImportedAccount[],
  first: string,
): Promise<(Line & { id: string })[]> {
  return manager.query(
    `SELECT "id", "accountId", "accountId" AS "iban", "transactionOn"::text, "bookedOn"::text, "amount"::text, "currency",
        "party", "partyIban", "text" AS "title", "kind", "status"
      FROM "bank_transaction" WHERE "organizationId" = $1 AND "accountId" = ANY($2) AND "transactionOn" >= $3 ORDER BY "id"`,
    [organizationId, accounts.map(({ id }) => id), first],
  )
}

/** The number of rows in one statement. */
const batchSize = 2000

async function insertLines(manager: EntityManager, { organizationId }: Integration, lines: Line[]): Promise<void> {
  for (const rows of batches(lines))
    await writeRows(
      manager,
      BankTransaction,
      `INSERT INTO "bank_transaction" ("id", "organizationId", "accountId", "transactionOn", "bookedOn", "amount", "currency",
          "party", "partyIban", "text", "kind", "status", "createdAt", "updatedAt", "version")
        SELECT "id", :organizationId::uuid, "accountId", "transactionOn", "bookedOn", "amount", "currency", "party", "partyIban", "title", "kind",
          "status", now(), now(), 1
        FROM jsonb_to_recordset(:lines::jsonb) AS "line" (${columns})`,
      { organizationId, lines: JSON.stringify(rows.map((line) => ({ ...line, id: uuid() }))) },
    )
}

async function updateLines(
  manager: EntityManager,
  { organizationId }: Integration,
  lines: (Line & { id: string })[],
): Promise<void> {
  for (const rows of batches(lines))
    await writeRows(
      manager,
      BankTransaction,
      `UPDATE "bank_transaction" SET "transactionOn" = "line"."transactionOn", "bookedOn" = "line"."bookedOn",
          "amount" = "line"."amount", "party" = "line"."party", "partyIban" = "line"."partyIban", "text" = "line"."title",
          "kind" = "line"."kind", "status" = "line"."status", "updatedAt" = now(), "version" = "version" + 1
        FROM jsonb_to_recordset(:lines::jsonb) AS "line" (${columns})
        WHERE "bank_transaction"."organizationId" = :organizationId AND "bank_transaction"."id" = "line"."id"`,
      { organizationId, lines: JSON.stringify(rows) },
    )
}

const columns = `"id" uuid, "accountId" uuid, "transactionOn" date, "bookedOn" date, "amount" numeric, "currency" text,
  "party" text, "partyIban" text, "title" text, "kind" text, "status" text`

function batches<T>(all: T[]): T[][] {
  return Array.from({ length: Math.ceil(all.length / batchSize) }, (_, index) =>
    all.slice(index * batchSize, (index + 1) * batchSize),
  )
}
