import type { EntityManager } from 'typeorm'
import { type Employee, OrganizationUserInvitation } from '../../entities/index.ts'
import type { Writer } from '../audit/audit-log.ts'
import { eraseValues } from '../audit/erase-values.ts'
import { copyEntity } from '../hydra/index.ts'
import { invitationIri } from '../invitations/invitation-iri.ts'
import { revokeInvitation } from '../invitations/revoke.ts'
import { eraseAnswers } from '../webhooks/erase-answers.ts'
import { erasedColumns } from './personal-data.ts'

interface Invited {
  email: string | null
  /** The user who accepted; null for a person without an account. */
  userId: string | null
}

/** Erases the invitations of a person to an organization, and the mails to it. Open ones are revoked first. */
export async function eraseInvitations(by: Writer, { email, userId }: Invited): Promise<void> {
  const found = await by.manager
    .createQueryBuilder(OrganizationUserInvitation, 'sent')
    .where('sent.organizationId = :tenant', { tenant: by.tenant })
    .andWhere('(lower(sent.email) = lower(:email) OR sent.acceptedById = :userId)', { email, userId })
    .getMany()
  for (const invitation of found) {
    const closed = invitation.isOpen ? await revokeInvitation(by, invitation) : invitation
    await by.unitOfWork.save(closed, copyEntity(closed).erase())
    await eraseEvents(by, invitationIri(invitation), erasedColumns('organization_user_invitation', 'user'))
  }
  await deleteMails(by.manager, by.tenant, found.map(invitationIri), email)
}

/** The values that tell which user an employee is. The audit log must not lead from an id to a name. */
export const userOfEmployee = ['userId']

/** Erases values about an employee in the audit log: by default all about the person. */
export function eraseEmployeeEvents(
  by: Writer,
  { id }: Pick<Employee, 'id'>,
  names = [...erasedColumns('employee', 'employee'), ...userOfEmployee],
): Promise<void> {
  return eraseEvents(by, `/employees/${id}`, names)
}

async function eraseEvents(by: Writer, target: string, names: string[]): Promise<void> {
  await eraseValues(by, target, names)
  await eraseAnswers(by, target)
}

async function deleteMails(
  manager: EntityManager,
  tenant: string,
  about: string[],
  recipient: string | null,
): Promise<void> {
  await manager.query(
    `DELETE FROM "outgoing_mail" WHERE "organizationId" = $1 AND ("about" = ANY ($2) OR lower("recipient") = lower($3))`,
    [tenant, about, recipient],
  )
}
