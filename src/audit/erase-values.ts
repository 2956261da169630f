import type { EntityManager } from 'typeorm'
import { AuditEvent } from '../../entities/index.ts'
import { writeRows } from '../hydra/index.ts'
import { erasedValues } from '../migrations/audit-log-guard.ts'

/**
 * Erases values in the events of a target: who did what and when stays. The trigger of the audit log admits this for the target
 * that the transaction names, and nothing else.
 * @param names the properties whose values go
 */
export async function eraseValues(
  { manager, tenant }: { manager: EntityManager; tenant: string },
  target: string,
  names: string[],
): Promise<void> {
  // Citus sends such a setting to its nodes only when it is told to.
  await manager.query(`SET LOCAL "citus.propagate_set_commands" = 'local'`)
  await manager.query(`SET LOCAL "app.erased_person" = '${target}'`)
  await writeRows(
    manager,
    AuditEvent,
    `UPDATE "audit_event" SET "changes" = (
        SELECT jsonb_object_agg("key", CASE WHEN "key" = ANY (:names) THEN ${erasedValues('"value"')} ELSE "value" END)
        FROM jsonb_each("changes"))
      WHERE "organizationId" = :tenant AND "target" = :target AND "changes" ?| :names`,
    { tenant, target, names },
  )
}
