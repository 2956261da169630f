import { type Organization, type OrganizationUserInvitation, Subscription } from '../../entities/index.ts'
import { isMemberAddress } from '../../entities/user.ts'
import { countTakenSeats } from '../billing/subscription-rules.ts'
import { requireOwnerFor } from '../controllers/organization-users.ts'
import { type Call, Problem, type Violation } from '../hydra/index.ts'

/** Says why somebody cannot be invited, beyond what the rules of an invitation say. */
export async function requireInvitable({ email, role }: OrganizationUserInvitation, call: Call): Promise<Violation[]> {
  requireOwnerFor(role === 'owner', call.caller.role)
  if (typeof email !== 'string' || !(await isMember(call, email))) return []
  return [
    { propertyPath: 'email', message: 'A member of the organization has this address already.', code: 'isMember' },
  ]
}

/** Whether an address is that of a member, as its token tells, or the one by which it has come. */
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

/** Counts while the organization is held, so that of two invitations to the last seat one is refused. */
export async function requireSeat(call: Call, { id, currentSubscriptionId }: Organization): Promise<void> {
  if (!currentSubscriptionId) return
  const current = { organizationId: id, id: currentSubscriptionId }
  const { seats } = await call.manager.findOneByOrFail(Subscription, current)
  if ((await countTakenSeats(call)) <= seats) return
  const detail = `Members and pending invitations take all seats of the subscription, which are ${seats}`
  throw new Problem(409, `${detail}: add seats to it, revoke an invitation, or remove a member.`)
}
