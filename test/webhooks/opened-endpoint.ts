import { WebhookDelivery } from '../../entities/index.ts'
import { eventually } from '../support/eventually.ts'
import { jobs } from '../support/jobs.ts'
import { openWorld, type Tenant } from '../support/world.ts'
import { Receiver } from './receiver.ts'

const { as, database, foundTenant } = await openWorld()

let count = 0

/** A tenant with an endpoint at a receiver of its own. */
export async function opened(body: object = {}) {
  const receiver = await new Receiver().start()
  const tenant = await foundTenant('Receiving', `receiving-${++count}`)
  const api = as(tenant.users.owner)
  const named = { url: receiver.url, events: ['organizationAddress.create'], role: 'owner', ...body }
  const { body: endpoint } = await api.post('/webhook-endpoints', named).expect(201)
  return { receiver, tenant, api, endpoint, iri: endpoint['@id'] as string, secret: endpoint.secret as string }
}

type Opened = Awaited<ReturnType<typeof opened>>

export const address = { kind: 'postal', name: 'Post', street: 'Dam', city: 'Amsterdam', country: '/countries/NL' }

/** Makes an event, and returns its IRI and its delivery. */
export async function happened({ tenant, api }: Pick<Opened, 'tenant' | 'api'>) {
  await api.post('/organization-addresses', address).expect(201)
  const { body } = await api.get('/audit-events?action=organizationAddress.create')
  const event = body.member.at(-1)
  return { event, delivery: await deliveryOf(tenant) }
}

const deliveryOf = ({ organization }: Tenant) =>
  database.manager.findOneOrFail(WebhookDelivery, {
    where: { organizationId: organization.id },
    order: { id: 'DESC' },
  })

/** Waits until the last delivery is as expected. */
export const settled = ({ tenant }: Pick<Opened, 'tenant'>, values: Partial<WebhookDelivery>) =>
  eventually(
    () => deliveryOf(tenant),
    (delivery) => expect(delivery).toMatchObject(values),
  )

/** Lets a delivery be due, as after its pause, without a job: as after a crash. */
export async function sweep({ id, organizationId }: WebhookDelivery) {
  await database.query(
    `UPDATE "webhook_delivery" SET "nextAttemptAt" = now() - interval '1 minute' WHERE "organizationId" = $1 AND "id" = $2`,
    [organizationId, id],
  )
  await jobs.takeUp()
}

/** An answer of a receiver. */
export const answering =
  (status: number, headers: Record<string, string> = {}, body = ''): Receiver['answer'] =>
  (response) =>
    response.writeHead(status, headers).end(body)

/** Waits until as many statements wait for a lock. */
export const lockWaits = (count: number) =>
  eventually(
    () =>
      database.query(
        `SELECT "query" FROM pg_stat_activity WHERE "datname" = current_database() AND "wait_event_type" = 'Lock'`,
      ),
    (waiting) => expect(waiting).toHaveLength(count),
  )
