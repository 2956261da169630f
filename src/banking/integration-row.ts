import type { EntityManager } from 'typeorm'
import { type AuditEvent, Integration } from '../../entities/index.ts'
import { type Author, record } from '../audit/audit-log.ts'

/** A link to a bank as jobs know it: with what opens it. */
export async function readIntegration(manager: EntityManager, id: string): Promise<Integration | null> {
  return manager
    .createQueryBuilder(Integration, 'link')
    .addSelect(['link.sealedAccess', 'link.sealedSession'])
    .where({ id })
    .getOne()
}

/** Writes some values if the link is still what it was taken for; tells whether it was. */
export async function updateIntegration(
  manager: EntityManager,
  { id, status, pullId }: Integration,
  values: Partial<Integration>,
): Promise<boolean> {
  const { affected } = await manager
    .createQueryBuilder()
    .update(Integration)
    .set({ ...values, updatedAt: new Date() } as object)
    .where({ id, status })
    .andWhere('"pullId" IS NOT DISTINCT FROM :pullId', { pullId })
    .execute()
  return affected === 1
}

/** Records a change of an integration in the audit log: its status or its counts, never a secret. */
export async function recordIntegration(
  { manager, caller }: Pick<Author, 'manager' | 'caller'>,
  { id, organizationId: tenant }: Pick<Integration, 'id' | 'organizationId'>,
  verb: 'setup' | 'pull' | 'import' | 'revoke',
  changes: AuditEvent['changes'],
): Promise<void> {
  const action = `integration.${verb}`
  await record({ by: { manager, tenant, caller }, action, target: `/integrations/${id}`, changes })
}
