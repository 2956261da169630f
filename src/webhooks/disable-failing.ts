import type { DataSource, EntityManager } from 'typeorm'
import type { WebhookEndpoint } from '../../entities/index.ts'
import { runAll } from '../queue/run-all.ts'
import { disableEndpoint } from './disable.ts'

/** The days between the first and the last failure, without a success between them, until an endpoint is disabled. */
const failingDays = 5

/** The least number of deliveries that failed in that time: one or two say little about an endpoint that gets few. */
const failedDeliveries = 3

type Key = Pick<WebhookEndpoint, 'organizationId' | 'id'>

const hasFailedLong = `"enabled" AND "failingSince" <= now() - make_interval(days => ${failingDays})`

/** Disables the endpoints that have accepted nothing for five days, in which several deliveries failed. */
export async function disableFailingEndpoints(database: DataSource): Promise<void> {
  const failing: Key[] = await database.query(
    `SELECT "organizationId", "id" FROM "webhook_endpoint" WHERE ${hasFailedLong}`,
  )
  await runAll(failing, (key) =>
    database.transaction(async (manager) => {
      const since = await lockFailing(manager, key)
      if (since && (await failsStill(manager, key, since)))
        await disableEndpoint({ manager, tenant: key.organizationId }, key, 'failing')
    }),
  )
}

/** Locks an endpoint, so that a delivery that it accepts at this moment is stored before or after. @returns its first failure */
async function lockFailing(manager: EntityManager, { organizationId, id }: Key): Promise<Date | undefined> {
  const [found] = await manager.query(
    `SELECT "failingSince" FROM "webhook_endpoint"
      WHERE "organizationId" = $1 AND "id" = $2 AND ${hasFailedLong} FOR NO KEY UPDATE`,
    [organizationId, id],
  )
  return found?.failingSince
}

/** Whether enough deliveries failed since then, the last one days after the first. Test events do not count. */
async function failsStill(manager: EntityManager, { organizationId, id }: Key, since: Date): Promise<boolean> {
  const [{ isFailing }] = await manager.query(
    `SELECT count(*) >= ${failedDeliveries}
        AND max("lastAttemptAt") >= $3::timestamptz + make_interval(days => ${failingDays}) AS "isFailing"
      FROM "webhook_delivery"
      WHERE "organizationId" = $1 AND "endpointId" = $2 AND "auditEventId" IS NOT NULL AND "error" IS NOT NULL
        AND "lastAttemptAt" >= $3::timestamptz - interval '1 minute'`,
    [organizationId, id, since],
  )
  return isFailing === true
}
