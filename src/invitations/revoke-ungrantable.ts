import type { OrganizationUserInvitation } from '../../entities/index.ts'
import { record } from '../audit/audit-log.ts'
import type { Call } from '../hydra/index.ts'
import { withdrawMail } from '../mail/outbox.ts'

/**
 * Revokes the pending invitations that a user has given and may not give any more: a removal, a suspension or a demotion ends
 * what the user gave out. Their mails are withdrawn.
 * @param grants the roles that the user may still give
 */
export async function revokeUngrantable(
  call: Call,
  user: string,
  grants: readonly OrganizationUserInvitation['role'][],
): Promise<void> {
  const [revoked]: [{ id: string }[], number] = await call.manager.query(
    `UPDATE "organization_user_invitation" SET "revokedAt" = $3, "updatedAt" = $3, "version" = "version" + 1
      WHERE "organizationId" = $1 AND "invitedById" = $2 AND "acceptedAt" IS NULL AND "revokedAt" IS NULL
        AND "expiresAt" > $3 AND "role" <> ALL($4) RETURNING "id"`,
    [call.tenant, user, new Date(), grants],
  )
  if (revoked.length === 0) return
  const iris = revoked.map(({ id }) => `/organization-user-invitations/${id}`)
  await withdrawMail(call.manager, ...iris)
  await record({
    by: call,
    action: 'organizationUserInvitation.revoke',
    target: iris,
    changes: { status: ['pending', 'revoked'] },
  })
}
