import { type Organization, OrganizationUser } from '../../entities/index.ts'
import { type Call, Problem } from '../hydra/index.ts'
import { lockOrganization } from '../postgres/locks.ts'

/**
 * Locks the caller's organization for an operation that gives or takes rights. Another process may have changed the caller's
 * role within the last second, so the role is read again.
 * @param known the caller's own membership, where the operation itself has just read it
 * @throws Problem 403 when the caller's role has changed
 */
export async function lockOwnOrganization(call: Call, known?: OrganizationUser): Promise<Organization> {
  const organization = await lockOrganization(call.manager, call.tenant)
  const own = { organizationId: call.tenant, userId: call.user }
  const membership = known ?? (await call.manager.findOneBy(OrganizationUser, own))
  if (membership?.status !== 'active' || membership.role !== call.caller.role)
    throw new Problem(
      403,
      'Your role in the organization has just changed. Read your rights again, then repeat the request.',
    )
  requireOpen(organization)
  return organization
}

const remedy =
  'its members, invitations, API keys and webhook endpoints cannot be changed until the operator reopens it.'

/** @throws Problem 403 when the organization is suspended, 409 when it is closed */
export function requireOpen({ status }: Organization): void {
  if (status === 'suspended') throw new Problem(403, `The organization is suspended: ${remedy}`)
  if (status === 'closed') throw new Problem(409, `The organization is closed: ${remedy}`)
}
