import type { Executor } from '../model/store.ts'
import { statement } from '../store/statement.ts'

/** A POST with an Idempotency-Key, as it can be told from others. */
export type IdempotencyClaim = {
  caller: string
  key: string
  /** What calls to the outside are made under. */
  claim: string
  fingerprint: string
  tenant: string | null
}

/** After how many seconds without an answer whoever worked on it must have died. */
export const claimTimeoutSeconds = 60

const mine = '"caller" = :caller AND "key" = :key'
const open = `${mine} AND "claim" = :claim AND "answer" IS NULL`
const old = `"idempotency_key"."createdAt" < now() - interval '24 hours'`

/** Puts a claim down, once whoever holds its key is done; no row when it is taken. What is over a day old is taken over. */
export const take = statement(
  'claims:take',
  `INSERT INTO "idempotency_key" ("caller", "key", "claim", "fingerprint", "tenant", "createdAt", "claimedAt")
    VALUES (:caller, :key, :claim, :fingerprint, :tenant, now(), now())
    ON CONFLICT ("caller", "key") DO UPDATE SET "claim" = EXCLUDED."claim", "fingerprint" = EXCLUDED."fingerprint",
      "tenant" = EXCLUDED."tenant", "createdAt" = now(), "claimedAt" = now(), "answer" = NULL
    WHERE ${old} RETURNING "claim"`,
)

/** What stands under a key, and what it was answered, if it was. */
export const find = statement(
  'claims:find',
  `SELECT "claim", "fingerprint", "tenant", "answer" FROM "idempotency_key" WHERE ${mine}`,
)

/** Takes up what somebody has begun and not answered in time; no row while they may still do so. */
export const resume = statement(
  'claims:resume',
  `UPDATE "idempotency_key" SET "claimedAt" = now() WHERE ${mine} AND "answer" IS NULL
    AND "claimedAt" < now() - interval '${claimTimeoutSeconds} seconds' RETURNING "claim"`,
)

export const answer = statement('claims:answer', `UPDATE "idempotency_key" SET "answer" = :answer WHERE ${open}`)

/** Lets it be resumed at once, under the same id: nobody knows what became of a call to the outside. */
export const release = statement(
  'claims:release',
  `UPDATE "idempotency_key" SET "claimedAt" = '-infinity' WHERE ${open}`,
)

/** Gives the key back, as if it had never been used. */
export const free = statement('claims:free', `DELETE FROM "idempotency_key" WHERE ${open}`)

const bite = 5000

const removeOld = statement(
  'claims:expire',
  `DELETE FROM "idempotency_key" WHERE ("caller", "key") IN
    (SELECT "caller", "key" FROM "idempotency_key" WHERE ${old} LIMIT ${bite} FOR UPDATE SKIP LOCKED)`,
)

/** Removes what nobody can repeat any more, in bites that hold nobody up. */
export async function deleteExpiredKeys(executor: Executor): Promise<void> {
  while ((await removeOld(executor, {})).rowCount === bite);
}
