import { Employee, OrganizationUser, type User } from '../../entities/index.ts'
import { countActiveOwners, endRights } from '../access/end-membership.ts'
import { removeSessionsOf } from '../access/session/session-rows.ts'
import { record, type Writer } from '../audit/audit-log.ts'
import { type Call, copyEntity, Problem, TenantScope } from '../hydra/index.ts'
import { lockOrganization } from '../postgres/locks.ts'
import { eraseEmployeeEvents, eraseInvitations, userOfEmployee } from './erase-traces.ts'

/**
 * Erases the caller, in the transaction of the call: its rights and its traces in each organization, then its sessions and the user
 * itself. The row of the user stays without a name, because audit events refer to it.
 * @throws Problem 409 for the last owner of an organization that is not closed
 */
export async function eraseUser(call: Call, before: User): Promise<User> {
  const { manager, unitOfWork, caller } = call
  const tenants = await organizationsOf(call, before)
  for (const tenant of tenants) {
    unitOfWork.admit(tenant)
    await eraseInOrganization({ manager, unitOfWork, caller, tenant }, before)
  }
  await removeSessionsOf(unitOfWork.executor, before)
  const after = copyEntity(before).erase()
  await unitOfWork.save(before, after)
  for (const tenant of tenants)
    await record({
      by: { manager, caller, tenant },
      action: 'user.erase',
      target: `/users/${after.id}`,
      changes: { erased: [false, true] },
    })
  return after
}

/** The organizations that know the user. They are locked one after the other in this order, so that two erasures never wait for each other. */
async function organizationsOf({ manager }: Call, { id }: User): Promise<string[]> {
  const found: { tenant: string }[] = await TenantScope.every.run(manager, (everywhere) =>
    everywhere.query(
      `SELECT "organizationId" AS "tenant" FROM "organization_user" WHERE "userId" = $1
        UNION SELECT "organizationId" FROM "organization_user_invitation" WHERE "acceptedById" = $1
        UNION SELECT "organizationId" FROM "employee" WHERE "userId" = $1 ORDER BY 1`,
      [id],
    ),
  )
  return found.map(({ tenant }) => tenant)
}

async function eraseInOrganization(by: Writer, user: User): Promise<void> {
  const { manager, tenant: organizationId, unitOfWork } = by
  const organization = await lockOrganization(manager, organizationId)
  const member = await manager.findOneBy(OrganizationUser, { organizationId, userId: user.id })
  if (member) {
    const isLast = member.isActiveOwner && organization.status !== 'closed' && (await countActiveOwners(by)) === 1
    if (isLast) throw lastOwnerOf(organization.name)
    await endRights(by, member)
    await unitOfWork.remove(member)
  }
  await eraseInvitations(by, { email: user.email, userId: user.id })
  for (const employee of await manager.findBy(Employee, { organizationId, userId: user.id })) {
    await unitOfWork.save(employee, Object.assign(copyEntity(employee), { userId: null }))
    await eraseEmployeeEvents(by, employee, userOfEmployee)
  }
}

function lastOwnerOf(organization: string): Problem {
  return new Problem(
    409,
    `You are the last owner of ${organization}: make another member an owner, or close the organization, then repeat this.`,
  )
}
