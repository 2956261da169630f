import type { EntityManager } from 'typeorm'
import { WebhookDelivery, type WebhookEndpoint } from '../../entities/index.ts'
import { writeRows } from '../hydra/index.ts'

/**
 * Deletes the deliveries of an endpoint, which the same transaction removes. It first waits for transactions that store further
 * deliveries; later ones wait for the removal, and then store none.
 */
export async function removeDeliveries(
  manager: EntityManager,
  { organizationId, id }: Pick<WebhookEndpoint, 'organizationId' | 'id'>,
): Promise<void> {
  await manager.query('SELECT FROM "webhook_endpoint" WHERE "organizationId" = $1 AND "id" = $2 FOR UPDATE', [
    organizationId,
    id,
  ])
  await writeRows(
    manager,
    WebhookDelivery,
    'DELETE FROM "webhook_delivery" WHERE "organizationId" = :organizationId AND "endpointId" = :id',
    { organizationId, id },
  )
}
