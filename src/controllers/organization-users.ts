import type { OrganizationUser } from '../../entities/index.ts'
import { revokeKeysOf } from '../access/api-keys/revoke.ts'
import type { Callers } from '../access/callers.ts'
import { countActiveOwners, endRights } from '../access/end-membership.ts'
import { lockOwnOrganization } from '../access/lock-own-organization.ts'
import { requireOwnerFor } from '../access/membership.ts'
import { changesBetween, record } from '../audit/audit-log.ts'
import { tellCustomer } from '../billing/enqueue-customer-profile.ts'
import { type Call, type Operation, Problem, removeOperation, updateOperation } from '../hydra/index.ts'
import { revokeUngrantable } from '../invitations/revoke.ts'
import { lockOrganization } from '../postgres/locks.ts'
import { disableEndpointsOf } from '../webhooks/disable.ts'

export const update = (callers: Callers) =>
  updateOperation<OrganizationUser>({
    prepare(draft, { caller }) {
      requireOwnerFor(draft.role === 'owner', caller.role)
      return []
    },
    async alsoWrite(call, after, before) {
      const losesOwner = before?.role === 'owner' && (after.role !== 'owner' || after.status !== 'active')
      requireOwnerFor(losesOwner, call.caller.role)
      await lockOwnOrganization(call, before?.userId === call.user ? before : undefined)
      if ((await countActiveOwners(call)) === 0) throw lastOwner()
      await revokeUngrantable(call, after.userId, after.grantableRoles)
      if (!after.createsKeys) await revokeKeysOf(call, after.userId)
      if (!after.createsKeys || losesOwner) await disableEndpointsOf(call, after.userId, after)
      await record({
        by: call,
        action: 'organizationUser.update',
        target: `/organization-users/${after.id}`,
        changes: before ? changesBetween(call.manager, before, after) : {},
      })
      const isOwner = before?.role === 'owner' || after.role === 'owner'
      if (isOwner && after.version !== before?.version) await tellCustomer(call.manager, call.tenant)
      call.unitOfWork.after(() => callers.forget())
    },
  })

export const remove = (callers: Callers): Operation<OrganizationUser> => {
  const removal = removeOperation<OrganizationUser>({
    async alsoWrite(call, member) {
      requireOwnerFor(member.role === 'owner', call.caller.role)
      if (member.userId === call.user) await lockOrganization(call.manager, call.tenant)
      else await lockOwnOrganization(call)
      if (member.isActiveOwner && (await countActiveOwners(call)) === 1) throw lastOwner()
      await endRights(call, member)
      call.unitOfWork.after(() => callers.forget())
    },
  })
  return {
    ...removal,
    description:
      'Each person may end its own membership, also while the organization is suspended or closed: the item then shows the ' +
      'link "leave". 409 refuses the last owner. Admins remove the memberships of others; only owners remove owners. The ' +
      'pending invitations and the API keys of the person are revoked, and its webhook endpoints are disabled.',
    link: {
      name: 'leave',
      when: ({ userId, lastOwner }: OrganizationUser & { lastOwner?: boolean }, _, { user }) =>
        userId === user && !lastOwner,
    },
    async handle(call) {
      await requireRemovable(call)
      return removal.handle(call)
    },
  }
}

/** Members, and all callers of a suspended or closed organization, may remove their own membership only. */
async function requireRemovable(call: Call<OrganizationUser>): Promise<void> {
  const { caller } = call
  if (caller.role !== 'member' && !caller.readOnlyReason) return
  const { userId } = await call.find()
  if (userId === caller.user) return
  throw new Problem(
    403,
    caller.readOnlyReason ?? 'A member may remove its own membership only: ask an admin to remove another.',
  )
}

const lastOwner = () => new Problem(409, 'The last owner cannot leave: make another member an owner first.')
