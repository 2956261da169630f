import { OrganizationUser } from '../../entities/index.ts'
import { record, type Writer } from '../audit/audit-log.ts'
import { tellCustomer } from '../billing/enqueue-customer-profile.ts'
import type { Call } from '../hydra/index.ts'
import { revokeUngrantable } from '../invitations/revoke.ts'
import { disableEndpointsOf } from '../webhooks/disable.ts'
import { revokeKeysOf } from './api-keys/revoke.ts'

/** Ends what the person may do no more, and writes the audit event. The caller has locked the organization, and removes the row. */
export async function endRights(by: Writer, { id, userId, role }: OrganizationUser): Promise<void> {
  await revokeUngrantable(by, userId, [])
  await revokeKeysOf(by, userId)
  await disableEndpointsOf(by, userId)
  const changes = { role: [role, null] as [unknown, unknown] }
  await record({ by, action: 'organizationUser.remove', target: `/organization-users/${id}`, changes })
  if (role === 'owner') await tellCustomer(by.manager, by.tenant)
}

export function countActiveOwners({
  manager,
  tenant: organizationId,
}: Pick<Call, 'manager' | 'tenant'>): Promise<number> {
  return manager.countBy(OrganizationUser, { organizationId, role: 'owner', status: 'active' })
}
