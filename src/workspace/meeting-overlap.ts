import type { EntityManager } from 'typeorm'
import type { Meeting } from '../../entities/index.ts'
import { type Executor, Problem, statement } from '../hydra/index.ts'
import { lockMeetingOverlap } from '../postgres/locks.ts'

/**
 * The value of "exclusive" for a written meeting, in the statement that inserts it. The function locks the setting "meetingOverlap"
 * for share until the transaction ends. If that rejects overlaps, it also locks the employee, and searches in the past.
 */
export const exclusive = '"meeting_exclusive"(:organizationId, :employeeId, :dateFrom, :dateTo, :id)'

const selectExclusive = statement('meeting:exclusive', `SELECT ${exclusive} AS "exclusive"`)

/** Sets "exclusive" of a meeting before an UPDATE, which cannot call the function where tables are distributed. */
export async function setExclusive(executor: Executor, meeting: Meeting): Promise<void> {
  const { rows } = await selectExclusive(executor, { ...meeting })
  meeting.exclusive = rows[0].exclusive
}

/** The limit of each statement that reads or marks all meetings of an organization. */
const statementTimeoutMs = 7500

/**
 * Marks the meetings of an organization for a new value of "meetingOverlap", which the same transaction writes. Meetings that have
 * ended do not prevent the change and are not marked, however many there are.
 * @throws Problem 409 where planned meetings overlap
 */
export async function switchMeetingOverlap(
  manager: EntityManager,
  organization: string,
  value: unknown,
): Promise<void> {
  await manager.query(`SET LOCAL statement_timeout = ${statementTimeoutMs}`)
  await lockMeetingOverlap(manager, organization)
  if (value !== 'reject') {
    await manager.query('UPDATE "meeting" SET "exclusive" = false WHERE "organizationId" = $1 AND "exclusive"', [
      organization,
    ])
    return
  }
  // The nodes of a cluster have clocks of their own, so both statements get the time of one.
  const [{ now }] = await manager.query('SELECT now()')
  const [{ count, example }] = await manager.query(countOverlapping, [organization, now])
  if (count > 0)
    throw new Problem(
      409,
      `Current or future meetings overlap others of the same employee: ${count}, such as /meetings/${example}. Move them first.`,
    )
  await manager.query(markPlanned, [organization, now])
}

const countOverlapping = `SELECT count(*)::int AS "count", min("id"::text) AS "example" FROM (
    SELECT "id", "dateFrom", max("dateTo") OVER (PARTITION BY "employeeId" ORDER BY "dateFrom", "id"
        ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS "busyUntil"
      FROM "meeting" WHERE "organizationId" = $1 AND "employeeId" IS NOT NULL AND "dateTo" > $2) AS "planned"
  WHERE "busyUntil" > "dateFrom"`

const markPlanned = `UPDATE "meeting" SET "exclusive" = true
  WHERE "organizationId" = $1 AND "employeeId" IS NOT NULL AND NOT "exclusive" AND "dateTo" > $2`
