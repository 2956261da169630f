import { IsString, Length } from 'class-validator'
import { OrganizationUser, OrganizationUserInvitation, type User } from '../../entities/index.ts'
import { isMemberAddress } from '../../entities/user.ts'
import type { Callers } from '../access/callers.ts'
import { requireOpen } from '../access/lock-own-organization.ts'
import { record } from '../audit/audit-log.ts'
import { type Call, ConstraintViolation, copyEntity, type Operation, Problem, Unchanged } from '../hydra/index.ts'
import { hashOf } from '../invitations/invitation-token.ts'
import { withdrawMail } from '../mail/outbox.ts'
import { lockOrganization } from '../postgres/locks.ts'
import { actsFor, userOf } from './users.ts'

type Invitation = OrganizationUserInvitation

/** What the mail of an invitation brought. */
export class InvitationAcceptance {
  @IsString()
  @Length(1, 255)
  token: string
}

export const accept = (callers: Callers): Operation<Invitation> => ({
  name: 'accept',
  method: 'POST',
  path: '/accept',
  title: () => 'Makes the caller a member of the organization that its invitation is to',
  description:
    'For anybody who is signed in: the token is the proof, and no address is compared, as people sign in with others than ' +
    'they are mailed at. Whoever is new here becomes a user; a member stays in the role it has. A token that is mistyped, ' +
    'expired, replaced, revoked or used by somebody else is refused in one way, with 422, and so is one whose inviter may not ' +
    'give the role any more; who sends the one that it has ' +
    'joined by again gets the same answer with 200. A membership that is suspended stays so, and answers 409. A suspended organization takes no members (403), nor does a ' +
    'closed one (409). The ' +
    'invitation can be read later by admins alone; "GET /organizations" shows where one has come to belong.',
  expects: InvitationAcceptance,
  returns: 'item',
  sensitive: 'minute',
  statuses: [200, 201, 400, 403, 409, 413, 415, 422],
  link: { name: 'accept', when: ({ status }: Invitation) => status === 'pending' },
  async handle(call) {
    const { token } = await call.input(InvitationAcceptance)
    return call.transaction(async () => {
      const { invitation, organization } = await named(call, hashOf(token))
      const user = await userOf(call)
      call.caller = { ...call.caller, user: user.id }
      const member = await memberOf(call, invitation, user.id)
      call.answeredAs = { tenant: invitation.organizationId, role: member?.role ?? invitation.role }
      if (invitation.acceptedById === user.id && member) {
        await standAs(call, user.id, member)
        return new Unchanged(invitation)
      }
      if (invitation.status !== 'pending' || !(await isGrantable(call, invitation))) throw unusable()
      const { invited, own } = await taken(call, invitation, user)
      if (invited) throw unusable()
      if (own && !member)
        throw new Problem(
          409,
          `A member of the organization has your address, ${user.email}, already: sign in as that member.`,
        )
      requireOpen(organization)
      if (member?.status === 'suspended')
        throw new Problem(409, 'Your membership of that organization is suspended: ask an admin of it to lift that.')
      const accepted = copyEntity(invitation).accept(user.id)
      await call.save(invitation, accepted)
      await withdrawMail(call.manager, pathOf(invitation))
      const joined = member ?? (await join(call, invitation, user))
      await recordAcceptance(call, invitation, joined, member)
      await standAs(call, user.id, joined)
      call.after(() => callers.forget())
      return accepted
    })
  },
})

/** The answer is for what the caller is from now on: a member where its token acts for the organization, else a guest of it. */
async function standAs(call: Call, userId: string, { organizationId, role, status }: OrganizationUser): Promise<void> {
  const isMember = status === 'active' && (await actsFor(call, userId, organizationId))
  const standing = isMember ? { role, organization: organizationId } : { role: 'guest' as const, organization: null }
  call.caller = { ...call.caller, ...standing }
}

const pathOf = ({ id }: Invitation) => `/organization-user-invitations/${id}`

/** The invitation of a token; read once nobody else changes it, as it may have been accepted or sent anew meanwhile. */
async function named({ manager }: Call, tokenHash: Buffer) {
  const found = await manager.findOneBy(OrganizationUserInvitation, { tokenHash })
  if (!found) throw unusable()
  const organization = await lockOrganization(manager, found.organizationId)
  const invitation = await manager.findOneBy(OrganizationUserInvitation, { id: found.id, tokenHash })
  if (!invitation) throw unusable()
  return { invitation, organization }
}

function memberOf({ manager }: Call, { organizationId }: Invitation, userId: string): Promise<OrganizationUser | null> {
  return manager.findOneBy(OrganizationUser, { organizationId, userId })
}

/** Whether its inviter is still a member who may give the role: an invitation is worth no more than that. */
async function isGrantable(call: Call, invitation: Invitation): Promise<boolean> {
  const inviter = await memberOf(call, invitation, invitation.invitedById)
  return inviter?.grantableRoles.includes(invitation.role) ?? false
}

/** Whether other members have the address that was invited, or that of the user: an address belongs to one member. */
async function taken({ manager }: Call, { organizationId, email }: Invitation, user: User) {
  const [found]: [{ invited: boolean; own: boolean }] = await manager.query(
    `SELECT ${isMemberAddress('$2', '$1', '$4')} AS "invited", ${isMemberAddress('$3::text', '$1', '$4')} AS "own"`,
    [organizationId, email, user.email, user.id],
  )
  return found
}

function join(call: Call, { organizationId, name, role }: Invitation, user: User): Promise<OrganizationUser> {
  const member = { organizationId, userId: user.id, name: name ?? user.name, role }
  return call.insert(Object.assign(new OrganizationUser(), member))
}

function recordAcceptance(
  call: Call,
  invitation: Invitation,
  member: OrganizationUser,
  before: object | null,
): Promise<void> {
  const { organizationId, role } = invitation
  const joined: Record<string, [unknown, unknown]> = before
    ? {}
    : { organizationUser: [null, `/organization-users/${member.id}`], role: [null, role] }
  const changes = { status: ['pending', 'accepted'] as [string, string], ...joined }
  const { manager, caller } = call
  const by = { manager, tenant: organizationId, caller }
  return record({ by, action: 'organizationUserInvitation.accept', target: pathOf(invitation), changes })
}

/** One text for all reasons, so that tokens cannot be told apart by trying. */
function unusable(): ConstraintViolation {
  const message = 'token is not one that can be used: it may be mistyped, expired, replaced, revoked or used already.'
  return new ConstraintViolation([{ propertyPath: 'token', message, code: 'isUsable' }])
}
