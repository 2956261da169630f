import { type OrganizationUser, WebhookEndpoint } from '../../entities/index.ts'
import type { DisabledReason } from '../../entities/webhook-endpoint.ts'
import { type Author, record } from '../audit/audit-log.ts'
import { writeRows } from '../hydra/index.ts'

/** Disables an endpoint, unless it is already. Its pending deliveries fail when they are due. */
export async function disableEndpoint(
  by: Author,
  { organizationId, id }: Pick<WebhookEndpoint, 'organizationId' | 'id'>,
  reason: DisabledReason,
): Promise<void> {
  const disabled = await writeRows(
    by.manager,
    WebhookEndpoint,
    `UPDATE "webhook_endpoint" SET "enabled" = false, "disabledReason" = :reason, "failingSince" = NULL,
        "updatedAt" = now(), "version" = "version" + 1
      WHERE "organizationId" = :organizationId AND "id" = :id AND "enabled"`,
    { organizationId, id, reason },
  )
  if (disabled === 0) return
  await record({
    by,
    action: 'webhookEndpoint.disable',
    target: `/webhook-endpoints/${id}`,
    changes: { enabled: [true, false], disabledReason: [null, reason] },
  })
}

/**
 * Disables the endpoints of a person who may create such endpoints no more: after a removal, a suspension, or a demotion.
 * @param member the membership of the person, if it goes on
 */
export async function disableEndpointsOf(by: Author, createdById: string, member?: OrganizationUser): Promise<void> {
  const own = { organizationId: by.tenant, createdById, enabled: true }
  const found = await by.manager.findBy(WebhookEndpoint, own)
  for (const endpoint of found.filter(({ role }) => !member?.createsEndpoints(role)))
    await disableEndpoint(by, endpoint, 'creatorLeft')
}
