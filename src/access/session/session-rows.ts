import type { Session } from '../../../entities/index.ts'
import { type Executor, statement } from '../../hydra/index.ts'

/** A session as it is read: the hash of its cookie stays in the table. */
export type SessionRow = Omit<Session, 'hash'>

/** A user, as tokens name it. */
export type Holder = Pick<Session, 'issuer' | 'subject'>

/** A deleted session. */
export type EndedSession = Pick<Session, 'id' | 'sealedTokens'>

const columns =
  '"id", "issuer", "subject", "sealedTokens", "tokenExpiresAt", "organization", "browser", "createdAt", "usedAt", "expiresAt"'

const insert = statement(
  'session:insert',
  `INSERT INTO "session" ("id", "hash", "issuer", "subject", "sealedTokens", "tokenExpiresAt", "browser", "createdAt", "usedAt",
     "expiresAt")
   VALUES (:id, :hash, :issuer, :subject, :sealedTokens, :tokenExpiresAt, :browser, now(), now(), :expiresAt)`,
)
const find = statement('session:find', `SELECT ${columns} FROM "session" WHERE "hash" = :hash AND "expiresAt" > now()`)
const touch = statement('session:touch', `UPDATE "session" SET "usedAt" = now() WHERE "id" = :id`)
const choose = statement('session:choose', `UPDATE "session" SET "organization" = :organization WHERE "id" = :id`)
const list = statement(
  'session:list',
  `SELECT ${columns} FROM "session" WHERE "issuer" = :issuer AND "subject" = :subject AND "expiresAt" > now()
   ORDER BY "usedAt" DESC, "id" LIMIT 100`,
)
const remove = statement('session:remove', `DELETE FROM "session" WHERE "hash" = :hash RETURNING "id", "sealedTokens"`)
const end = statement(
  'session:end',
  `DELETE FROM "session" WHERE "issuer" = :issuer AND "subject" = :subject AND "id" = coalesce(:id, "id")
   RETURNING "id", "sealedTokens"`,
)
const expire = statement('session:expire', `DELETE FROM "session" WHERE "expiresAt" <= now()`)

export type NewSession = Omit<Session, 'organization' | 'createdAt' | 'usedAt'>

export async function insertSession(executor: Executor, row: NewSession): Promise<void> {
  await insert(executor, { ...row })
}

/** The session of a cookie, unless it has expired. */
export async function findSession(executor: Executor, hash: Buffer): Promise<SessionRow | undefined> {
  return (await find(executor, { hash })).rows[0]
}

export async function touchSession(executor: Executor, id: string): Promise<void> {
  await touch(executor, { id })
}

export async function chooseOrganization(executor: Executor, id: string, organization: string): Promise<void> {
  await choose(executor, { id, organization })
}

/** The sessions of a user, the last used first. */
export async function listSessions(executor: Executor, { issuer, subject }: Holder): Promise<SessionRow[]> {
  return (await list(executor, { issuer, subject })).rows
}

/** Deletes the session of a cookie, and returns what it held. */
export async function removeSession(executor: Executor, hash: Buffer): Promise<EndedSession[]> {
  return (await remove(executor, { hash })).rows
}

/** Deletes one session of a user, or all of them without an id, and returns what they held. */
export async function removeSessionsOf(
  executor: Executor,
  { issuer, subject }: Holder,
  id?: string,
): Promise<EndedSession[]> {
  return (await end(executor, { issuer, subject, id: id ?? null })).rows
}

export async function deleteExpiredSessions(executor: Executor): Promise<void> {
  await expire(executor, {})
}
