import type { EntityManager } from 'typeorm'
import { type AuditEvent, WebhookDelivery } from '../../entities/index.ts'
import { writeRows } from '../hydra/index.ts'
import { enqueue } from '../queue/enqueue.ts'

/** A delivery in the payload of a job. Deliveries of one endpoint share its limits, which are lower while it fails. */
export interface DeliveryKey {
  id: string
  endpoint: string
  isFailing?: boolean
}

/** The endpoints that receive an event. */
const receiversOf = (organization: string, action: string) => `FROM "webhook_endpoint"
  WHERE "organizationId" = ${organization} AND "enabled" AND "events" && ARRAY['*', ${action}]`

/** SQL that the insert of an audit event returns: whether an endpoint receives it. Most organizations have none. */
export const hasReceivers = `EXISTS (SELECT ${receiversOf('"audit_event"."organizationId"', '"audit_event"."action"')})`

/** Stores a delivery for each endpoint in the transaction of the event: it is sent after the commit, and never after a rollback. */
export async function enqueueDeliveries(
  manager: EntityManager,
  { id: auditEventId, organizationId, action: event }: AuditEvent,
): Promise<void> {
  const receivers = await lockReceivers(manager, organizationId, event)
  if (receivers.length === 0) return
  const deliveries = receivers.map(({ id }) => newDelivery({ organizationId, endpointId: id, auditEventId, event }))
  const insert = manager
    .createQueryBuilder()
    .insert()
    .into(WebhookDelivery)
    .values(deliveries as object[])
  await writeRows(manager, insert.updateEntity(false))
  const due = deliveries.map(({ id, endpointId }, index) => ({ id, endpointId, isFailing: receivers[index].isFailing }))
  await enqueueSending(manager, organizationId, due)
}

interface Receiver {
  id: string
  isFailing: boolean
}

/** The endpoints of an event. Their removal waits for this transaction, and an endpoint that is being removed is left out. */
function lockReceivers(manager: EntityManager, organization: string, action: string): Promise<Receiver[]> {
  return manager.query(
    `SELECT "id", "failingSince" IS NOT NULL AS "isFailing" ${receiversOf('$1', '$2')} ORDER BY "id" FOR KEY SHARE`,
    [organization, action],
  )
}

export function newDelivery(
  values: Pick<WebhookDelivery, 'organizationId' | 'endpointId' | 'event'> & Partial<WebhookDelivery>,
): WebhookDelivery {
  const delivery = Object.assign(new WebhookDelivery(), { version: 1 }, values)
  delivery.nextAttemptAt = delivery.createdAt
  return delivery
}

type Due = Pick<WebhookDelivery, 'id' | 'endpointId'> & Pick<DeliveryKey, 'isFailing'>

/** @param after seconds until they are due */
export async function enqueueSending(
  manager: Pick<EntityManager, 'query'>,
  organization: string,
  deliveries: Due[],
  after = 0,
): Promise<void> {
  const keys = deliveries.map(({ id, endpointId, isFailing }): DeliveryKey => ({ id, endpoint: endpointId, isFailing }))
  await enqueue(manager, 'sendWebhooks', { organization, deliveries: keys }, { after })
}
