import type { EntityManager } from 'typeorm'
import { v7 as uuid } from 'uuid'
import { masked } from '../../entities/bank-account.ts'
import type { Integration } from '../../entities/index.ts'
import type { Statement } from './statement.ts'
import type { Transaction } from './transaction.ts'

/** An account of ours, and what the bank told of it. */
export interface Imported {
  id: string
  /** Whether there may be more. */
  partial: boolean
  transactions: Transaction[]
}

interface Told extends Omit<Imported, 'id'> {
  reference: string
  name: string
  iban: string | null
  currency: string | null
  balance: string | null
  availableBalance: string | null
}

/** Writes what the bank tells of its accounts over what was known of them; cards are accounts without a number. */
export async function storeAccounts(
  manager: EntityManager,
  link: Integration,
  statement: Statement,
): Promise<Imported[]> {
  const { id: integrationId, organizationId } = link
  const all = joined(told(statement))
  await adopt(
    manager,
    link,
    all.map(({ reference }) => reference),
  )
  const imported: Imported[] = []
  for (const { reference, name, iban, currency, balance, availableBalance, ...rest } of all) {
    const [{ id }] = await manager.query(
      `INSERT INTO "bank_account" ("id", "organizationId", "integrationId", "reference", "name", "iban", "currency", "balance",
          "availableBalance", "createdAt", "updatedAt", "version")
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, now(), now(), 1)
        ON CONFLICT ("integrationId", "reference") DO UPDATE SET "name" = EXCLUDED."name", "balance" = EXCLUDED."balance",
          "availableBalance" = EXCLUDED."availableBalance", "updatedAt" = now(), "version" = "bank_account"."version" + 1
        RETURNING "id"`,
      [uuid(), organizationId, integrationId, reference, name, iban, currency, balance, availableBalance],
    )
    imported.push({ id, ...rest })
  }
  return imported
}

/** The same account through a link that has ended becomes this link's, so that its transactions do not come twice. */
async function adopt(
  manager: EntityManager,
  { id, organizationId, target }: Integration,
  references: string[],
): Promise<void> {
  await manager.query(
    `UPDATE "bank_account" SET "integrationId" = $2, "updatedAt" = now(), "version" = "version" + 1 WHERE "id" IN
      (SELECT DISTINCT ON (former."reference") former."id" FROM "bank_account" former
        JOIN "integration" link ON link."id" = former."integrationId" AND link."status" IN ('revoking', 'revoked')
        WHERE former."organizationId" = $1 AND former."reference" = ANY($3) AND (former."iban" IS NOT NULL OR link."target" = $4)
          AND NOT EXISTS (SELECT FROM "bank_account" own WHERE own."integrationId" = $2 AND own."reference" = former."reference")
        ORDER BY former."reference", former."updatedAt" DESC)`,
    [organizationId, id, references, target],
  )
}

function told({ accounts, cards }: Statement): Told[] {
  return [
    ...accounts.map(({ dropped: _, ...account }) => {
      const name = account.name ?? (account.iban ? masked(account.iban) : 'Account')
      return { ...account, name, reference: [account.iban ?? `name ${name}`, account.currency].join(' ') }
    }),
    ...cards.map(({ name, cardId, number, currency, balance, partial, transactions }) => {
      const called = [name ?? 'Card', number && `•••• ${number}`].filter(Boolean).join(' ')
      const reference = ['card', cardId ?? called, currency].join(' ')
      return { iban: null, name: called, currency, balance, availableBalance: null, partial, transactions, reference }
    }),
  ]
}

/** What is told of one account in two places is of one account all the same. */
function joined(all: Told[]): Told[] {
  const byReference = new Map<string, Told>()
  for (const one of all) {
    const known = byReference.get(one.reference)
    const both = known && {
      partial: known.partial || one.partial,
      transactions: [...known.transactions, ...one.transactions],
    }
    byReference.set(one.reference, { ...one, ...both })
  }
  return [...byReference.values()]
}
