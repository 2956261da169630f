import { type Organization, OrganizationUserInvitation } from '../../entities/index.ts'
import { lockOwnOrganization } from '../access/lock-own-organization.ts'
import { record } from '../audit/audit-log.ts'
import {
  type Call,
  copyEntity,
  createEntity,
  createOperation,
  type Operation,
  Problem,
  removeOperation,
} from '../hydra/index.ts'
import { newToken } from '../invitations/invitation-token.ts'
import { isMember, requireInvitable, requireSeat } from '../invitations/rules.ts'
import { invitationMail } from '../mail/invitation-mail.ts'
import { enqueueMail, withdrawMail } from '../mail/outbox.ts'
import { requireOwnerFor } from './organization-users.ts'

type Invitation = OrganizationUserInvitation

const pathOf = ({ id }: Invitation) => `/organization-user-invitations/${id}`

export const create: Operation<Invitation> = {
  ...createOperation<Invitation>({}),
  sensitive: 'minute',
  description:
    'A mail brings the token, which is shown nowhere else, to the address; it is good for seven days. The answer is the same ' +
    'whether anybody of that address is known here or not. Only an address that belongs to a member of this very ' +
    'organization already, or has a pending invitation to it, is refused with 422, which tells nothing that its admins ' +
    'could not list; an invitation that has expired is revoked for the new one. Only owners invite owners. An invitation ends with the ' +
    'right of its inviter: removing, suspending or demoting a member revokes what it may not give any more. Under a live ' +
    'subscription, 409 says that members and pending invitations take all of its seats.',
  async handle(call) {
    const { token, tokenHash } = newToken()
    const own = { organizationId: call.tenant }
    const blank = Object.assign(createEntity(OrganizationUserInvitation), own).renew(tokenHash, call.user)
    const invitation = await call.read(blank, false, (draft) => requireInvitable(draft, call))
    return call.transaction(async () => {
      const organization = await lockOwnOrganization(call)
      await retire(call, invitation.email)
      await call.insert(invitation)
      await requireSeat(call, organization)
      await send(call, invitation, organization, token)
      const { email, role } = invitation
      await record({
        by: call,
        action: 'organizationUserInvitation.create',
        target: pathOf(invitation),
        changes: { email: [null, email], role: [null, role] },
      })
      return invitation
    })
  },
}

export const resend: Operation<Invitation> = {
  name: 'resend',
  method: 'POST',
  path: '/:id/resend',
  title: () => 'Sends the invitation again, with a new token that is good for another seven days',
  description:
    'The old token opens nothing any more. The caller becomes its inviter: an invitation is worth what its inviter may give ' +
    'when it is accepted. Also for an invitation that has expired, if there is a seat for it; one that has ' +
    'been accepted or revoked answers 409. Only owners send an invitation to be an owner again.',
  returns: 'item',
  statuses: [201, 404, 409],
  sensitive: 'minute',
  link: { name: 'resend', when: ({ isOpen, role }: Invitation, by) => isOpen && (role !== 'owner' || by === 'owner') },
  async handle(call) {
    const invitation = await call.find()
    requireOwnerFor(invitation.role === 'owner', call.caller.role)
    if (!invitation.isOpen) throw new Problem(409, `It has been ${invitation.status}: make a new one.`)
    if (await isMember(call, invitation.email))
      throw new Problem(409, 'A member of the organization has its address by now: revoke the invitation.')
    const { token, tokenHash } = newToken()
    const renewed = copyEntity(invitation).renew(tokenHash, call.user)
    return call.transaction(async () => {
      const organization = await lockOwnOrganization(call)
      await call.save(invitation, renewed)
      if (invitation.status === 'expired') await requireSeat(call, organization)
      await withdrawMail(call.manager, pathOf(invitation))
      await send(call, renewed, organization, token)
      await record({
        by: call,
        action: 'organizationUserInvitation.resend',
        target: pathOf(invitation),
        changes: {
          expiresAt: [invitation.expiresAt, renewed.expiresAt],
          ...(invitation.invitedById !== call.user && { invitedById: [invitation.invitedById, call.user] }),
        },
      })
      return renewed
    })
  },
}

/** The row stays, so that it can be told what became of the invitation. */
export const revoke: Operation<Invitation> = {
  ...removeOperation<Invitation>(),
  title: () => 'Revokes the invitation, so that its token opens nothing any more',
  description: 'What has not been mailed yet is not mailed any more.',
  async handle(call) {
    const invitation = await call.find()
    call.match(invitation)
    if (invitation.acceptedAt) throw new Problem(409, 'It has been accepted: remove the member instead.')
    if (invitation.revokedAt) return undefined
    await call.transaction(() => takeBack(call, invitation))
    return undefined
  },
}

/** An invitation that has expired must not stand in the way of a new one to the same address. */
async function retire(call: Call, email: string): Promise<void> {
  const expired = await call.manager
    .createQueryBuilder(OrganizationUserInvitation, 'old')
    .where('old.organizationId = :organization AND lower(old.email) = lower(:email)', {
      organization: call.tenant,
      email,
    })
    .andWhere('old.acceptedAt IS NULL AND old.revokedAt IS NULL AND old.expiresAt <= :now', { now: new Date() })
    .getOne()
  if (expired) await takeBack(call, expired)
}

async function takeBack(call: Call, invitation: Invitation): Promise<void> {
  const revoked = copyEntity(invitation).revoke()
  await call.save(invitation, revoked)
  await withdrawMail(call.manager, pathOf(invitation))
  const status: [string, string] = [invitation.status, revoked.status]
  await record({
    by: call,
    action: 'organizationUserInvitation.revoke',
    target: pathOf(invitation),
    changes: { status },
  })
}

async function send(call: Call, invitation: Invitation, organization: Organization, token: string): Promise<void> {
  const { publicUrl } = call
  await enqueueMail(call.manager, await invitationMail(call.manager, invitation, organization, { token, publicUrl }))
}
