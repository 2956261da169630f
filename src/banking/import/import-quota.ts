import { createHash } from 'node:crypto'
import { type EntityManager, In } from 'typeorm'
import { BankAccount, type Integration } from '../../../entities/index.ts'

/** So many imports of one bank account are allowed in a day, whoever has them made. */
const allowed = 4
const day = 24 * 60 * 60 * 1000

/** When the next import may be asked for; null when at once. */
export async function nextImportAt(manager: EntityManager, link: Integration): Promise<Date | null> {
  const rows: { account: string; at: Date }[] = await manager.query(
    `SELECT "account", "at" FROM "bank_import"
      WHERE "account" = ANY($1) AND "at" > now() - interval '24 hours' ORDER BY "at" DESC`,
    [await accountsOf(manager, link)],
  )
  const byAccount = new Map<string, Date[]>()
  for (const { account, at } of rows) byAccount.set(account, [...(byAccount.get(account) ?? []), at])
  const free = [...byAccount.values()].flatMap((times) => times[allowed - 1]?.getTime() ?? [])
  return free.length > 0 ? new Date(Math.max(...free) + day) : null
}

/** Counts an import before it is asked for, as nobody can tell afterwards whether a lost question was counted. */
export async function countImport(manager: EntityManager, link: Integration, session: number): Promise<void> {
  await manager.query(
    `INSERT INTO "bank_import" ("account", "at", "pullId", "session") SELECT unnest($1::text[]), now(), $2, $3`,
    [await accountsOf(manager, link), link.pullId, session],
  )
}

/** Takes a count back: Kontomatik has said that nothing was done. */
export async function uncountImport(manager: EntityManager, { pullId }: Integration, session: number): Promise<void> {
  await manager.query(`DELETE FROM "bank_import" WHERE "pullId" = $1 AND "session" = $2`, [pullId, session])
}

/** Counts the last import for the accounts that turned out to be in it: new ones, and those that another link imports too. */
export async function countSharedImport(
  manager: EntityManager,
  link: Integration,
  imported: { id: string }[],
): Promise<void> {
  const { organizationId } = link
  const found = await manager.findBy(BankAccount, { organizationId, id: In(imported.map(({ id }) => id)) })
  const [own, ...accounts] = countedUnder(link, found)
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

/** Also the accounts of other links that the last imports of this one have brought. */
async function accountsOf(manager: EntityManager, { id, organizationId }: Integration): Promise<string[]> {
  const accounts = await manager.find(BankAccount, {
    select: { iban: true },
    where: { organizationId, integrationId: id },
  })
  const own = countedUnder({ id }, accounts)
  const shared: { account: string }[] = await manager.query(
    `SELECT "account" FROM "bank_import" WHERE "pullId" IN (SELECT "pullId" FROM "bank_import" WHERE "account" = $1)`,
    [own[0]],
  )
  return [...new Set([...own, ...shared.map(({ account }) => account)])]
}

/** The keys that imports are counted under: the link, and digests of its accounts' numbers, the same for all tenants. */
function countedUnder({ id }: { id: string }, accounts: Pick<BankAccount, 'iban'>[]): string[] {
  const numbers = new Set(accounts.flatMap(({ iban }) => iban ?? []))
  return [`link ${id}`, ...[...numbers].map((iban) => createHash('sha256').update(iban).digest('base64url'))]
}
