import { createHash } from 'node:crypto'
import { type EntityManager, In } from 'typeorm'
import { BankAccount, type Integration } from '../../../entities/index.ts'

/** Banks allow four imports of one account in 24 hours, counted over all tenants. */
const maxImports = 4
const dayMs = 24 * 60 * 60 * 1000

/** When the next import is allowed; null where it is allowed now. */
export async function nextImportAt(manager: EntityManager, integration: Integration): Promise<Date | null> {
  const rows: { account: string; at: Date }[] = await manager.query(
    `SELECT "account", "at" FROM "bank_import"
      WHERE "account" = ANY($1) AND "at" > now() - interval '24 hours' ORDER BY "at" DESC`,
    [await accountsOf(manager, integration)],
  )
  const byAccount = new Map<string, Date[]>()
  for (const { account, at } of rows) byAccount.set(account, [...(byAccount.get(account) ?? []), at])
  const free = [...byAccount.values()].flatMap((times) => times[maxImports - 1]?.getTime() ?? [])
  return free.length > 0 ? new Date(Math.max(...free) + dayMs) : null
}

/** Counts an import before the request: after a lost response it is unknown whether the bank has counted. */
export async function countImport(manager: EntityManager, integration: Integration, session: number): Promise<void> {
  await manager.query(
    `INSERT INTO "bank_import" ("account", "at", "pullId", "session") SELECT unnest($1::text[]), now(), $2, $3`,
    [await accountsOf(manager, integration), integration.pullId, session],
  )
}

/** Removes a count after Kontomatik has confirmed that it did nothing. */
export async function uncountImport(manager: EntityManager, { pullId }: Integration, session: number): Promise<void> {
  await manager.query(`DELETE FROM "bank_import" WHERE "pullId" = $1 AND "session" = $2`, [pullId, session])
}

/** Counts the last import for accounts that it found: new ones, and accounts that another integration imports, too. */
export async function countSharedImport(
  manager: EntityManager,
  integration: Integration,
  imported: { id: string }[],
): Promise<void> {
  const { organizationId } = integration
  const found = await manager.findBy(BankAccount, { organizationId, id: In(imported.map(({ id }) => id)) })
  const [own, ...accounts] = countKeys(integration, found)
  await manager.query(
    `INSERT INTO "bank_import" ("account", "at", "pullId", "session")
      SELECT unnest($2::text[]), "at", "pullId", "session" FROM
        (SELECT * FROM "bank_import" WHERE "account" = $1 ORDER BY "at" DESC LIMIT 1) AS "last"
      ON CONFLICT DO NOTHING`,
    [own, accounts],
  )
}

export async function deleteOldImportCounts(manager: EntityManager): Promise<void> {
  await manager.query(`DELETE FROM "bank_import" WHERE "at" < now() - interval '2 days'`)
}

/** The count keys of this integration, and of accounts of other integrations that its last imports contained. */
async function accountsOf(manager: EntityManager, { id, organizationId }: Integration): Promise<string[]> {
  const accounts = await manager.find(BankAccount, {
    select: { iban: true },
    where: { organizationId, integrationId: id },
  })
  const own = countKeys({ id }, accounts)
  const shared: { account: string }[] = await manager.query(
    `SELECT "account" FROM "bank_import" WHERE "pullId" IN (SELECT "pullId" FROM "bank_import" WHERE "account" = $1)`,
    [own[0]],
  )
  return [...new Set([...own, ...shared.map(({ account }) => account)])]
}

/** Imports are counted by integration and by digests of the account numbers, which are the same for all tenants. */
function countKeys({ id }: { id: string }, accounts: Pick<BankAccount, 'iban'>[]): string[] {
  const numbers = new Set(accounts.flatMap(({ iban }) => iban ?? []))
  return [`link ${id}`, ...[...numbers].map((iban) => createHash('sha256').update(iban).digest('base64url'))]
}
