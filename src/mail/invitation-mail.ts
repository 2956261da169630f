import type { EntityManager } from 'typeorm'
import { type Organization, type OrganizationUserInvitation, User } from '../../entities/index.ts'
import { invitationIri, invitationPath } from '../invitations/invitation-iri.ts'
import { invitationText } from './invitation-text.ts'
import { organizationMail, plain } from './organization-mail.ts'
import type { MailDraft } from './outbox.ts'

/** The parts of the mail that the invitation's row does not hold. */
export interface InvitationLink {
  token: string
  /** The URL of this server. */
  publicUrl: string
  /** Whether this server has a page on which people accept invitations. */
  hasPage: boolean
}

/**
 * The mail of an invitation. It links to the page that accepts it, if there is one, and contains the token and the request that
 * accepts it.
 */
export async function invitationMail(
  manager: EntityManager,
  invitation: OrganizationUserInvitation,
  organization: Organization,
  { token, publicUrl, hasPage }: InvitationLink,
): Promise<MailDraft> {
  const { id, email, name, role, expiresAt, invitedById } = invitation
  const inviter = await manager.findOneByOrFail(User, { id: invitedById })
  const acceptUrl = `${publicUrl}/organization-user-invitations/accept`
  const pageUrl = hasPage ? `${publicUrl}${invitationPath}?token=${token}` : undefined
  const invited = { inviter: plain(inviter.name), name: plain(name ?? ''), role, token, acceptUrl, pageUrl, expiresAt }
  const mail = await organizationMail(manager, organization, (settings) => invitationText(settings, invited))
  return { ...mail, recipient: email, about: invitationIri({ id }) }
}
