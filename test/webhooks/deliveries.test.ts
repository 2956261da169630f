import { WebhookEndpoint } from '../../entities/index.ts'
import { record } from '../../src/audit/audit-log.ts'
import { eventually } from '../support/eventually.ts'
import { startJobs } from '../support/jobs.ts'
import { openWorld } from '../support/world.ts'
import { serveNames } from './name-server.ts'
import { address, answering, happened, opened, settled, sweep } from './opened-endpoint.ts'
import { Receiver } from './receiver.ts'

const { as, database } = await openWorld()

await startJobs()

describe('an event', () => {
  test('is sent to the endpoint, signed, as its owner reads it', async () => {
    const world = await opened()
    const { event, delivery } = await happened(world)
    await settled(world, { status: 'delivered', responseStatus: 204, attempts: 1, error: null, nextAttemptAt: null })
    const { receiver, secret, api, iri } = world
    const message = receiver.verified(secret)
    expect(message).toMatchObject({ type: 'organizationAddress.create', timestamp: event.at })
    const { body } = await api.get(event['@id'])
    expect(message.data).toEqual({ ...body, '@context': expect.stringMatching(/\/contexts\/AuditEvent$/) })
    expect(message.data.changes).toMatchObject({ city: [null, 'Amsterdam'] })
    expect(receiver.ids).toEqual([delivery.id])
    const { body: shown } = await api.get(`/webhook-deliveries/${delivery.id}`)
    expect(shown).toMatchObject({ endpoint: iri, auditEvent: event['@id'], event: event.action, status: 'delivered' })
    expect((await api.get(iri)).body.lastDeliveredAt).not.toBeNull()
  })

  test('tells an endpoint with the role admin what happened, and neither who did it nor the values', async () => {
    const world = await opened({ role: 'admin' })
    const { event } = await happened(world)
    await settled(world, { status: 'delivered' })
    const { data } = world.receiver.verified(world.secret)
    expect(data).toMatchObject({ '@id': event['@id'], action: event.action, target: event.target })
    expect(data).toMatchObject({ actor: null, apiKey: null, changes: null })
    const admin = as(world.tenant.users.admin)
    const [seen] = (await admin.get('/webhook-deliveries')).body.member
    expect(seen).toMatchObject({ status: 'delivered', auditEvent: null })
  })

  test('of an endpoint that reads as an owner has no delivery that an admin sees', async () => {
    const world = await opened()
    const { delivery } = await happened(world)
    const admin = as(world.tenant.users.admin)
    expect((await admin.get('/webhook-deliveries')).body.totalItems).toBe(0)
    expect((await admin.get(`/webhook-deliveries/${delivery.id}`)).status).toBe(404)
    expect((await admin.post(`/webhook-deliveries/${delivery.id}/resend`)).status).toBe(404)
    expect((await admin.post('/webhook-deliveries/test', { endpoint: world.iri })).status).toBe(422)
  })

  test('that the endpoint does not name is not sent, nor one of another organization', async () => {
    const [world, other] = [await opened({ events: ['organizationUser.remove'] }), await opened({ events: ['*'] })]
    await world.api.post('/organization-addresses', address).expect(201)
    expect((await world.api.get('/webhook-deliveries')).body.totalItems).toBe(0)
    expect((await other.api.get('/webhook-deliveries?event=organizationAddress.create')).body.totalItems).toBe(0)
  })

  test('of a transaction that is rolled back is not sent', async () => {
    const { tenant, api } = await opened()
    const undone = database.transaction(async (manager) => {
      const by = { manager, tenant: tenant.organization.id }
      await record({ by, action: 'organizationAddress.create', target: '/', changes: { city: [null, 'x'] } })
      throw new Error('undone')
    })
    await expect(undone).rejects.toThrow('undone')
    expect((await api.get('/webhook-deliveries')).body.totalItems).toBe(0)
  })

  test('is signed by the former secret, too, after a renewal', async () => {
    const world = await opened()
    const { body } = await world.api.post(`${world.iri}/renew-secret`).expect(201)
    await happened(world)
    await settled(world, { status: 'delivered' })
    for (const secret of [world.secret, body.secret]) expect(world.receiver.verified(secret).type).toBeTruthy()
    await database.query(`UPDATE "webhook_endpoint" SET "formerSecretUntil" = now() WHERE "id" = $1`, [
      world.endpoint.id,
    ])
    await happened(world)
    await eventually(() => expect(world.receiver.messages).toHaveLength(2))
    expect(() => world.receiver.verified(world.secret, world.receiver.messages[1])).toThrow('No matching signature')
  })
})

describe('a delivery that failed', () => {
  test('is sent again with the same id and content, after a pause', async () => {
    const world = await opened()
    world.receiver.answer = answering(500, {}, `broken\0${'x'.repeat(2000)}`)
    const { delivery } = await happened(world)
    const failed = await settled(world, { status: 'pending', attempts: 1, error: 'The receiver answered 500.' })
    expect(failed.responseBody).toBe(`broken${'x'.repeat(994)}`)
    expect((await world.api.get(world.iri)).body.status).toBe('failing')
    world.receiver.answer = answering(200)
    await sweep(failed)
    await settled(world, { status: 'delivered', attempts: 2, error: null })
    expect(world.receiver.ids).toEqual([delivery.id, delivery.id])
    const [first, second] = world.receiver.messages
    expect(second.body).toBe(first.body)
    expect((await world.api.get(world.iri)).body.status).toBe('active')
  })

  test('is sent again when its process has died while it was sent', async () => {
    const world = await opened()
    const { delivery } = await happened(world)
    await settled(world, { status: 'delivered' })
    await database.query(`UPDATE "webhook_delivery" SET "status" = 'pending' WHERE "id" = $1`, [delivery.id])
    await sweep(delivery)
    await settled(world, { status: 'delivered', attempts: 2 })
    expect(world.receiver.ids).toEqual([delivery.id, delivery.id])
  })

  test('waits for as long as its receiver asks, up to a day', async () => {
    const world = await opened()
    for (const [asked, hours] of [
      ['7200', 2],
      ['999999999', 24],
    ] as const) {
      world.receiver.answer = answering(503, { 'Retry-After': asked })
      await happened(world)
      const { nextAttemptAt, lastAttemptAt } = await settled(world, { status: 'pending', responseStatus: 503 })
      const waits = (Number(nextAttemptAt) - Number(lastAttemptAt)) / 3_600_000
      expect(waits).toBeCloseTo(hours, 1)
    }
  })

  test('is sent ten times in three days, after growing pauses, and then given up', async () => {
    const [seconds, minutes, hours] = [1, 60, 3600]
    const pauses = [5 * seconds, 5 * minutes, 30 * minutes, ...[2, 5, 10, 14, 18, 22].map((each) => each * hours)]
    const world = await opened()
    world.receiver.answer = answering(501)
    const { delivery } = await happened(world)
    for (const [index, pause] of pauses.entries()) {
      const attempts = index + 1
      const failed = await settled(world, { attempts, status: 'pending', responseStatus: 500 + attempts })
      const factor = (Number(failed.nextAttemptAt) - Number(failed.updatedAt)) / 1000 / pause
      expect([factor >= 0.999, factor < 1.101]).toEqual([true, true])
      world.receiver.answer = answering(501 + attempts)
      await sweep(failed)
    }
    await settled(world, { status: 'failed', attempts: 10, responseStatus: 510, nextAttemptAt: null })
    expect(new Set(world.receiver.ids)).toEqual(new Set([delivery.id]))
  })

  test('has failed where its receiver changes the protocol', async () => {
    const world = await opened()
    world.receiver.answer = ({ socket }) =>
      socket?.end('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: other\r\n\r\n')
    await happened(world)
    await settled(world, { attempts: 1, error: 'The connection to the receiver failed: no response.' })
  })

  test('has failed where its message cannot be made', async () => {
    const world = await opened()
    const id = world.iri.slice('/webhook-endpoints/'.length)
    await database.manager.update(WebhookEndpoint, { id }, { sealedSecret: 'broken' })
    await happened(world)
    await settled(world, { attempts: 1, status: 'pending', error: 'The service could not make the message.' })
  })

  test('follows no redirect', async () => {
    const [world, target] = [await opened(), await new Receiver().start()]
    world.receiver.answer = answering(307, { Location: target.url })
    await happened(world)
    await settled(world, { error: 'The receiver answered 307, and redirects are not followed.' })
    expect(target.connections).toBe(0)
  })

  test('disables its endpoint where the receiver answers 410', async () => {
    const world = await opened({ events: ['organizationAddress.create', 'webhookEndpoint.disable'] })
    world.receiver.answer = answering(410)
    await happened(world)
    await settled(world, { status: 'failed', responseStatus: 410 })
    const { body } = await world.api.get(world.iri)
    expect(body).toMatchObject({ enabled: false, status: 'disabled', disabledReason: 'gone' })
    const { body: events } = await world.api.get('/audit-events?action=webhookEndpoint.disable')
    expect(events.member).toMatchObject([{ actor: null, target: world.iri }])
    await world.api.post('/organization-addresses', address).expect(201)
    expect((await world.api.get('/webhook-deliveries')).body.totalItems).toBe(1)
  })

  test('shows why no connection was possible', async () => {
    const closed = await opened({ url: 'http://localhost:1/' })
    await happened(closed)
    await settled(closed, { error: 'The receiver refused the connection.', responseStatus: null })
    const tls = await new Receiver().start({ tls: true })
    const untrusted = await opened({ url: `https://localhost:${tls.port}/` })
    await happened(untrusted)
    await settled(untrusted, { error: 'The certificate of the receiver is not valid: DEPTH_ZERO_SELF_SIGNED_CERT.' })
    expect(tls.messages).toEqual([])
  })
})

describe('a private network', () => {
  const names: Record<string, string[]> = {
    'loopback.example.com': ['127.0.0.1'],
    'lan.example.com': ['10.0.0.1'],
    'metadata.example.com': ['169.254.169.254'],
    'mixed.example.com': ['8.8.8.8', '127.0.0.1'],
    'six.example.com': ['::1'],
    'unique.example.com': ['fd00::1'],
    'mapped.example.com': ['::ffff:7f00:1'],
    'both.example.com': ['8.8.8.8', '::1'],
  }
  beforeAll(() => serveNames(names))

  test.each(Object.keys(names))('is not called where %s leads to it', async (host) => {
    const receiver = await new Receiver().start({ tls: true })
    const world = await opened({ url: `https://${host}:${receiver.port}/` })
    await happened(world)
    await settled(world, { error: `The host ${host} has a private address, to which webhooks are not sent.` })
    expect(receiver.connections).toBe(0)
  })

  test('is not called where its address was stored as it is', async () => {
    const world = await opened()
    await database.query(`UPDATE "webhook_endpoint" SET "url" = $1 WHERE "id" = $2`, [
      world.receiver.url.replace('localhost', '127.0.0.1'),
      world.endpoint.id,
    ])
    await happened(world)
    await settled(world, { error: 'The host 127.0.0.1 has a private address, to which webhooks are not sent.' })
    expect(world.receiver.connections).toBe(0)
  })

  test('is no reason for a host without an address', async () => {
    const world = await opened({ url: 'https://unknown.example.com/' })
    await happened(world)
    await settled(world, { error: 'The host unknown.example.com was not found.' })
  })
})

test('a receiver that is silent gets four messages at a time, and delays no other', async () => {
  const [silent, other] = [await opened(), await opened()]
  silent.receiver.answer = () => {}
  for (let n = 0; n < 6; n++) await silent.api.post('/organization-addresses', address).expect(201)
  await eventually(() => expect(silent.receiver.messages).toHaveLength(4))
  await happened(other)
  await settled(other, { status: 'delivered' })
  expect(silent.receiver.messages).toHaveLength(4)
  await silent.receiver.stop()
})

test('32 silent receivers of two organizations leave room for a third organization', async () => {
  const [first, second, other] = [await opened(), await opened(), await opened()]
  const { url, events } = first.endpoint
  first.receiver.answer = () => {}
  await second.api.patch(second.iri, { url }).expect(200)
  for (const { api } of [first, second])
    for (let n = 1; n < 16; n++) await api.post('/webhook-endpoints', { url, events }).expect(201)
  for (const { api } of [first, second]) await api.post('/organization-addresses', address).expect(201)
  await eventually(() => expect(first.receiver.messages).toHaveLength(24))
  await happened(other)
  await settled(other, { status: 'delivered' })
  expect(first.receiver.messages).toHaveLength(24)
  await first.receiver.stop()
})

describe('a person', () => {
  test('sends a test event, which is in no audit log and is not repeated', async () => {
    const world = await opened({ events: [] })
    world.receiver.answer = answering(500)
    const sent = await world.api.post('/webhook-deliveries/test', { endpoint: world.iri }).expect(201)
    expect(sent.body).toMatchObject({ event: 'webhookEndpoint.test', status: 'pending', auditEvent: null })
    await settled(world, { status: 'failed', attempts: 1 })
    const { type, data } = world.receiver.verified(world.secret)
    expect([type, data.target]).toEqual(['webhookEndpoint.test', world.iri])
    expect((await world.api.get('/audit-events?action=webhookEndpoint.test')).body.totalItems).toBe(0)
    expect((await world.api.get(world.iri)).body).toMatchObject({
      status: 'active',
      sendTest: '/webhook-deliveries/test',
    })
  })

  test('sends a delivery again, under its id', async () => {
    const world = await opened()
    const { delivery } = await happened(world)
    await settled(world, { status: 'delivered' })
    const again = await world.api.post(`/webhook-deliveries/${delivery.id}/resend`).expect(201)
    expect(again.body.status).toBe('pending')
    await eventually(() => expect(world.receiver.ids).toEqual([delivery.id, delivery.id]))
    await settled(world, { status: 'delivered', attempts: 1 })
  })

  test('gets 409 for a disabled endpoint', async () => {
    const world = await opened()
    const { delivery } = await happened(world)
    await world.api.patch(world.iri, { enabled: false }).expect(200)
    for (const request of [
      world.api.post('/webhook-deliveries/test', { endpoint: world.iri }),
      world.api.post(`/webhook-deliveries/${delivery.id}/resend`),
    ])
      expect((await request).status).toBe(409)
  })

  test('removes an endpoint with its deliveries', async () => {
    const world = await opened({ events: ['*'] })
    await happened(world)
    await world.api.delete(world.iri).expect(204)
    expect((await world.api.get('/webhook-deliveries')).body.totalItems).toBe(0)
  })
})
