import type { EntityManager } from 'typeorm'
import { WebhookDelivery } from '../../entities/index.ts'
import { writeRows } from '../hydra/index.ts'

/** Removes the answers of receivers to the events of a target: an answer may repeat its request. Call it in a transaction. */
export async function eraseAnswers(
  { manager, tenant }: { manager: EntityManager; tenant: string },
  target: string,
): Promise<void> {
  const events: { id: string; action: string }[] = await manager.query(
    `SELECT "id", "action" FROM "audit_event" WHERE "organizationId" = $1 AND "target" = $2`,
    [tenant, target],
  )
  if (events.length === 0) return
  await writeRows(
    manager,
    WebhookDelivery,
    `UPDATE "webhook_delivery" SET "responseBody" = NULL, "updatedAt" = now(), "version" = "version" + 1
      WHERE "organizationId" = :tenant AND "event" = ANY (:actions) AND "auditEventId" = ANY (:ids)
        AND "responseBody" IS NOT NULL`,
    { tenant, actions: events.map(({ action }) => action), ids: events.map(({ id }) => id) },
  )
}
