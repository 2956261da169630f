import { OrganizationUserInvitation } from '../../entities/index.ts'
import { isTimeZone } from '../../entities/time-zones.ts'
import { type Executor, statement, TenantScope } from '../hydra/index.ts'
import { hashOf } from '../secrets/secret-hash.ts'

/** An invitation as the person with its token sees it. */
export interface OpenedInvitation
  extends Pick<OrganizationUserInvitation, 'organizationId' | 'email' | 'role' | 'status' | 'expiresAt'> {
  /** The names of the organization and the inviter. */
  organization: string
  inviter: string
  /** The time zone of the organization. */
  timezone: string
  /** Whether this user has accepted it. */
  isOwn: boolean
  /** Whether this user belongs to the organization. */
  isMember: boolean
}

const open = statement(
  'invitations:open',
  `SELECT i."organizationId", i."email", i."role", i."expiresAt", i."acceptedAt", i."revokedAt", o."name" AS "organization",
     u."name" AS "inviter", i."acceptedById" IS NOT DISTINCT FROM :user::uuid AND :user::uuid IS NOT NULL AS "isOwn",
     EXISTS (SELECT FROM "organization_user" m WHERE m."organizationId" = i."organizationId" AND m."userId" = :user::uuid)
       AS "isMember",
     (SELECT c."value" FROM "organization_config" c WHERE c."organizationId" = i."organizationId" AND c."key" = 'timezone')
       AS "timezone"
   FROM "organization_user_invitation" i
     JOIN "organization" o ON o."id" = i."organizationId"
     JOIN "user" u ON u."id" = i."invitedById"
   WHERE i."tokenHash" = :hash`,
  { tenants: TenantScope.every },
)

/**
 * The invitation of a token; undefined where the token belongs to none, for example because the invitation was sent again.
 * @param user the user that opens it, if it is known
 */
export async function openInvitation(
  executor: Executor,
  token: string,
  user: string | null,
): Promise<OpenedInvitation | undefined> {
  const [row] = (await open(executor, { hash: hashOf(token), user })).rows
  if (!row) return undefined
  const { organization, inviter, isOwn, isMember, ...columns } = row
  const timezone = isTimeZone(String(row.timezone)) ? String(row.timezone) : 'UTC'
  const { organizationId, email, role, status, expiresAt } = Object.assign(new OrganizationUserInvitation(), columns)
  return { organizationId, email, role, status, expiresAt, organization, inviter, timezone, isOwn, isMember }
}
