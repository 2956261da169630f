import { OrganizationUser } from '../../entities/index.ts'
import type { Callers } from '../access/callers.ts'
import type { Call } from '../hydra/call.ts'
import { removing, updating } from '../hydra/crud.ts'
import { Problem } from '../hydra/problem.ts'
import { record } from './audit.ts'
import { revokeUngrantable } from './granting.ts'
import { holdAs } from './holding.ts'

export const update = (callers: Callers) =>
  updating<OrganizationUser>({
    prepare(draft, { caller }) {
      requireOwnerFor(draft.role === 'owner', caller.role)
      return []
    },
    async along(call, after, before) {
      requireOwnerFor(
        before?.role === 'owner' && (after.role !== 'owner' || after.status !== 'active'),
        call.caller.role,
      )
      await holdAs(call, before?.userId === call.user ? before : undefined)
      if ((await owners(call)) === 0) throw lastOwner()
      await revokeUngrantable(call, after.userId, after.grants)
      await record(
        call,
        'organizationUser.update',
        `/organization-users/${after.id}`,
        before ? call.changes(before, after) : {},
      )
      call.after(() => callers.forget())
    },
  })

export const remove = (callers: Callers) =>
  removing<OrganizationUser>({
    async along(call, member) {
      requireOwnerFor(member.role === 'owner', call.caller.role)
      await holdAs(call)
      if (member.owning && (await owners(call)) === 1) throw lastOwner()
      await revokeUngrantable(call, member.userId, [])
      await record(call, 'organizationUser.remove', `/organization-users/${member.id}`, { role: [member.role, null] })
      call.after(() => callers.forget())
    },
  })

export function requireOwnerFor(owning: boolean, role: string): void {
  if (owning && role !== 'owner') throw new Problem(403, 'Only an owner may grant or take the owner role.')
}

const owners = ({ manager, organization: organizationId }: Call) =>
  manager.countBy(OrganizationUser, { organizationId, role: 'owner', status: 'active' })

const lastOwner = () => new Problem(409, 'The last owner cannot leave: make somebody else an owner first.')
