import { hash } from 'node:crypto'
import type { Request } from 'express'
import type { DataSource } from 'typeorm'
import { membershipOrder } from '../../entities/user.ts'
import { type Call, type Caller, type Executor, FairPool, statement, TenantScope, tenantOf } from '../hydra/index.ts'
import { keyCallers, roleOfKey } from './api-keys/key-callers.ts'
import { isApiKey } from './api-keys/secret.ts'
import { type BearerToken, bearerToken, tokenVerifier, unauthorized } from './bearer-token.ts'
import { applyProfile, isOutdatedBy, type Profile } from './profile-claims.ts'
import { readOnlyReasons } from './read-only-reasons.ts'
import { type Role, roles } from './roles.ts'
import type { Issuer } from './token-issuer-keys.ts'

/** A caller and the claims of its token. For a program, they describe its API key. */
export interface Identity extends Caller {
  readonly bearer?: BearerToken
}

/** Identifies callers. Memberships and API keys are cached for a second at most. */
export interface Callers {
  /** The caller of a request's bearer token, or of its API key. */
  of(request: Pick<Request, 'headers'> & Partial<Pick<Request, 'socket'>>): Promise<Identity>
  /**
   * The caller of a token.
   * @param organization acts as the claim does, for a token without that claim
   */
  ofToken(token: string, organization?: string, socket?: Request['socket']): Promise<Identity>
  /** @throws Problem 401 where the token is not accepted */
  verify(token: string): Promise<BearerToken>
  /** Clears the cache after a change of memberships or API keys. */
  forget(): void
}

const anonymous: Identity = { role: 'anonymous', user: null, tenant: null }
const withoutToken = Promise.resolve(anonymous)

/** The caller of an Authorization header, whose token is verified again only after a while. */
interface Recent {
  identity: Promise<Identity>
  until: number
  /** The time at which the keys were loaded that the token was verified with. */
  loadedAt: number
}

const maxRecentHeaders = 1000
const cacheMs = 1000
const maxCachedCallers = 10_000

/** Callers of all tenants are identified together: the key is the identity in the token. */
const memberships = FairPool.keyed({
  name: 'callers',
  each: `SELECT u."id" AS "user", u."name", u."email", u."claimsAt", u."operator", m."organizationId" AS "organization", m."role", o."status"
     FROM "user" u LEFT JOIN "organization_user" m ON m."userId" = u."id" AND m."status" = 'active'
       LEFT JOIN "organization" o ON o."id" = m."organizationId"
    WHERE u."issuer" = :issuer AND u."subject" = :subject
    ORDER BY ${membershipOrder('m', 'u')}
    LIMIT 1000`,
  types: { issuer: 'text', subject: 'text' },
  everyTenant: true,
})

interface Membership extends Profile {
  user: string
  operator: boolean
  organization: string | null
  role: Role | null
  status: string | null
}

const currentRole = statement(
  'callers:role',
  `SELECT u."operator", m."role" FROM "user" u
     LEFT JOIN "organization_user" m ON m."userId" = u."id" AND m."organizationId" = :organization AND m."status" = 'active'
    WHERE u."issuer" = :issuer AND u."subject" = :subject`,
)

type AnsweredAs = NonNullable<Call['request']['answeredAs']>

/** Whether a caller still has a role, or a higher role in the same organization. Reads the database, not the cache. */
export async function stillHasRight(
  executor: Executor,
  { bearer, program }: Caller,
  right: AnsweredAs,
): Promise<boolean> {
  // Responses that version 0.2 kept name the tenant `organization`; they are a day old at most.
  const { role, tenant = (right as { organization?: string | null }).organization ?? null } = right
  if (role !== 'operator' && tenant === null) return true
  if (program !== undefined) return isAtLeast(await roleOfKey(executor, program, tenant), role)
  const { issuer, subject } = bearer ?? {}
  // The caller may act for another tenant by now.
  const ofRight = TenantScope.of(tenant).limit(executor)
  const [found] = (await currentRole(ofRight, { issuer, subject, organization: tenant })).rows
  if (role === 'operator') return found?.operator === true
  return isAtLeast(found?.role, role)
}

function isAtLeast(present: string | undefined, needed: string): boolean {
  return roles.indexOf((present ?? 'anonymous') as Role) >= roles.indexOf(needed as Role)
}

export function callers(database: DataSource, pool: FairPool, issuer: Issuer): Callers {
  const [verifyToken, keys] = [tokenVerifier(issuer), keyCallers(pool)]
  let known = new Map<BearerToken, { identity: Identity; until: number }>()
  let recent = new Map<string, Recent>()
  const choices = new WeakMap<BearerToken, BearerToken>()

  const identify = async (bearer: BearerToken, socket?: Request['socket']): Promise<Identity> => {
    const found = known.get(bearer)
    if (found && found.until > Date.now()) return found.identity
    // If memberships change during the query, the result may be outdated: it goes into the map that `forget` discards.
    const [memory, until] = [known, Date.now() + cacheMs]
    const tenant = tenantOf({ ...anonymous, bearer })
    const { issuer, subject } = bearer
    const executor = pool.of(tenant, { socket })
    const rows = (await memberships.read(executor, [{ issuer, subject }])) as unknown as Membership[]
    // A failure does not concern this request; the next one tries again.
    if (rows.length > 0 && isOutdatedBy(bearer, rows[0]))
      await applyProfile(pool.within(database, tenant, TenantScope.every), bearer).catch(() => {})
    const identity = { ...callerOf(bearer, rows), bearer }
    if (memory.size >= maxCachedCallers) memory.clear()
    memory.set(bearer, { identity, until })
    return identity
  }

  /** The same object for the same choice, because callers are cached by it. */
  const chosen = (bearer: BearerToken, tenant: string): BearerToken => {
    const last = choices.get(bearer)
    if (last?.tenant === tenant) return last
    const next = { ...bearer, tenant }
    choices.set(bearer, next)
    return next
  }

  const verify: Callers['verify'] = async (token) => {
    if (isApiKey(token))
      throw unauthorized('An API key is for programs, and signs no person in: send a token of a person.')
    return verifyToken(token)
  }

  const identifyHeader = async (authorization: string, socket: Request['socket'] | undefined): Promise<Identity> => {
    const token = bearerToken(authorization) as string
    if (isApiKey(token)) return keys.of(token, socket)
    const memory = recent
    const bearer = await verifyToken(token)
    const loadedAt = issuer.keys.loadedAt
    const identity = await identify(bearer, socket)
    const until = Math.min(known.get(bearer)?.until ?? 0, bearer.expiresAt * 1000)
    if (memory.size >= maxRecentHeaders) memory.clear()
    memory.set(digestOf(authorization), { identity: Promise.resolve(identity), until, loadedAt })
    return identity
  }

  return {
    verify,
    of({ headers: { authorization }, socket }) {
      if (authorization === undefined) return withoutToken
      const found = recent.get(digestOf(authorization))
      const { fresh, loadedAt } = issuer.keys
      const isCurrent = found && fresh && found.loadedAt === loadedAt && found.until > Date.now()
      return isCurrent ? found.identity : identifyHeader(authorization, socket)
    },
    async ofToken(token, organization, socket) {
      const bearer = await verify(token)
      return identify(organization === undefined || bearer.tenant ? bearer : chosen(bearer, organization), socket)
    },
    forget() {
      known = new Map()
      recent = new Map()
      keys.forget()
    },
  }
}

/** Memory keeps no token, so that a copy of it opens nothing. */
function digestOf(authorization: string): string {
  return hash('sha256', authorization, 'base64')
}

/** The current organization is the token's claim, else the user's default; never a header that a client may choose. */
function callerOf({ tenant: claimed }: BearerToken, rows: Membership[]): Caller {
  const user = rows[0]?.user ?? null
  if (rows[0]?.operator) return { role: 'operator', user, tenant: null }
  const joined = rows.filter(({ organization }) => organization !== null)
  const guest = (reason: string): Caller => ({ role: 'guest', user, tenant: null, reason })
  if (joined.length === 0)
    return guest('You belong to no organization yet: create one with POST /organizations, or accept an invitation.')
  const current = claimed ? joined.find(({ organization }) => organization === claimed) : joined[0]
  if (!current) return guest('The claim "organization" of your token must name an organization that you belong to.')
  const reason = readOnlyReasons[current.status ?? '']
  return {
    role: current.role as Role,
    user,
    tenant: current.organization,
    ...(reason && { readOnlyReason: reason }),
  }
}
