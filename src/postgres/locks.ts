import type { EntityManager } from 'typeorm'
import { Organization, OrganizationUser } from '../../entities/index.ts'
import type { Call } from '../hydra/http/request-call.ts'
import { Problem } from '../hydra/model/problem.ts'

/**
 * Holds an organization to the end of the transaction: of those who count its people, to add or to remove one, each sees what
 * the one before it has done. Nobody else waits for them.
 */
export function lockOrganization(manager: EntityManager, id: string): Promise<Organization> {
  return manager.findOneOrFail(Organization, { where: { id }, lock: { mode: 'for_no_key_update' } })
}

/**
 * Holds the current organization for an operation that gives or takes rights. Another process may have changed the caller's role
 * within the last second, so the role is read again.
 * @param known the caller's own membership, where the operation itself has just read it
 * @throws Problem 403 when the caller's role is another by now
 */
export async function lockOwnOrganization(call: Call, known?: OrganizationUser): Promise<Organization> {
  const organization = await lockOrganization(call.manager, call.organization)
  const own = { organizationId: call.organization, userId: call.user }
  const membership = known ?? (await call.manager.findOneBy(OrganizationUser, own))
  if (membership?.status !== 'active' || membership.role !== call.caller.role)
    throw new Problem(403, 'Your role in the organization has just changed: read what you may do now, then decide.')
  requireOpen(organization)
  return organization
}

/** @throws Problem 403 when the organization is suspended, 409 when it is closed */
export function requireOpen({ status }: Organization): void {
  if (status === 'suspended')
    throw new Problem(
      403,
      'The organization is suspended: its people stay as they are until its operator opens it again.',
    )
  if (status === 'closed')
    throw new Problem(409, 'The organization is closed: its people stay as they are until its operator opens it again.')
}
