import type { EntityManager } from 'typeorm'
import type { Integration } from '../../../entities/index.ts'

const day = 24 * 60 * 60 * 1000

/** How many days back an import goes: a session by consent sees no more, the first has all there is to see. */
const [reused, first] = [90, 730]

/** Days that an import goes back before the last one, for what banks book late. */
const overlap = 7

/** The SQL of `isPending`, for a transaction called `line`. */
const isPending = `(line."status" = 'PENDING' OR (line."bookedOn" IS NULL AND line."status" IS DISTINCT FROM 'DONE'))`

/** The day since when lines are needed: as asked, else shortly before the last import, and all for the first. */
export function requestedSince({ since, lastPulledAt }: Integration): string {
  return since ?? (lastPulledAt ? ago(overlap, lastPulledAt.getTime()) : ago(first))
}

/** The day that an import starts from: the wanted one or that of the oldest pending line, as far as the session sees. */
export async function importSince(manager: EntityManager, link: Integration): Promise<string> {
  const floor = ago(link.sessions > 0 ? reused : first)
  const [{ oldest }]: { oldest: string | null }[] = await manager.query(
    `SELECT min(line."transactionOn")::text AS "oldest" FROM "bank_account" account
      JOIN "bank_transaction" line ON line."organizationId" = account."organizationId" AND line."accountId" = account."id"
      WHERE account."organizationId" = $1 AND account."integrationId" = $2 AND account."closedOn" IS NULL
        AND line."transactionOn" >= $3 AND ${isPending}`,
    [link.organizationId, link.id, floor],
  )
  const wanted = requestedSince(link)
  const since = oldest !== null && oldest < wanted ? oldest : wanted
  return link.sessions > 0 && since < floor ? floor : since
}

function ago(days: number, from = Date.now()): string {
  return new Date(from - days * day).toISOString().slice(0, 10)
}
