import { type Organization, OrganizationUser, OrganizationUserInvitation, type User } from '../../entities/index.ts'
import { isMemberAddress } from '../../entities/user.ts'
import { requireOpen } from '../access/lock-own-organization.ts'
import { tokenActsFor } from '../access/membership.ts'
import { record } from '../audit/audit-log.ts'
import { tellCustomer } from '../billing/enqueue-customer-profile.ts'
import { type Call, ConstraintViolation, copyEntity, Problem, TenantScope } from '../hydra/index.ts'
import { withdrawMail } from '../mail/outbox.ts'
import { lockOrganization } from '../postgres/locks.ts'
import { invitationIri } from './invitation-iri.ts'

type Invitation = OrganizationUserInvitation

/**
 * The invitation of a token and its organization, which is locked to the end of the transaction. A concurrent request may accept
 * or resend the invitation before the lock is held, so the invitation is read again under the lock.
 * @throws ConstraintViolation when no invitation has the token
 */
export async function lockInvitation({ manager, unitOfWork }: Call, tokenHash: Buffer) {
  const found = await TenantScope.every.run(manager, (everywhere) =>
    everywhere.findOneBy(OrganizationUserInvitation, { tokenHash }),
  )
  if (!found) throw unusableToken()
  unitOfWork.admit(found.organizationId)
  const organization = await lockOrganization(manager, found.organizationId)
  const invitation = await manager.findOneBy(OrganizationUserInvitation, {
    organizationId: found.organizationId,
    id: found.id,
    tokenHash,
  })
  if (!invitation) throw unusableToken()
  return { invitation, organization }
}

export function findMember(
  { manager }: Call,
  { organizationId }: Invitation,
  userId: string,
): Promise<OrganizationUser | null> {
  return manager.findOneBy(OrganizationUser, { organizationId, userId })
}

/**
 * @param member the membership that the user has already, if any
 * @throws ConstraintViolation when the token cannot be used by this user
 * @throws Problem 403 or 409 when the token is good and the organization or the membership does not allow it
 */
export async function requireAcceptable(
  call: Call,
  { invitation, organization }: { invitation: Invitation; organization: Organization },
  user: User,
  member: OrganizationUser | null,
): Promise<void> {
  if (invitation.status !== 'pending' || !(await isGrantable(call, invitation))) throw unusableToken()
  const taken = await addressesOfOtherMembers(call, invitation, user)
  if (taken.invited) throw unusableToken()
  if (taken.own && !member)
    throw new Problem(409, `Another member of the organization has your address ${user.email}: sign in as that member.`)
  requireOpen(organization)
  if (member?.status === 'suspended')
    throw new Problem(409, 'Your membership of that organization is suspended: ask one of its admins to reactivate it.')
}

/** Marks an invitation accepted, withdraws its mail and adds the membership, unless the user is a member already. */
export async function acceptInvitation(
  call: Call,
  invitation: Invitation,
  user: User,
  member: OrganizationUser | null,
): Promise<{ accepted: Invitation; membership: OrganizationUser }> {
  const accepted = copyEntity(invitation).accept(user.id)
  await call.unitOfWork.save(invitation, accepted)
  await withdrawMail(call.manager, invitationIri(invitation))
  const membership = member ?? (await insertMember(call, invitation, user))
  await recordAcceptance(call, invitation, membership, member !== null)
  return { accepted, membership }
}

/** Makes the caller a member if its token acts for the organization, else a guest. The response is written for that role. */
export async function setCallerRole(
  call: Call,
  userId: string,
  { organizationId, role, status }: OrganizationUser,
): Promise<void> {
  const isMember = status === 'active' && (await tokenActsFor(call, userId, organizationId))
  const membership = isMember ? { role, tenant: organizationId } : { role: 'guest' as const, tenant: null }
  call.caller = { ...call.caller, ...membership }
}

/** An invitation is worth no more than its inviter may grant: the inviter must still be a member who may grant the role. */
async function isGrantable(call: Call, invitation: Invitation): Promise<boolean> {
  const inviter = await findMember(call, invitation, invitation.invitedById)
  return inviter?.grantableRoles.includes(invitation.role) ?? false
}

/** An address belongs to one member: tells whether another member has the invited address or the user's own. */
async function addressesOfOtherMembers(
  { manager }: Call,
  { organizationId, email }: Invitation,
  user: User,
): Promise<{ invited: boolean; own: boolean }> {
  const [found] = await manager.query(
    `SELECT ${isMemberAddress('$2', '$1', '$4')} AS "invited", ${isMemberAddress('$3::text', '$1', '$4')} AS "own"`,
    [organizationId, email, user.email, user.id],
  )
  return found
}

async function insertMember(
  call: Call,
  { organizationId, name, role }: Invitation,
  user: User,
): Promise<OrganizationUser> {
  const member = { organizationId, userId: user.id, name: name ?? user.name, role }
  const inserted = await call.unitOfWork.insert(Object.assign(new OrganizationUser(), member))
  if (role === 'owner') await tellCustomer(call.manager, organizationId)
  return inserted
}

function recordAcceptance(
  { manager, caller }: Call,
  invitation: Invitation,
  member: OrganizationUser,
  wasMember: boolean,
): Promise<void> {
  const { organizationId, role } = invitation
  const joined: Record<string, [unknown, unknown]> = wasMember
    ? {}
    : { organizationUser: [null, `/organization-users/${member.id}`], role: [null, role] }
  return record({
    by: { manager, tenant: organizationId, caller },
    action: 'organizationUserInvitation.accept',
    target: invitationIri(invitation),
    changes: { status: ['pending', 'accepted'], ...joined },
  })
}

/** All reasons share one message: a client that guesses tokens learns nothing from it. */
function unusableToken(): ConstraintViolation {
  const message = 'token cannot be used: it may be mistyped, expired, replaced, revoked or already used.'
  return new ConstraintViolation([{ propertyPath: 'token', message, code: 'isUsable' }])
}
