import type { EntityManager } from 'typeorm'
import { type AuditEvent, WebhookDelivery } from '../../entities/index.ts'
import { writeRows } from '../hydra/index.ts'
import { enqueue } from '../queue/enqueue.ts'

/** A delivery by its id, and the endpoint that shares its limits with it. */
export interface DeliveryKey {
  id: string
  endpoint: string
}

/** SQL that the insert of an audit event returns: the ids of the endpoints that receive it. Most organizations have none. */
export const receiversOfEvent = `ARRAY(SELECT "id" FROM "webhook_endpoint"
  WHERE "organizationId" = "audit_event"."organizationId" AND "enabled"
    AND "events" && ARRAY['*', "audit_event"."action"]) AS "receivers"`

/** Stores a delivery for each endpoint in the transaction of the event: it is sent after the commit, and never after a rollback. */
export async function enqueueDeliveries(
  manager: EntityManager,
  { id: auditEventId, organizationId, action: event }: AuditEvent,
  receivers: string[],
): Promise<void> {
  if (receivers.length === 0) return
  const deliveries = receivers.map((endpointId) => newDelivery({ organizationId, endpointId, auditEventId, event }))
  const insert = manager
    .createQueryBuilder()
    .insert()
    .into(WebhookDelivery)
    .values(deliveries as object[])
  await writeRows(manager, insert.updateEntity(false))
  await enqueueSending(manager, organizationId, deliveries)
}

export function newDelivery(
  values: Pick<WebhookDelivery, 'organizationId' | 'endpointId' | 'event'> & Partial<WebhookDelivery>,
): WebhookDelivery {
  const delivery = Object.assign(new WebhookDelivery(), { version: 1 }, values)
  delivery.nextAttemptAt = delivery.createdAt
  return delivery
}

/** @param after seconds until they are due */
export async function enqueueSending(
  manager: Pick<EntityManager, 'query'>,
  organization: string,
  deliveries: Pick<WebhookDelivery, 'id' | 'endpointId'>[],
  after = 0,
): Promise<void> {
  const keys = deliveries.map(({ id, endpointId }): DeliveryKey => ({ id, endpoint: endpointId }))
  await enqueue(manager, 'sendWebhooks', { organization, deliveries: keys }, { after })
}
