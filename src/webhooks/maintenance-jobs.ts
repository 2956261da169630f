import type { DataSource } from 'typeorm'
import { WebhookDelivery, WebhookEndpoint } from '../../entities/index.ts'
import { writeRows } from '../hydra/index.ts'
import { runAll } from '../queue/run-all.ts'
import { disableEndpoint } from './disable.ts'
import { enqueueSending } from './enqueue-deliveries.ts'
import { resealSecret } from './secret.ts'
import type { Webhooks } from './settings.ts'

/** How long a finished delivery is stored. */
const retentionDays = 30

/** How long an endpoint may accept nothing until it is disabled. */
const failingDays = 5

/** Deliveries of one endpoint that one run enqueues. */
const batchSize = 100

/** Re-enqueues due deliveries without a live job, for example after a crash. */
export async function enqueueStaleDeliveries(database: DataSource, age = 30): Promise<void> {
  const due: (Pick<WebhookDelivery, 'id' | 'endpointId'> & { organization: string })[] = await database.query(
    `SELECT "id", "endpointId", "organizationId" AS "organization" FROM (
        SELECT *, row_number() OVER (PARTITION BY "organizationId", "endpointId" ORDER BY "nextAttemptAt") AS "place"
          FROM "webhook_delivery" WHERE "status" = 'pending' AND "nextAttemptAt" <= now() - make_interval(secs => $1)) AS "due"
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

/** Deletes deliveries after 30 days. Those that are pending are tried for three days at most. */
export async function deleteOldDeliveries({ manager }: DataSource): Promise<void> {
  await writeRows(
    manager,
    WebhookDelivery,
    `DELETE FROM "webhook_delivery" WHERE "createdAt" < now() - make_interval(days => ${retentionDays}) AND "status" <> 'pending'`,
  )
}

/** Disables the endpoints that have accepted nothing for five days. */
export async function disableFailingEndpoints(database: DataSource): Promise<void> {
  const failing: WebhookEndpoint[] = await database.query(
    `SELECT "id", "organizationId" FROM "webhook_endpoint"
      WHERE "enabled" AND "failingSince" < now() - make_interval(days => ${failingDays})`,
  )
  await runAll(failing, (endpoint) =>
    database.transaction((manager) =>
      disableEndpoint({ manager, tenant: endpoint.organizationId }, endpoint, 'failing'),
    ),
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
