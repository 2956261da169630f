import { OrganizationUser, WebhookEndpoint } from '../../entities/index.ts'
import { record } from '../audit/audit-log.ts'
import { type Call, writeRows } from '../hydra/index.ts'
import { disableEndpoint } from './disable.ts'

/** Disables the enabled endpoints of an organization that is being closed. */
export async function disableAllEndpoints({ manager, tenant, caller }: Call): Promise<void> {
  const enabled = await manager.findBy(WebhookEndpoint, { organizationId: tenant, enabled: true })
  for (const endpoint of enabled) await disableEndpoint({ manager, tenant, caller }, endpoint, 'organizationClosed')
}

/** Enables the endpoints that the closing has disabled. That of a creator who has left meanwhile stays disabled. */
export async function enableAllEndpoints(call: Call): Promise<void> {
  const own = { organizationId: call.tenant }
  const members = await call.manager.findBy(OrganizationUser, { ...own, status: 'active' })
  const closed = await call.manager.findBy(WebhookEndpoint, { ...own, disabledReason: 'organizationClosed' })
  for (const endpoint of closed) {
    const creator = members.find(({ userId }) => userId === endpoint.createdById)
    await (creator?.createsEndpoints(endpoint.role) ? enable(call, endpoint) : setReason(call, endpoint))
  }
}

async function enable(by: Call, { organizationId, id }: WebhookEndpoint): Promise<void> {
  await writeRows(
    by.manager,
    WebhookEndpoint,
    `UPDATE "webhook_endpoint" SET "enabled" = true, "disabledReason" = NULL, "updatedAt" = now(), "version" = "version" + 1
      WHERE "organizationId" = :organizationId AND "id" = :id`,
    { organizationId, id },
  )
  await record({
    by,
    action: 'webhookEndpoint.update',
    target: `/webhook-endpoints/${id}`,
    changes: { enabled: [false, true], disabledReason: ['organizationClosed', null] },
  })
}

async function setReason({ manager }: Call, { organizationId, id }: WebhookEndpoint): Promise<void> {
  await writeRows(
    manager,
    WebhookEndpoint,
    `UPDATE "webhook_endpoint" SET "disabledReason" = 'creatorLeft', "updatedAt" = now(), "version" = "version" + 1
      WHERE "organizationId" = :organizationId AND "id" = :id`,
    { organizationId, id },
  )
}
