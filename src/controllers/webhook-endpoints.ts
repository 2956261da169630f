import { WebhookEndpoint } from '../../entities/index.ts'
import { lockOwnOrganization } from '../access/lock-own-organization.ts'
import { requireOwnerFor } from '../access/membership.ts'
import { record, recordWrite } from '../audit/audit-log.ts'
import {
  type Call,
  copyEntity,
  createEntity,
  createOperation,
  type Operation,
  Problem,
  removeOperation,
  updateOperation,
  type Violation,
} from '../hydra/index.ts'
import { lockOrganization } from '../postgres/locks.ts'
import { type AllowedHosts, refusalOf } from '../webhooks/receiver-url.ts'
import { removeDeliveries } from '../webhooks/remove-deliveries.ts'
import { newSecret, overlapMs, sealSecret } from '../webhooks/secret.ts'
import type { WebhookSettings } from '../webhooks/settings.ts'

/** The most endpoints of an organization: each event is stored once for every one of them. */
const mostEndpoints = 20

export const create = ({ keys, allowedHosts }: WebhookSettings): Operation<WebhookEndpoint> => ({
  ...createOperation<WebhookEndpoint>({}),
  title: () => 'Create a webhook endpoint',
  sets: ['name', 'createdById', 'sealedSecret'],
  sensitive: 'minute',
  secrets: { names: ['secret'] },
  description:
    'The response has the secret, once: keep it. A repetition by Idempotency-Key has null in its place. Deliveries are signed as ' +
    'Standard Webhooks says. A URL with a private address is refused, and a name that leads to one is never called. ' +
    'Only owners create endpoints with the role "owner", and only they see them. 409 refuses more than ' +
    `${mostEndpoints} endpoints.`,
  async handle(call) {
    const own = { organizationId: call.tenant, createdById: call.user }
    const secret = newSecret()
    const blank = Object.assign(createEntity(WebhookEndpoint), own)
    blank.issue(secret, sealSecret(secret, keys, blank))
    const endpoint = await call.read(blank, false, (draft) => {
      const violations = urlViolations(draft, allowedHosts)
      if (draft.name === undefined && violations.length === 0) draft.name = hostOfText(draft.url)
      return violations
    })
    requireOwnerFor(endpoint.role === 'owner', call.caller.role)
    return call.unitOfWork.transaction(async () => {
      await lockOwnOrganization(call)
      await requireFewEndpoints(call)
      await call.unitOfWork.insert(endpoint)
      await recordWrite(call, endpoint)
      return endpoint
    })
  },
})

export const update = ({ allowedHosts }: WebhookSettings): Operation<WebhookEndpoint> => ({
  ...updateOperation<WebhookEndpoint>({
    alsoWrite: recordWrite,
    writes: Object.fromEntries(['url', 'name', 'events', 'enabled'].map((name) => [name, ['admin', 'owner'] as const])),
    prepare(draft) {
      return urlViolations(draft.settle(), allowedHosts)
    },
  }),
  description: 'To enable an endpoint clears the reason why it was disabled. The role cannot change.',
})

export const remove: Operation<WebhookEndpoint> = {
  ...removeOperation<WebhookEndpoint>({
    async alsoWrite(call, endpoint) {
      // Without this lock, two removals at once would each wait for the other's endpoint.
      await lockOrganization(call.manager, call.tenant)
      await recordWrite(call, endpoint)
      await removeDeliveries(call.manager, endpoint)
    },
  }),
  description: 'Its deliveries are removed, too. It is allowed while the organization is suspended or closed.',
}

export const renewSecret = ({ keys }: WebhookSettings): Operation<WebhookEndpoint> => ({
  name: 'renewSecret',
  method: 'POST',
  path: '/:id/renew-secret',
  title: () => 'Renew the secret of a webhook endpoint',
  description:
    'The response has the new secret, once. For a day the former secret signs, too, so that the receiver can change over.',
  returns: 'item',
  statuses: [201, 404, 409],
  sensitive: 'minute',
  secrets: { names: ['secret'] },
  link: { name: 'renewSecret' },
  async handle(call) {
    const { id } = await call.find()
    return call.unitOfWork.transaction(async () => {
      const before = await withSecret(call, id)
      const secret = newSecret()
      const renewed = copyEntity(before).issue(secret, sealSecret(secret, keys, before))
      renewed.sealedFormerSecret = before.sealedSecret
      renewed.formerSecretUntil = new Date(Date.now() + overlapMs)
      await call.unitOfWork.save(before, renewed)
      await record({
        by: call,
        action: 'webhookEndpoint.renewSecret',
        target: call.resource.iri(renewed),
        changes: { formerSecretUntil: [before.formerSecretUntil, renewed.formerSecretUntil] },
      })
      return renewed
    })
  },
})

function hostOfText(url: string): string {
  return URL.canParse(url) ? new URL(url).host.slice(0, 255) : ''
}

function urlViolations({ url }: WebhookEndpoint, allowedHosts: AllowedHosts): Violation[] {
  const message = typeof url === 'string' && url !== '' ? refusalOf(url, allowedHosts) : undefined
  return message ? [{ propertyPath: 'url', message, code: 'isReceiver' }] : []
}

/** An endpoint with its sealed secret, which other reads leave out. The caller has found it, so it may see it. */
async function withSecret({ manager, tenant: organizationId }: Call, id: string): Promise<WebhookEndpoint> {
  const found = await manager
    .createQueryBuilder(WebhookEndpoint, 'endpoint')
    .addSelect('endpoint.sealedSecret')
    .where({ organizationId, id })
    .getOne()
  if (!found) throw new Problem(404, 'The webhook endpoint has just been removed.')
  return found
}

/** @throws Problem 409 when the organization has as many endpoints as it may have */
async function requireFewEndpoints({ manager, tenant: organizationId }: Call): Promise<void> {
  const count = await manager.countBy(WebhookEndpoint, { organizationId })
  if (count >= mostEndpoints)
    throw new Problem(
      409,
      `The organization has ${mostEndpoints} webhook endpoints, which is the limit: remove one first.`,
    )
}
