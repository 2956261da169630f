import type { DataSource, EntityManager } from 'typeorm'
import { WebhookDelivery, type WebhookEndpoint } from '../../entities/index.ts'
import { writeRows } from '../hydra/index.ts'
import { disableEndpoint } from './disable.ts'
import { enqueueSending } from './enqueue-deliveries.ts'
import type { Answer } from './post.ts'
import { pauseAfter } from './retry-schedule.ts'

interface Attempt {
  delivery: WebhookDelivery
  endpoint: WebhookEndpoint
  answer: Answer
  /** In milliseconds. */
  duration: number
}

/** The status by which a receiver says that it wants no more events (RFC 9110 §15.5.11). */
const gone = 410

/** Stores the result of an attempt, and enqueues the next one after a failure. A test is not repeated. */
export async function storeAnswer(
  database: DataSource,
  { delivery, endpoint, answer, duration }: Attempt,
): Promise<void> {
  const { organizationId, id, attempts, auditEventId } = delivery
  const failed = answer.error !== undefined
  const isTest = auditEventId === null
  await database.transaction(async (manager) => {
    const enabled = await keepEndpoint(manager, endpoint)
    const isLast = !failed || isTest || !enabled || answer.status === gone
    const pause = isLast ? undefined : pauseAfter(attempts, answer.retryAfter)
    const status = pause === undefined ? (failed ? 'failed' : 'delivered') : 'pending'
    const stored = await writeRows(
      manager,
      WebhookDelivery,
      `UPDATE "webhook_delivery" SET "status" = :status, "nextAttemptAt" = now() + make_interval(secs => :pause),
          "responseStatus" = :responseStatus, "responseBody" = :body, "duration" = :duration, "error" = :error,
          "updatedAt" = now(), "version" = "version" + 1
        WHERE "organizationId" = :organizationId AND "id" = :id AND "status" = 'pending' AND "attempts" = :attempts`,
      {
        ...{ organizationId, id, attempts, status, duration, pause: pause ?? null },
        ...{ responseStatus: answer.status ?? null, body: answer.body ?? null, error: answer.error ?? null },
      },
    )
    if (stored === 0) return
    if (!failed) await noteSuccess(manager, endpoint)
    else if (!isTest && enabled) await noteFailure(manager, endpoint)
    if (answer.status === gone && enabled) await disableEndpoint({ manager, tenant: organizationId }, endpoint, 'gone')
    if (pause === undefined) return
    const { endpointId } = delivery
    await enqueueSending(manager, organizationId, [{ id, endpointId, isFailing: true }], pause)
  })
}

/**
 * Lets the endpoint's removal wait for this transaction. A removal locks the endpoint first, too, and then its deliveries.
 * @returns whether the endpoint is enabled now
 */
async function keepEndpoint(manager: EntityManager, { organizationId, id }: WebhookEndpoint): Promise<boolean> {
  const [found] = await manager.query(
    `SELECT "enabled" FROM "webhook_endpoint" WHERE "organizationId" = $1 AND "id" = $2 FOR KEY SHARE`,
    [organizationId, id],
  )
  return found?.enabled ?? false
}

/** Ends the lease of an attempt that was interrupted, as if it had not begun. */
export async function releaseDelivery(
  database: DataSource,
  { organizationId, id, attempts }: Pick<WebhookDelivery, 'organizationId' | 'id' | 'attempts'>,
): Promise<void> {
  await database.query(
    `UPDATE "webhook_delivery" SET "attempts" = "attempts" - 1, "nextAttemptAt" = now()
      WHERE "organizationId" = $1 AND "id" = $2 AND "status" = 'pending' AND "attempts" = $3`,
    [organizationId, id, attempts],
  )
}

/** Notes the moment once a minute, so that a busy endpoint is not written with each delivery. It keeps the version. */
async function noteSuccess(manager: EntityManager, { organizationId, id }: WebhookEndpoint): Promise<void> {
  await manager.query(
    `UPDATE "webhook_endpoint" SET "lastDeliveredAt" = now(), "failingSince" = NULL
      WHERE "organizationId" = $1 AND "id" = $2 AND ("failingSince" IS NOT NULL OR "lastDeliveredAt" IS NULL
        OR "lastDeliveredAt" < now() - interval '1 minute')`,
    [organizationId, id],
  )
}

async function noteFailure(manager: EntityManager, { organizationId, id }: WebhookEndpoint): Promise<void> {
  await manager.query(
    `UPDATE "webhook_endpoint" SET "failingSince" = now()
      WHERE "organizationId" = $1 AND "id" = $2 AND "enabled" AND "failingSince" IS NULL`,
    [organizationId, id],
  )
}
