import type { DataSource } from 'typeorm'
import { WebhookDelivery, WebhookEndpoint } from '../../entities/index.ts'
import { writeRows } from '../hydra/index.ts'
import { runAll } from '../queue/run-all.ts'
import { enqueueSending } from './enqueue-deliveries.ts'
import { resealSecret } from './secret.ts'
import type { Webhooks } from './settings.ts'

/** How long a finished delivery is stored. */
const retentionDays = 30

/** Deliveries of one endpoint that one run enqueues. */
const batchSize = 100

interface DueDelivery {
  id: string
  endpointId: string
  organization: string
  isFailing: boolean
}

/** Re-enqueues due deliveries without a live job, for example after a crash. */
export async function enqueueStaleDeliveries(database: DataSource, age = 30): Promise<void> {
  const due: DueDelivery[] = await database.query(
    `SELECT "due"."id", "endpointId", "due"."organizationId" AS "organization", "failingSince" IS NOT NULL AS "isFailing" FROM (
        SELECT *, row_number() OVER (PARTITION BY "organizationId", "endpointId" ORDER BY "nextAttemptAt") AS "place"
          FROM "webhook_delivery" WHERE "status" = 'pending' AND "nextAttemptAt" <= now() - make_interval(secs => $1)) AS "due"
        JOIN "webhook_endpoint" AS "endpoint"
          ON "endpoint"."organizationId" = "due"."organizationId" AND "endpoint"."id" = "due"."endpointId"
      WHERE "place" <= ${batchSize}`,
    [age],
  )
  const organizations = new Set(due.map(({ organization }) => organization))
  await runAll(organizations, (one) =>
    enqueueSending(
      database,
      one,
      due.filter(({ organization }) => organization === one),
    ),
  )
}

const isOld = `"createdAt" < now() - make_interval(days => ${retentionDays}) AND "status" <> 'pending'`

/** Deletes deliveries after 30 days. Those that are pending are tried for three days at most. */
export async function deleteOldDeliveries(database: DataSource): Promise<void> {
  const found: Pick<WebhookDelivery, 'organizationId'>[] = await database.query(
    `SELECT DISTINCT "organizationId" FROM "webhook_delivery" WHERE ${isOld}`,
  )
  await runAll(found, ({ organizationId }) =>
    writeRows(
      database.manager,
      WebhookDelivery,
      `DELETE FROM "webhook_delivery" WHERE "organizationId" = :organizationId AND ${isOld}`,
      { organizationId },
    ),
  )
}

/** Deletes former secrets that sign no more. */
export async function deleteFormerSecrets(database: DataSource): Promise<void> {
  await database.query(
    `UPDATE "webhook_endpoint" SET "sealedFormerSecret" = NULL
      WHERE "sealedFormerSecret" IS NOT NULL AND "formerSecretUntil" <= now()`,
  )
}

/**
 * Encrypts secrets with the first key where they use another one, which may then be removed.
 * @throws an Error, after the last row, if a secret could not be decrypted
 */
export async function resealWebhookSecrets(database: DataSource, { keys }: Webhooks): Promise<void> {
  const endpoints = await database.manager
    .createQueryBuilder(WebhookEndpoint, 'endpoint')
    .select(['id', 'organizationId', 'sealedSecret', 'sealedFormerSecret'].map((name) => `endpoint.${name}`))
    .getMany()
  const columns = ['sealedSecret', 'sealedFormerSecret'] as const
  await runAll(
    endpoints.flatMap((endpoint) => columns.map((column) => [endpoint, column] as const)),
    async ([endpoint, column]) => {
      const sealed = endpoint[column]
      const resealed = sealed && resealSecret(sealed, keys, endpoint)
      if (!resealed) return
      await database.query(
        `UPDATE "webhook_endpoint" SET "${column}" = $1 WHERE "organizationId" = $2 AND "id" = $3 AND "${column}" = $4`,
        [resealed, endpoint.organizationId, endpoint.id, sealed],
      )
    },
  )
}
