import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Organization, WebhookDelivery } from '../../../entities/index.ts'
import { counts } from '../../resources/organizations/organization-rows.ts'
import { dashboard, subscribed } from '../../support/billing/stripe.ts'
import { eventually } from '../../support/eventually.ts'
import { rowsOf } from '../../support/rows/sample-rows.ts'
import { openWorld } from '../../support/world.ts'
import { address } from '../../webhooks/opened-endpoint.ts'
import { Receiver } from '../../webhooks/receiver.ts'
import { selfSigned } from '../../webhooks/self-signed.ts'
import { CallGate } from './call-gate.ts'
import { KilledServer, type Step } from './killed-server.ts'

const { database, databaseName, ending, foundTenant, stripe } = await openWorld()
const { directory } = JSON.parse(process.env.TEST_POSTGRES ?? '{}')

const gate = new CallGate(stripe.url)
await gate.open()
ending.unshift(gate.close)
const authority = join(directory, `authority-${databaseName}.pem`)
await writeFile(authority, selfSigned.cert)
const receiver = await new Receiver().start({ tls: true })
const server = new KilledServer({
  ...{ STRIPE_URL: gate.url, NODE_EXTRA_CA_CERTS: authority },
  WEBHOOK_ALLOWED_HOSTS: `localhost:${receiver.port}`,
})

beforeAll(() => server.start(), 60_000)

const order = (task: string, payload: object, key?: string) =>
  database.query(`SELECT graphile_worker.add_job($1, $2::json, job_key := $3)`, [task, JSON.stringify(payload), key])

/** Makes locks of the killed process a minute older, and runs the job that releases them. */
async function letMinutePass(): Promise<void> {
  await database.query(`UPDATE "webhook_delivery" SET "nextAttemptAt" = "nextAttemptAt" - interval '1 minute'`)
  await database.query(`UPDATE graphile_worker."_private_jobs" SET "locked_at" = "locked_at" - interval '1 minute'`)
  await order('takeUp', {})
}

/** A sync of a customer that no event has triggered. Stripe never answers its request. */
const stopSync = (thorough: boolean) => async (): Promise<Step> => {
  const { customer, externalId, api, path } = await subscribed()
  const key = `${thorough ? 'reconcile' : 'customer'}:${customer}`
  await database.query('SELECT graphile_worker.remove_job($1)', [key])
  return {
    async start() {
      await dashboard.subscriptions.cancel(externalId)
      const held = gate.hold('request', `GET /v1/customers/${customer}`, '')
      await order('followCustomer', { customer, thorough }, key)
      await held
    },
    async verify() {
      await letMinutePass()
      await eventually(
        async () => (await api.get(path)).body.status,
        (status) => expect(status).toBe('canceled'),
        30,
      )
      await eventually(
        () => database.query(`SELECT "id" FROM graphile_worker.jobs WHERE "key" = $1`, [key]),
        (left) => expect(left).toEqual([]),
      )
    },
  }
}

/** An event that its receiver has got over HTTPS. The receiver never answers, so nothing tells the server that it has. */
async function stopWebhook(): Promise<Step> {
  const { organization, users } = await foundTenant('Receiving', 'receiving')
  const [url, events] = [`https://localhost:${receiver.port}/`, ['organizationAddress.create']]
  const { body } = await server.post(users.owner, '/webhook-endpoints', { url, events }, 'endpoint')
  return {
    async start() {
      receiver.answer = () => {}
      await server.post(users.owner, '/organization-addresses', address, 'address')
      await eventually(() => expect(receiver.messages).toHaveLength(1))
    },
    async verify() {
      receiver.answer = (response) => response.writeHead(204).end()
      await letMinutePass()
      const [delivered] = await eventually(
        () => database.manager.findBy(WebhookDelivery, { organizationId: organization.id }),
        (deliveries) => expect(deliveries).toMatchObject([{ status: 'delivered', responseStatus: 204 }]),
        30,
      )
      const [first, second] = receiver.messages
      expect(new Set(receiver.ids)).toEqual(new Set([delivered.id]))
      expect(second.body).toBe(first.body)
      expect(receiver.verified(body.secret, second)).toMatchObject({ type: 'organizationAddress.create' })
    },
  }
}

/** The deletion of a closed organization, whose meetings are gone and whose employees are not. */
async function stopDeletion(): Promise<Step> {
  const tenant = await foundTenant('Leaving', 'leaving')
  const { id } = tenant.organization
  await rowsOf(tenant)
  await server.post(tenant.users.owner, '/organizations/close', { confirm: tenant.organization.slug }, 'close')
  await database.query(`UPDATE "organization" SET "deleteAt" = now() WHERE "id" = $1`, [id])
  return {
    killPoint: { timing: 'BEFORE DELETE ON "employee"', condition: `OLD."organizationId" = '${id}'` },
    start: () => order('deleteOrganization', { organization: id }, `delete:${id}`),
    async verify() {
      expect(await counts(id)).toMatchObject({ meeting: 0, employee: 1, organization_user: 3 })
      await letMinutePass()
      await eventually(
        () => counts(id),
        (left) => expect(left).toMatchObject({ employee: 0, organization_user: 0, organization: 1, audit_event: 2 }),
        30,
      )
      expect(await database.manager.findOneByOrFail(Organization, { id })).toMatchObject({
        deletedAt: expect.any(Date),
      })
    },
  }
}

server.killAtSteps('After the server is killed during a job,', [
  ['the deletion of an organization goes on where it stopped', stopDeletion],
  ['a customer whose sync had no event is synced', stopSync(false)],
  ['a webhook that its receiver got is sent again, under the same id', stopWebhook],
  ['a customer that the nightly reconciliation had reached is synced', stopSync(true)],
])

test('a job is done although Postgres ends every connection of the server while it runs', async () => {
  const { customer, externalId, api, path } = await subscribed()
  await dashboard.subscriptions.cancel(externalId)
  stripe.fault({ kind: 'slow', method: 'GET', path: `/v1/customers/${customer}`, ms: 1500 })
  await order('followCustomer', { customer }, `customer:${customer}`)
  await eventually(
    () =>
      database.query(`SELECT "id" FROM graphile_worker.jobs WHERE "key" = $1 AND locked_at IS NULL`, [
        `customer:${customer}`,
      ]),
    (waiting) => expect(waiting).toEqual([]),
  )
  await sleep(500)
  await database.query(
    `SELECT pg_terminate_backend("pid") FROM pg_stat_activity WHERE "datname" = current_database() AND "pid" <> pg_backend_pid()`,
  )
  await eventually(
    async () => (await api.get(path)).body.status,
    (status) => expect(status).toBe('canceled'),
    30,
  )
  expect(server.unexpectedExits).toBe(0)
}, 60_000)
