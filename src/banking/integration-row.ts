import type { EntityManager } from 'typeorm'
import { type AuditEvent, Integration } from '../../entities/index.ts'
import { type Author, record } from '../audit/audit-log.ts'
import { writeRows } from '../hydra/index.ts'

/** An integration with its encrypted secrets, which other reads leave out. */
export async function readIntegration(manager: EntityManager, id: string): Promise<Integration | null> {
  return manager
    .createQueryBuilder(Integration, 'integration')
    .addSelect(['integration.sealedAccess', 'integration.sealedSession'])
    .where({ id })
    .getOne()
}

/** Writes columns unless another request has changed the status or started another pull. @returns whether it wrote them */
export async function updateIntegration(
  manager: EntityManager,
  { organizationId, id, status, pullId }: Integration,
  values: Partial<Integration>,
): Promise<boolean> {
  const update = manager
    .createQueryBuilder()
    .update(Integration)
    .set({ ...values, updatedAt: new Date() } as object)
    .where({ organizationId, id, status })
    .andWhere('"pullId" IS NOT DISTINCT FROM :pullId', { pullId })
  return (await writeRows(manager, update)) === 1
}

/** Records a change of an integration in the audit log: its status or its counts, never a secret. */
export async function recordIntegration(
  { manager, caller }: Pick<Author, 'manager' | 'caller'>,
  { id, organizationId: tenant }: Pick<Integration, 'id' | 'organizationId'>,
  verb: 'setup' | 'pull' | 'import' | 'revoke',
  changes: AuditEvent['changes'],
): Promise<void> {
  const action = `integration.${verb}` as const
  await record({ by: { manager, tenant, caller }, action, target: `/integrations/${id}`, changes })
}
