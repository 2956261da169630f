import type { EntityManager } from 'typeorm'
import { v7 as uuid } from 'uuid'
import { BankAccount, BankTransaction, type Integration } from '../../../entities/index.ts'
import { writeRows } from '../../hydra/index.ts'
import type { Statement } from '../kontomatik/bank-statement.ts'
import { isNear, type KnownAccount, type KnownLine, matchAccounts } from './account-matching.ts'
import { accountsIn, type ListedAccount } from './listed-account.ts'

/** A stored account with the lines that the bank lists for it. */
export interface ImportedAccount extends Pick<ListedAccount, 'isPartial' | 'skipped' | 'transactions' | 'currency'> {
  id: string
}

interface Stored extends KnownAccount {
  integrationId: string
  reference: string
  iban: string | null
}

/**
 * Stores the accounts that the bank lists, and closes stored accounts that it no longer lists. An account that another
 * integration imports, too, stays with that integration.
 * @param since the first day that the import covers
 */
export async function storeAccounts(
  manager: EntityManager,
  integration: Integration,
  statement: Statement,
  since: string,
): Promise<ImportedAccount[]> {
  const listed = accountsIn(statement)
  const stored = await storedAccounts(manager, integration)
  await addLines(manager, integration, since, listed, stored)
  const matches = matchAccounts(listed, stored)
  const rows = listed.map((one) => rowOf(integration, one, matches.get(one)))
  await writeRows(
    manager,
    BankAccount,
    `INSERT INTO "bank_account" ("id", "organizationId", "integrationId", "reference", "name", "bankName", "iban", "currency",
        "balance", "availableBalance", "createdAt", "updatedAt", "version")
      SELECT "id", :organizationId::uuid, "integrationId", "reference", "name", "bankName", "iban", "currency", "balance", "availableBalance", now(),
        now(), 1
      FROM jsonb_to_recordset(:rows::jsonb) AS "row" ("id" uuid, "integrationId" uuid, "reference" text, "name" text,
        "bankName" text, "iban" text, "currency" text, "balance" numeric, "availableBalance" numeric)
      ON CONFLICT ("organizationId", "id") DO UPDATE SET "integrationId" = EXCLUDED."integrationId", "reference" = EXCLUDED."reference",
        "name" = EXCLUDED."name", "bankName" = EXCLUDED."bankName", "iban" = EXCLUDED."iban", "currency" = EXCLUDED."currency",
        "balance" = EXCLUDED."balance", "availableBalance" = EXCLUDED."availableBalance", "closedOn" = NULL, "updatedAt" = EXCLUDED."updatedAt",
        "version" = "bank_account"."version" + 1`,
    { organizationId: integration.organizationId, rows: JSON.stringify(rows) },
  )
  const ids = rows.map(({ id }) => id)
  await fillCurrencies(
    manager,
    integration,
    rows.filter((row, index) => row.currency && matches.get(listed[index])?.currency === null),
  )
  await closeMissing(manager, integration, statement, ids)
  return listed.map(({ isPartial, skipped, transactions }, index) => ({
    id: rows[index].id,
    currency: rows[index].currency,
    isPartial,
    skipped,
    transactions,
  }))
}

/** Candidates, locked: the accounts of this integration and of others with the same bank, and all that have a number. */
async function storedAccounts(manager: EntityManager, { id, organizationId, target }: Integration): Promise<Stored[]> {
  const rows: Omit<Stored, 'key' | 'lines'>[] = await manager.query(
    `SELECT * FROM (
      SELECT account."id", "integrationId", "reference", account."name", "bankName", "iban", "currency", "balance"::text,
        "closedOn" IS NOT NULL AS "isClosed", "reference" ~ '^(unnumbered )?card ' AS "isCard", "integrationId" = $2 AS "isOwn",
        "integrationId" <> $2 AND link."status" IN ('pending', 'active', 'importing') AS "isElsewhere",
        coalesce("integrationId" = $2 OR link."target" = $3, false) AS "isSameBank"
      FROM "bank_account" account
        JOIN "integration" link ON link."organizationId" = account."organizationId" AND link."id" = "integrationId"
      WHERE account."organizationId" = $1 FOR UPDATE OF account) found
      WHERE "isSameBank" OR "iban" IS NOT NULL ORDER BY "isOwn" DESC, "isClosed", "id"`,
    [organizationId, id, target],
  )
  return rows.map((row) => ({ ...row, key: keyOf(row), lines: [] }))
}

function keyOf({ reference, iban, currency, isCard }: Omit<Stored, 'key' | 'lines'>): string | null {
  if (reference.startsWith('unnumbered ')) return null
  return isCard ? reference.slice('card '.length, -` ${currency ?? ''}`.length) : iban
}

/** Lines are read only where an account without a key must be identified by them. */
async function addLines(
  manager: EntityManager,
  { organizationId }: Integration,
  since: string,
  listed: ListedAccount[],
  stored: Stored[],
): Promise<void> {
  const near = new Map(stored.filter(isNear).map((one) => [one.id, one]))
  if (listed.every(({ key }) => key) && [...near.values()].every(({ key }) => key)) return
  const lines: (KnownLine & { accountId: string })[] = await manager.query(
    `SELECT "accountId", "transactionOn"::text, "bookedOn"::text, "amount"::text, "party", "text" AS "title"
      FROM "bank_transaction" WHERE "organizationId" = $1 AND "accountId" = ANY($2) AND "transactionOn" >= $3`,
    [organizationId, [...near.keys()], since],
  )
  for (const line of lines) near.get(line.accountId)?.lines.push(line)
}

function rowOf({ id: integrationId }: Integration, listed: ListedAccount, known: Stored | undefined) {
  const { isCard, key, name, bankName, balance, availableBalance } = listed
  const id = known?.id ?? uuid()
  const currency = listed.currency ?? known?.currency ?? null
  const iban = longer(listed.iban, known?.iban ?? null)
  const cardReference = isCard && key && `card ${key} ${currency ?? ''}`
  const reference = iban ? `${iban} ${currency ?? ''}` : cardReference
  return {
    id,
    integrationId: known?.isElsewhere ? known.integrationId : integrationId,
    reference: reference || known?.reference || `unnumbered ${isCard ? 'card' : 'account'} ${id}`,
    ...{ name, bankName: bankName ?? '', iban, currency, balance, availableBalance },
  }
}

/** An IBAN is longer than the national number. */
function longer(one: string | null, other: string | null): string | null {
  return (one?.length ?? 0) >= (other?.length ?? 0) ? one : other
}

/** Lines have the currency of their account unless they name another. */
async function fillCurrencies(
  manager: EntityManager,
  integration: Integration,
  accounts: { id: string }[],
): Promise<void> {
  if (accounts.length === 0) return
  await writeRows(
    manager,
    BankTransaction,
    `UPDATE "bank_transaction" line SET "currency" = account."currency", "updatedAt" = now(), "version" = line."version" + 1
      FROM "bank_account" account WHERE line."organizationId" = :organizationId AND account."organizationId" = :organizationId
        AND line."accountId" = account."id" AND account."id" = ANY(:ids) AND line."currency" IS NULL`,
    { organizationId: integration.organizationId, ids: accounts.map(({ id }) => id) },
  )
}

/** A closed account is missing from the bank's list. A missing list closes none. */
async function closeMissing(
  manager: EntityManager,
  integration: Integration,
  { lists }: Statement,
  openIds: string[],
): Promise<void> {
  await writeRows(
    manager,
    BankAccount,
    `UPDATE "bank_account" SET "closedOn" = (now() AT TIME ZONE 'UTC')::date, "updatedAt" = now(), "version" = "version" + 1
      WHERE "organizationId" = :organizationId AND "integrationId" = :id AND "closedOn" IS NULL AND "id" <> ALL(:openIds)
        AND (CASE WHEN "reference" ~ '^(unnumbered )?card ' THEN :cards::boolean ELSE :accounts::boolean END)`,
    { organizationId: integration.organizationId, id: integration.id, openIds, ...lists },
  )
}
