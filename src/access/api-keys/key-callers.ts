import type { Request } from 'express'
import { createsKeysCondition } from '../../../entities/organization-user.ts'
import { type Caller, type Executor, FairPool, statement, TenantScope } from '../../hydra/index.ts'
import { hashOf } from '../../secrets/secret-hash.ts'
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

/** Stands for the issuer of a token wherever callers are counted or cached. No issuer has this name, because it is no URL. */
const issuer = 'api-key'

const cacheMs = 1000
const maxCachedKeys = 10_000

/** The one place in the queue for keys that this process has not seen before. Anyone can make such a key, so they share a limit. */
const unknownKeys = 'unknown API keys'

/**
 * A key works while its creator may create one: so it never has a right that its creator has lost. It stops while its organization
 * is to be deleted.
 */
const live = `"key"."revokedAt" IS NULL AND "key"."expiresAt" > now() AND NOT EXISTS (
    SELECT FROM "organization" WHERE "id" = "key"."organizationId" AND "deleteAt" IS NOT NULL) AND EXISTS (
    SELECT FROM "organization_user" "member" JOIN "user" ON "user"."id" = "member"."userId"
     WHERE "member"."organizationId" = "key"."organizationId" AND "member"."userId" = "key"."createdById"
       AND ${createsKeysCondition('member')} AND NOT "user"."operator")`

/** Whether the last use is to be noted: once a minute, so that a busy program does not write with each request. */
const isUseDue = `("lastUsedAt" IS NULL OR "lastUsedAt" < now() - interval '1 minute')`

/** Programs of all organizations are identified together, each by the hash of its secret. */
const keys = FairPool.keyed({
  name: 'callers:key',
  each: `SELECT "key"."id", "key"."organizationId" AS "organization", "key"."role", "key"."expiresAt", "organization"."status",
       ${isUseDue} AS "isUseDue"
     FROM (SELECT * FROM "api_key" WHERE "hash" = :hash OFFSET 0) "key"
       JOIN "organization" ON "organization"."id" = "key"."organizationId"
    WHERE ${live}`,
  types: { hash: 'bytea' },
  everyTenant: true,
})

const currentRole = statement(
  'callers:key-role',
  `SELECT "key"."role" FROM "api_key" "key" WHERE "key"."organizationId" = :organization AND "key"."id" = :id AND ${live}`,
)

const noteUse = statement(
  'api_key:use',
  `UPDATE "api_key" SET "lastUsedAt" = now() WHERE "organizationId" = :organization AND "id" = :id
     AND ${isUseDue}`,
)

interface KeyRow {
  id: string
  organization: string
  role: 'member' | 'admin'
  expiresAt: Date
  status: string
  isUseDue: boolean
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
  /** The organizations of keys that were accepted before. Their reads wait there, apart from those of unknown keys. */
  const organizations = new Map<string, string>()
  return {
    async of(secret, socket) {
      if (!isWellFormed(secret))
        throw unauthorized('The API key is mistyped or incomplete: its checksum does not match. Copy it again.')
      const digest = hashOf(secret).toString('hex')
      const found = known.get(digest)
      if (found && found.until > Date.now()) return found.identity
      // A key that is revoked during the query goes into the map that `forget` discards.
      const [memory, start] = [known, Date.now()]
      const executor = pool.of(organizations.get(digest) ?? unknownKeys, { socket })
      const [row] = (await keys.read(executor, [{ hash: `\\x${digest}` }])) as unknown as KeyRow[]
      if (!row) {
        organizations.delete(digest)
        throw unauthorized('The API key is unknown, revoked or expired, or its organization is closed: ask an admin.')
      }
      const { id, organization } = row
      if (organizations.size >= maxCachedKeys) organizations.clear()
      organizations.set(digest, organization)
      // The request does not wait for it. A failure is repaired by the next use.
      if (row.isUseDue)
        noteUse(pool.of(organization, undefined, TenantScope.of(organization)), { id, organization }).catch(() => {})
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
