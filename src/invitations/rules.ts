import type { Organization, OrganizationUserInvitation } from '../../entities/index.ts'
import { isMemberAddress } from '../../entities/user.ts'
import { requireOwnerFor } from '../access/membership.ts'
import { findLiveSubscription } from '../billing/live-subscription.ts'
import { countTakenSeats } from '../billing/subscription-rules.ts'
import { type Call, Problem, type Violation } from '../hydra/index.ts'

/** The violations that depend on the caller and on the members, beside the entity's own rules. */
export async function inviteeViolations({ email, role }: OrganizationUserInvitation, call: Call): Promise<Violation[]> {
  requireOwnerFor(role === 'owner', call.caller.role)
  if (typeof email !== 'string' || !(await isMember(call, email))) return []
  return [
    {
      propertyPath: 'email',
      message: 'email is already the address of a member of the organization.',
      code: 'isMember',
    },
  ]
}

/** Whether an address belongs to a member, either by the member's token or by the invitation that the member accepted. */
export async function isMember({ manager, tenant }: Call, email: string): Promise<boolean> {
  const [{ found }] = await manager.query(
    `SELECT ${isMemberAddress('$2', '$1', 'NULL')} OR EXISTS (
      SELECT FROM "organization_user" "member" JOIN "organization_user_invitation" "invitation"
        ON "invitation"."organizationId" = $1 AND "acceptedById" = "member"."userId" AND lower("email") = lower($2)
      WHERE "member"."organizationId" = $1) AS "found"`,
    [tenant, email],
  )
  return found
}

/**
 * Counts after the insert and under the organization's lock: of two simultaneous invitations to the last seat, one is refused.
 * @throws Problem 409 when members and pending invitations exceed the seats of the live subscription
 */
export async function requireSeat(call: Call, { id }: Organization): Promise<void> {
  const live = await findLiveSubscription(call.manager, id)
  if (!live || (await countTakenSeats(call)) <= live.seats) return
  throw new Problem(
    409,
    `Members and pending invitations take all ${live.seats} seats. Add seats, revoke an invitation or remove a member.`,
  )
}
