import { IsString, Length } from 'class-validator'
import { type Organization, OrganizationUserInvitation } from '../../entities/index.ts'
import type { Callers } from '../access/callers.ts'
import { lockOwnOrganization } from '../access/lock-own-organization.ts'
import { ensureUser, requireOwnerFor } from '../access/membership.ts'
import { record } from '../audit/audit-log.ts'
import {
  type Call,
  copyEntity,
  createEntity,
  createOperation,
  type Operation,
  Problem,
  removeOperation,
  Unchanged,
} from '../hydra/index.ts'
import {
  acceptInvitation,
  findMember,
  lockInvitation,
  requireAcceptable,
  setCallerRole,
} from '../invitations/acceptance.ts'
import { invitationIri } from '../invitations/invitation-iri.ts'
import { newToken } from '../invitations/invitation-token.ts'
import { revokeExpired, revokeInvitation } from '../invitations/revoke.ts'
import { inviteeViolations, isMember, requireSeat } from '../invitations/rules.ts'
import { type InvitationLink, invitationMail } from '../mail/invitation-mail.ts'
import { enqueueMail, withdrawMail } from '../mail/outbox.ts'
import { hashOf } from '../secrets/secret-hash.ts'

type Invitation = OrganizationUserInvitation

/** The body of an acceptance: the token from the invitation's mail. */
export class InvitationAcceptance {
  @IsString()
  @Length(1, 255)
  token: string
}

/** @param hasPage whether the mail links to a page on which the person accepts */
export const create = (hasPage: boolean): Operation<Invitation> => ({
  ...createOperation<Invitation>({}),
  title: () => 'Invite a person',
  sets: ['expiresAt', 'invitedById'],
  sensitive: 'minute',
  description:
    'A mail brings the token to the address; no response contains it. The token is valid for seven days. The response is the ' +
    'same for addresses that this service knows and for those that it does not. 422 refuses the address of a member of the ' +
    'organization and of a pending invitation to it. An expired invitation to the address is revoked. Only owners invite ' +
    'owners. When a member is removed, suspended or demoted, the invitations that the member may no longer grant are ' +
    'revoked. 409 says that members and pending invitations take all seats of the live subscription.',
  async handle(call) {
    const { token, tokenHash } = newToken()
    const own = { organizationId: call.tenant }
    const blank = Object.assign(createEntity(OrganizationUserInvitation), own).renew(tokenHash, call.user)
    const invitation = await call.read(blank, false, (draft) => inviteeViolations(draft, call))
    return call.unitOfWork.transaction(async () => {
      const organization = await lockOwnOrganization(call)
      await revokeExpired(call, invitation.email)
      await call.unitOfWork.insert(invitation)
      await requireSeat(call, organization)
      await sendInvitation(call, invitation, organization, { token, hasPage })
      const { email, role } = invitation
      await record({
        by: call,
        action: 'organizationUserInvitation.create',
        target: invitationIri(invitation),
        changes: { email: [null, email], role: [null, role] },
      })
      return invitation
    })
  },
})

/** @param hasPage whether the mail links to a page on which the person accepts */
export const resend = (hasPage: boolean): Operation<Invitation> => ({
  name: 'resend',
  method: 'POST',
  path: '/:id/resend',
  title: () => 'Resend an invitation',
  description:
    'The mail brings a new token, which is valid for seven days; the old token stops working. The caller becomes the inviter, ' +
    'and an invitation is worth what its inviter may grant when it is accepted. An expired invitation can be resent while a ' +
    'seat is free. 409 refuses an invitation that is accepted or revoked. Only owners resend an invitation to be an owner.',
  returns: 'item',
  statuses: [201, 404, 409],
  sensitive: 'minute',
  link: { name: 'resend', when: ({ isOpen, role }: Invitation, by) => isOpen && (role !== 'owner' || by === 'owner') },
  async handle(call) {
    const invitation = await call.find()
    requireOwnerFor(invitation.role === 'owner', call.caller.role)
    if (!invitation.isOpen)
      throw new Problem(409, `The invitation is ${invitation.status} and cannot be resent: create a new one.`)
    if (await isMember(call, invitation.email))
      throw new Problem(409, 'A member of the organization now has this address: revoke the invitation.')
    const { token, tokenHash } = newToken()
    const renewed = copyEntity(invitation).renew(tokenHash, call.user)
    return call.unitOfWork.transaction(async () => {
      const organization = await lockOwnOrganization(call)
      await call.unitOfWork.save(invitation, renewed)
      if (invitation.status === 'expired') await requireSeat(call, organization)
      await withdrawMail(call.manager, invitationIri(invitation))
      await sendInvitation(call, renewed, organization, { token, hasPage })
      await record({
        by: call,
        action: 'organizationUserInvitation.resend',
        target: invitationIri(invitation),
        changes: {
          expiresAt: [invitation.expiresAt, renewed.expiresAt],
          ...(invitation.invitedById !== call.user && { invitedById: [invitation.invitedById, call.user] }),
        },
      })
      return renewed
    })
  },
})

export const revoke: Operation<Invitation> = {
  ...removeOperation<Invitation>(),
  title: () => 'Revoke an invitation',
  consequence: 'destroys',
  description:
    'Its token stops working, and a mail that is not sent yet is withdrawn. Repeating the request changes nothing.',
  async handle(call) {
    const invitation = await call.find()
    call.request.checkPreconditions(invitation)
    if (invitation.acceptedAt) throw new Problem(409, 'The invitation is accepted: remove the member instead.')
    if (invitation.revokedAt) return undefined
    await call.unitOfWork.transaction(() => revokeInvitation(call, invitation))
    return undefined
  },
}

export const accept = (callers: Callers): Operation<Invitation> => ({
  name: 'accept',
  method: 'POST',
  path: '/accept',
  title: () => 'Accept an invitation',
  description:
    'Any signed-in person may accept: the token is the proof. The address of the invitation is not compared with the ' +
    "caller's, because people sign in with other addresses. A person who is new here becomes a user; a member keeps its role. " +
    '422 refuses a token that is mistyped, expired, replaced, revoked or used by another person, all with one message. The ' +
    'same 422 refuses an invitation whose inviter may no longer grant the role. The person who has accepted gets the same ' +
    'response again with 200. 409 refuses a suspended membership and a closed organization, 403 a suspended organization. ' +
    'Only admins can read the invitation later; "GET /organizations" lists the organizations of the caller.',
  expects: InvitationAcceptance,
  returns: 'item',
  enters: true,
  sensitive: 'minute',
  statuses: [200, 201, 400, 403, 409, 413, 415, 422],
  link: { name: 'accept', when: ({ status }: Invitation) => status === 'pending' },
  async handle(call) {
    const { token } = await call.input(InvitationAcceptance)
    return call.unitOfWork.transaction(async () => {
      const found = await lockInvitation(call, hashOf(token))
      const { invitation } = found
      const user = await ensureUser(call)
      call.caller = { ...call.caller, user: user.id }
      const member = await findMember(call, invitation, user.id)
      call.request.answeredAs = { tenant: invitation.organizationId, role: member?.role ?? invitation.role }
      if (invitation.acceptedById === user.id && member) {
        await setCallerRole(call, user.id, member)
        return new Unchanged(invitation)
      }
      await requireAcceptable(call, found, user, member)
      const { accepted, membership } = await acceptInvitation(call, invitation, user, member)
      await setCallerRole(call, user.id, membership)
      call.unitOfWork.after(() => callers.forget())
      return accepted
    })
  },
})

async function sendInvitation(
  call: Call,
  invitation: Invitation,
  organization: Organization,
  link: Omit<InvitationLink, 'publicUrl'>,
): Promise<void> {
  const { publicUrl } = call.request
  await enqueueMail(call.manager, await invitationMail(call.manager, invitation, organization, { ...link, publicUrl }))
}
