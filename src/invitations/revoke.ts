import { OrganizationUserInvitation } from '../../entities/index.ts'
import { record, type Writer } from '../audit/audit-log.ts'
import { copyEntity, writeRows } from '../hydra/index.ts'
import { withdrawMail } from '../mail/outbox.ts'
import { invitationIri } from './invitation-iri.ts'

/** Revokes an invitation and withdraws its mail. The row stays, so that admins can read its status. */
export async function revokeInvitation(
  by: Writer,
  invitation: OrganizationUserInvitation,
): Promise<OrganizationUserInvitation> {
  const revoked = copyEntity(invitation).revoke()
  await by.unitOfWork.save(invitation, revoked)
  await withdrawMail(by.manager, invitationIri(invitation))
  await recordRevocation(by, [invitation], invitation.status)
  return revoked
}

/** Revokes an expired invitation to an address: the unique index allows one open invitation for each address. */
export async function revokeExpired(by: Writer, email: string): Promise<void> {
  const expired = await by.manager
    .createQueryBuilder(OrganizationUserInvitation, 'old')
    .where('old.organizationId = :organization AND lower(old.email) = lower(:email)', {
      organization: by.tenant,
      email,
    })
    .andWhere('old.acceptedAt IS NULL AND old.revokedAt IS NULL AND old.expiresAt <= :now', { now: new Date() })
    .getOne()
  if (expired) await revokeInvitation(by, expired)
}

/**
 * Revokes the pending invitations that a user may no longer grant, after a removal, suspension or demotion. Withdraws their mails.
 * @param grantableRoles the roles that the user may still grant
 */
export async function revokeUngrantable(
  by: Writer,
  userId: string,
  grantableRoles: readonly OrganizationUserInvitation['role'][],
): Promise<void> {
  const now = new Date()
  const revoked: { id: string }[] = await by.manager.query(
    `SELECT "id" FROM "organization_user_invitation"
      WHERE "organizationId" = $1 AND "invitedById" = $2 AND "acceptedAt" IS NULL AND "revokedAt" IS NULL
        AND "expiresAt" > $3 AND "role" <> ALL($4) FOR UPDATE`,
    [by.tenant, userId, now, grantableRoles],
  )
  if (revoked.length === 0) return
  await writeRows(
    by.manager,
    OrganizationUserInvitation,
    `UPDATE "organization_user_invitation" SET "revokedAt" = :now, "updatedAt" = :now, "version" = "version" + 1
      WHERE "organizationId" = :tenant AND "id" = ANY(:ids)`,
    { tenant: by.tenant, now, ids: revoked.map(({ id }) => id) },
  )
  await withdrawMail(by.manager, ...revoked.map(invitationIri))
  await recordRevocation(by, revoked, 'pending')
}

function recordRevocation(by: Writer, invitations: { id: string }[], statusBefore: string): Promise<void> {
  return record({
    by,
    action: 'organizationUserInvitation.revoke',
    target: invitations.map(invitationIri),
    changes: { status: [statusBefore, 'revoked'] },
  })
}
