import type { EntityManager } from 'typeorm'
import type { Integration } from '../../../entities/index.ts'

const dayMs = 24 * 60 * 60 * 1000

/** A session that the consent opened shows the last 90 days. The session of the sign-in shows up to 730. */
const [consentDays, signInDays] = [90, 730]

/** Banks book some lines late, so an import starts seven days before the last one. */
const overlapDays = 7

/** `isPending` in SQL, for a transaction with the alias `line`. */
const isPending = `(line."status" = 'PENDING' OR (line."bookedOn" IS NULL AND line."status" IS DISTINCT FROM 'DONE'))`

/** The first day whose lines are needed: the requested day, else shortly before the last import, else all. */
export function requestedSince({ since, lastPulledAt }: Integration): string {
  return since ?? (lastPulledAt ? daysAgo(overlapDays, lastPulledAt.getTime()) : daysAgo(signInDays))
}

/** The first day of an import: the needed day or the day of the oldest pending line, limited by the session. */
export async function importSince(manager: EntityManager, integration: Integration): Promise<string> {
  const floor = daysAgo(integration.sessions > 0 ? consentDays : signInDays)
  const [{ oldest }]: { oldest: string | null }[] = await manager.query(
    `SELECT min(line."transactionOn")::text AS "oldest" FROM "bank_account" account
      JOIN "bank_transaction" line ON line."organizationId" = account."organizationId" AND line."accountId" = account."id"
      WHERE account."organizationId" = $1 AND account."integrationId" = $2 AND account."closedOn" IS NULL
        AND line."transactionOn" >= $3 AND ${isPending}`,
    [integration.organizationId, integration.id, floor],
  )
  const wanted = requestedSince(integration)
  const since = oldest !== null && oldest < wanted ? oldest : wanted
  return integration.sessions > 0 && since < floor ? floor : since
}

function daysAgo(days: number, from = Date.now()): string {
  return new Date(from - days * dayMs).toISOString().slice(0, 10)
}
