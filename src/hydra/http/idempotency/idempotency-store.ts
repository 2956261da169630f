import type { Executor } from '../../model/store.ts'
import { statement } from '../../store/statement.ts'

/** A caller's claim on an Idempotency-Key, with the request that it was sent with. */
export type IdempotencyClaim = {
  caller: string
  key: string
  /** The id that calls to an external service are made under. */
  claim: string
  fingerprint: string
  tenant: string | null
}

/** A claim without a response after this time belongs to a process that has died. */
export const claimTimeoutSeconds = 60

const sameKey = '"caller" = :caller AND "key" = :key'
const unanswered = `${sameKey} AND "claim" = :claim AND "answer" IS NULL`
const expired = `"idempotency_key"."createdAt" < now() - interval '24 hours'`

/**
 * Claims a key, after waiting for the transaction that holds it. Returns no row when the key is taken.
 * A claim that is more than a day old is replaced.
 */
export const insert = statement(
  'claims:take',
  `INSERT INTO "idempotency_key" ("caller", "key", "claim", "fingerprint", "tenant", "createdAt", "claimedAt")
    VALUES (:caller, :key, :claim, :fingerprint, :tenant, now(), now())
    ON CONFLICT ("caller", "key") DO UPDATE SET "claim" = EXCLUDED."claim", "fingerprint" = EXCLUDED."fingerprint",
      "tenant" = EXCLUDED."tenant", "createdAt" = now(), "claimedAt" = now(), "answer" = NULL
    WHERE ${expired} RETURNING "claim"`,
)

/** The claim of a key, and its response if there is one. */
export const find = statement(
  'claims:find',
  `SELECT "claim", "fingerprint", "tenant", "answer" FROM "idempotency_key" WHERE ${sameKey}`,
)

/** Renews a claim that has timed out without a response; no row before the timeout. */
export const resume = statement(
  'claims:resume',
  `UPDATE "idempotency_key" SET "claimedAt" = now() WHERE ${sameKey} AND "answer" IS NULL
    AND "claimedAt" < now() - interval '${claimTimeoutSeconds} seconds' RETURNING "claim"`,
)

/** Stores the response of a claim. */
export const complete = statement(
  'claims:answer',
  `UPDATE "idempotency_key" SET "answer" = :answer WHERE ${unanswered}`,
)

/** Lets a repetition resume at once under the same id: the outcome of a call to an external service is unknown. */
export const release = statement(
  'claims:release',
  `UPDATE "idempotency_key" SET "claimedAt" = '-infinity' WHERE ${unanswered}`,
)

/** Deletes a claim, so that its key can be used again. */
export const remove = statement('claims:free', `DELETE FROM "idempotency_key" WHERE ${unanswered}`)

const batchSize = 5000

const deleteExpired = statement(
  'claims:expire',
  `DELETE FROM "idempotency_key" WHERE ("caller", "key") IN
    (SELECT "caller", "key" FROM "idempotency_key" WHERE ${expired} LIMIT ${batchSize} FOR UPDATE SKIP LOCKED)`,
)

/** Deletes expired claims, in batches that hold no lock for long. */
export async function deleteExpiredKeys(executor: Executor): Promise<void> {
  while ((await deleteExpired(executor, {})).rowCount === batchSize);
}
