import type { DataSource } from 'typeorm'
import { AuditEvent, WebhookDelivery, WebhookEndpoint } from '../../entities/index.ts'
import { exampleEvent } from '../audit/example-event.ts'
import { type Answer, post } from './post.ts'
import { openSecret } from './secret.ts'
import type { Webhooks } from './settings.ts'
import { signedHeaders } from './signature.ts'
import { releaseDelivery, storeAnswer } from './store-answer.ts'

/** While the lease lasts, no other process sends the delivery. After a crash it expires, and the delivery is sent again. */
const leaseSeconds = 30

/** The name of an event that a person sends to try an endpoint. */
export const testEvent = 'webhookEndpoint.test'

interface Key {
  id: string
  organizationId: string
}

/**
 * Sends a delivery once: leases it, sends it and stores the answer, without an open transaction.
 * @returns whether the receiver accepted it; undefined where it was not due
 * @throws the error that kept the message from being made, once it is stored as a failed attempt
 */
export async function sendDelivery(
  database: DataSource,
  webhooks: Webhooks,
  key: Key,
  signal: AbortSignal,
): Promise<boolean | undefined> {
  const delivery = await lease(database, key)
  if (!delivery) return undefined
  const endpoint = await findEndpoint(database, delivery)
  if (!endpoint) return undefined
  const start = performance.now()
  let fault: unknown
  const answer = endpoint.enabled
    ? await attempt(database, webhooks, { delivery, endpoint }, signal).catch((error): Answer => {
        fault = error
        return { error: 'The service could not make the message.' }
      })
    : { error: 'The endpoint is disabled.' }
  if (signal.aborted && answer.error !== undefined) {
    await releaseDelivery(database, delivery)
    return undefined
  }
  await storeAnswer(database, { delivery, endpoint, answer, duration: Math.round(performance.now() - start) })
  if (fault) throw fault
  return answer.error === undefined
}

/** Takes a due delivery for one attempt. The extra seconds cover clocks of servers that differ from the database's. */
async function lease(database: DataSource, { organizationId, id }: Key): Promise<WebhookDelivery | undefined> {
  const [rows] = await database.query(
    `UPDATE "webhook_delivery" SET "attempts" = "attempts" + 1, "lastAttemptAt" = now(),
        "nextAttemptAt" = now() + make_interval(secs => ${leaseSeconds})
      WHERE "organizationId" = $1 AND "id" = $2 AND "status" = 'pending'
        AND "nextAttemptAt" <= now() + interval '3 seconds' RETURNING *`,
    [organizationId, id],
  )
  return rows[0] && Object.assign(new WebhookDelivery(), rows[0])
}

async function findEndpoint(
  { manager }: DataSource,
  { organizationId, endpointId }: WebhookDelivery,
): Promise<WebhookEndpoint | null> {
  return manager
    .createQueryBuilder(WebhookEndpoint, 'endpoint')
    .addSelect(['endpoint.sealedSecret', 'endpoint.sealedFormerSecret'])
    .where({ organizationId, id: endpointId })
    .getOne()
}

async function attempt(
  database: DataSource,
  webhooks: Webhooks,
  { delivery, endpoint }: { delivery: WebhookDelivery; endpoint: WebhookEndpoint },
  signal: AbortSignal,
): Promise<Answer> {
  const event = await eventOf(database, delivery)
  const data = webhooks.documentOf(event, endpoint.role)
  const body = JSON.stringify({ type: delivery.event, timestamp: event.at, data })
  const headers = signedHeaders(delivery.id, new Date(), body, secretsOf(endpoint, webhooks))
  return post(new URL(endpoint.url), headers, body, { ...webhooks, signal })
}

/** The audit event; a test has one that is in no log. */
async function eventOf({ manager }: DataSource, delivery: WebhookDelivery): Promise<AuditEvent> {
  const { id, organizationId, auditEventId, event: action, endpointId, createdAt: at } = delivery
  if (auditEventId) return manager.findOneByOrFail(AuditEvent, { organizationId, id: auditEventId })
  const target = `/webhook-endpoints/${endpointId}`
  return Object.assign(exampleEvent(), { id, organizationId, action, target, at, createdAt: at, updatedAt: at })
}

function secretsOf(endpoint: WebhookEndpoint, { keys }: Webhooks): string[] {
  const { sealedSecret, sealedFormerSecret, formerSecretUntil } = endpoint
  const former = formerSecretUntil && formerSecretUntil > new Date() ? sealedFormerSecret : null
  return [sealedSecret, former].flatMap((sealed) => (sealed ? [openSecret(sealed, keys, endpoint)] : []))
}
