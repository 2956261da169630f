import { Type } from 'class-transformer'
import { IsObject } from 'class-validator'
import { type WebhookDelivery, WebhookEndpoint } from '../../entities/index.ts'
import { type Call, copyEntity, type Operation, Problem } from '../hydra/index.ts'
import { enqueueSending, newDelivery } from '../webhooks/enqueue-deliveries.ts'
import { testEvent } from '../webhooks/send-delivery.ts'

/** The body of a test. */
export class WebhookTest {
  @IsObject()
  @Type(() => WebhookEndpoint)
  endpoint: WebhookEndpoint
}

export const test: Operation<WebhookDelivery> = {
  name: 'test',
  method: 'POST',
  path: '/test',
  title: () => 'Send a test event',
  description: `The event is named "${testEvent}", and is in no audit log. It is not repeated after a failure. 409 refuses a disabled endpoint.`,
  expects: WebhookTest,
  returns: 'item',
  statuses: [201, 400, 409, 413, 415, 422],
  sensitive: 'minute',
  link: {
    name: 'sendTest',
    on: WebhookEndpoint,
    when: ({ enabled }: WebhookEndpoint) => enabled,
    href: () => '/webhook-deliveries/test',
  },
  async handle(call) {
    const { endpoint } = await call.input(WebhookTest)
    await requireEnabled(call, endpoint.id)
    const delivery = newDelivery({ organizationId: call.tenant, endpointId: endpoint.id, event: testEvent })
    return call.unitOfWork.transaction(async () => {
      await call.unitOfWork.insert(delivery)
      await enqueueSending(call.manager, call.tenant, [delivery])
      return delivery
    })
  },
}

export const resend: Operation<WebhookDelivery> = {
  name: 'resend',
  method: 'POST',
  path: '/:id/resend',
  title: () => 'Send a delivery again',
  description:
    'The content and "webhook-id" stay the same, so the receiver recognizes a repetition. 409 refuses a disabled endpoint. A pending ' +
    'delivery is sent at once.',
  returns: 'item',
  statuses: [201, 404, 409],
  link: { name: 'resend' },
  async handle(call) {
    const before = await call.find()
    await requireEnabled(call, before.endpointId)
    const after = copyEntity(before).startOver()
    return call.unitOfWork.transaction(async () => {
      await call.unitOfWork.save(before, after)
      await enqueueSending(call.manager, call.tenant, [after])
      return after
    })
  },
}

/** @throws Problem 409 where the endpoint gets no events */
async function requireEnabled(call: Call, id: string): Promise<void> {
  const { enabled } = await call.get(WebhookEndpoint, id)
  if (!enabled) throw new Problem(409, 'The endpoint is disabled: enable it first.')
}
