import { hash } from 'node:crypto'
import type { Request } from 'express'
import { type Caller, type Executor, FairPool, statement } from '../../hydra/index.ts'
import { type BearerToken, unauthorized } from '../bearer-token.ts'
import { readOnlyReasons } from '../read-only-reasons.ts'
import { isWellFormed } from './secret.ts'

/** A program: its key stands for the claims of a token. */
interface Program extends Caller {
  readonly bearer: BearerToken
}

/** Identifies the callers of API keys. A key is cached for a second at most. */
export interface KeyCallers {
  /** @throws Problem 401 where the key is mistyped, unknown, revoked or expired */
  of(secret: string, socket?: Request['socket']): Promise<Program>
  /** Clears the cache after a key is revoked, or a membership changes. */
  forget(): void
}

/** Stands for the issuer of a token in everything that counts or remembers callers. No issuer has it: it is no URL. */
const issuer = 'api-key'

const cacheMs = 1000
const maxCachedKeys = 10_000

/** A key works while its creator may create one: so it never has a right that its creator has lost. */
const live = `"key"."revokedAt" IS NULL AND "key"."expiresAt" > now() AND EXISTS (
    SELECT FROM "organization_user" "member" JOIN "user" ON "user"."id" = "member"."userId"
     WHERE "member"."organizationId" = "key"."organizationId" AND "member"."userId" = "key"."createdById"
       AND "member"."status" = 'active' AND "member"."role" IN ('admin', 'owner') AND NOT "user"."operator")`

/** The key of a caller is the hash of its secret. */
const keys = FairPool.keyed({
  name: 'callers:key',
  each: `SELECT "key"."id", "key"."organizationId" AS "organization", "key"."role", "key"."expiresAt", "organization"."status",
       "key"."lastUsedAt" IS NULL OR "key"."lastUsedAt" < now() - interval '1 minute' AS "isUnnoted"
     FROM "api_key" "key" JOIN "organization" ON "organization"."id" = "key"."organizationId"
    WHERE "key"."hash" = decode(:hash, 'hex') AND ${live}`,
  types: { hash: 'text' },
})

const currentRole = statement(
  'callers:key-role',
  `SELECT "key"."role" FROM "api_key" "key" WHERE "key"."organizationId" = :organization AND "key"."id" = :id AND ${live}`,
)

const noteUse = statement(
  'api_key:use',
  `UPDATE "api_key" SET "lastUsedAt" = now() WHERE "organizationId" = :organization AND "id" = :id
     AND ("lastUsedAt" IS NULL OR "lastUsedAt" < now() - interval '1 minute')`,
)

interface KeyRow {
  id: string
  organization: string
  role: 'member' | 'admin'
  expiresAt: Date
  status: string
  /** Whether its last use is not noted yet within this minute. */
  isUnnoted: boolean
}

/** The role of a program now, from the database; undefined where its key has ended. */
export async function roleOfKey(
  executor: Executor,
  id: string,
  organization: string | null,
): Promise<string | undefined> {
  return (await currentRole(executor, { id, organization })).rows[0]?.role
}

export function keyCallers(pool: FairPool): KeyCallers {
  let known = new Map<string, { identity: Program; until: number }>()
  return {
    async of(secret, socket) {
      if (!isWellFormed(secret))
        throw unauthorized('The API key is mistyped or incomplete: its checksum does not match. Copy it again.')
      const digest = hash('sha256', secret, 'hex')
      const found = known.get(digest)
      if (found && found.until > Date.now()) return found.identity
      // A key that is revoked during the query goes into the map that `forget` discards.
      const [memory, start] = [known, Date.now()]
      const executor = pool.of(`api-key ${digest}`, { socket })
      const [row] = (await keys.read(executor, [{ hash: digest }])) as unknown as KeyRow[]
      if (!row) throw unauthorized('The API key is unknown, revoked or expired: ask an admin for another.')
      // The request does not wait for it. A failure is repaired by the next use.
      if (row.isUnnoted) noteUse(executor, { id: row.id, organization: row.organization }).catch(() => {})
      const identity = callerOf(row)
      if (memory.size >= maxCachedKeys) memory.clear()
      memory.set(digest, { identity, until: Math.min(start + cacheMs, row.expiresAt.getTime()) })
      return identity
    },
    forget() {
      known = new Map()
    },
  }
}

function callerOf({ id, organization: tenant, role, expiresAt, status }: KeyRow): Program {
  const readOnlyReason = readOnlyReasons[status]
  const [name, email, issuedAt] = [undefined, undefined, undefined]
  return {
    role,
    tenant,
    user: null,
    program: id,
    reason: 'An API key may not do this, because it acts for an organization and for no person: sign in instead.',
    ...(readOnlyReason && { readOnlyReason }),
    bearer: { issuer, subject: id, tenant, name, email, issuedAt, expiresAt: expiresAt.getTime() / 1000 },
  }
}
