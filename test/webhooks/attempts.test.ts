import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { pino } from 'pino'
import { OrganizationUser, WebhookDelivery, WebhookEndpoint } from '../../entities/index.ts'
import { backgroundSource } from '../../ormconfig.ts'
import { record } from '../../src/audit/audit-log.ts'
import { TenantScope } from '../../src/hydra/index.ts'
import { jobTasks } from '../../src/runtime/jobs.ts'
import { readKeys } from '../../src/secrets/sealed-text.ts'
import { openSecret } from '../../src/webhooks/secret.ts'
import { eventually } from '../support/eventually.ts'
import { jobs, startJobs } from '../support/jobs.ts'
import { freePort } from '../support/processes/free-port.ts'
import { openWorld } from '../support/world.ts'
import { serveNames } from './name-server.ts'
import { address, answering, happened, lockWaits, opened, settled, sweep } from './opened-endpoint.ts'
import { Receiver } from './receiver.ts'

const { as, database, foundTenant, given, outside, person, secretKeys, served } = await openWorld()

await startJobs({ webhooks: { ...outside.webhooks, timeoutMs: 1500 } })

describe('an attempt', () => {
  test('fails where the receiver is silent, before or after the head of its answer', async () => {
    const silent: Receiver['answer'][] = [() => {}, (response) => response.writeHead(200).write('a')]
    const worlds = await Promise.all(silent.map(() => opened()))
    worlds.forEach(({ receiver }, index) => {
      receiver.answer = silent[index]
    })
    for (const world of worlds) await happened(world)
    const error = 'The receiver did not answer within 1.5 seconds.'
    for (const world of worlds) await settled(world, { attempts: 1, status: 'pending', error, responseStatus: null })
  })

  test('reads 64 kB of an answer that does not end, and closes the connection', async () => {
    const world = await opened()
    let [sent, closed]: [number, Promise<unknown> | undefined] = [0, undefined]
    world.receiver.answer = (response) => {
      closed = once(response, 'close')
      const piece = 'é'.repeat(8 * 1024)
      const write = () => {
        while (!response.destroyed && response.write(piece)) sent += 1
      }
      response.writeHead(200).on('drain', write)
      write()
    }
    await happened(world)
    const { responseBody } = await settled(world, { status: 'delivered', responseStatus: 200 })
    expect(responseBody).toBe('é'.repeat(1000))
    await closed
    expect(sent).toBeGreaterThan(3)
  })

  test('uses the address that was checked, although the name leads to a private one a moment later', async () => {
    const host = 'rebound.example.com'
    let queries = 0
    await serveNames({
      // The block 3ffe::/16 is public, and no host has an address in it (RFC 3701).
      [host]: (query) => {
        queries = query
        return query <= 1 ? ['3ffe::1'] : ['::1', '127.0.0.1']
      },
    })
    const receiver = await new Receiver().start({ tls: true })
    const world = await opened({ url: `https://${host}:${receiver.port}/` })
    await happened(world)
    const failed = await settled(world, {
      attempts: 1,
      error: expect.stringMatching(/^The connection to the receiver failed|did not answer within/) as never,
    })
    expect([queries, receiver.connections]).toEqual([1, 0])
    await sweep(failed)
    await settled(world, {
      attempts: 2,
      error: `The host ${host} has a private address, to which webhooks are not sent.`,
    })
    expect(receiver.connections).toBe(0)
  })
})

describe('the secrets of an endpoint', () => {
  const keepSecrets = (keys: typeof secretKeys) =>
    jobTasks(served, { ...outside, webhooks: { ...outside.webhooks, keys } }, pino({ level: 'silent' })).keepSecrets(
      {} as never,
    )

  const sealedOf = (id: string) =>
    database.manager
      .createQueryBuilder(WebhookEndpoint, 'endpoint')
      .addSelect(['endpoint.sealedSecret', 'endpoint.sealedFormerSecret'])
      .where({ id })
      .getOneOrFail()

  test('are encrypted with a new first key, after which the old key can be removed', async () => {
    const world = await opened()
    const { id } = world.endpoint
    const { body } = await world.api.post(`${world.iri}/renew-secret`).expect(201)
    const newer = readKeys(randomBytes(32).toString('base64'))
    await keepSecrets([...newer, ...secretKeys])
    const owner = await sealedOf(id)
    const opening = [owner.sealedSecret, owner.sealedFormerSecret].map((each) =>
      openSecret(each as string, newer, owner),
    )
    expect(opening).toEqual([body.secret, world.secret])
    await keepSecrets([...secretKeys, ...newer])
  })

  test('are deleted once they sign no more', async () => {
    const world = await opened()
    const { id } = world.endpoint
    await world.api.post(`${world.iri}/renew-secret`).expect(201)
    await keepSecrets(secretKeys)
    expect((await sealedOf(id)).sealedFormerSecret).not.toBeNull()
    await database.manager.update(WebhookEndpoint, { id }, { formerSecretUntil: new Date() })
    await keepSecrets(secretKeys)
    expect(await sealedOf(id)).toMatchObject({ sealedFormerSecret: null, sealedSecret: expect.stringMatching(/^v1\./) })
    await happened(world)
    await settled(world, { status: 'delivered' })
  })
})

test('the program of the guide verifies events, refuses forged ones, and skips repetitions', async () => {
  const guide = await readFile('docs/guides/webhooks.md', 'utf8')
  const [, program] = /```js\n([\s\S]*?)```/.exec(guide) as RegExpExecArray
  const url = `http://localhost:${await freePort()}/`
  const world = await opened({ url })
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    env: { PATH: process.env.PATH, PORT: new URL(url).port, WEBHOOK_SECRET: world.secret },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const lines: string[] = []
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(line))
  try {
    await eventually(() => expect(lines).toEqual(['listening']))
    const { event, delivery } = await happened(world)
    await settled(world, { status: 'delivered', responseStatus: 204 })
    await world.api.post(`/webhook-deliveries/${delivery.id}/resend`).expect(201)
    await settled(world, { status: 'delivered', version: 4 })
    const forged = await fetch(url, { method: 'POST', body: '{}', headers: { 'webhook-id': 'forged' } })
    expect(forged.status).toBe(400)
    expect(lines).toEqual(['listening', `${event.action} ${event.target}`])
  } finally {
    child.kill()
    await once(child, 'exit')
  }
})

describe('the removal of an endpoint', () => {
  const countOf = (endpointId: string) => database.manager.countBy(WebhookDelivery, { endpointId })

  test('waits for an event that is being stored, and removes its delivery', async () => {
    const { tenant, api, iri, endpoint } = await opened()
    const { removed } = await database.transaction(async (manager) => {
      const by = { manager, tenant: tenant.organization.id }
      await record({ by, action: 'organizationAddress.create', target: '/', changes: { city: [null, 'x'] } })
      const removed = api.delete(iri).then(({ status }) => status)
      await lockWaits(1)
      return { removed }
    })
    expect(await removed).toBe(204)
    expect(await countOf(endpoint.id)).toBe(0)
  })

  test('lets an event wait, which then has no delivery', async () => {
    const world = await opened()
    const { delivery } = await happened(world)
    await settled(world, { status: 'delivered' })
    const { removed, stored } = await database.transaction(async (manager) => {
      await manager.query('SELECT FROM "webhook_delivery" WHERE "id" = $1 FOR UPDATE', [delivery.id])
      const removed = world.api.delete(world.iri).then(({ status }) => status)
      await lockWaits(1)
      const stored = world.api.post('/organization-addresses', address).then(({ status }) => status)
      await lockWaits(2)
      return { removed, stored }
    })
    expect(await Promise.all([removed, stored])).toEqual([204, 201])
    expect(await countOf(world.endpoint.id)).toBe(0)
  })

  test('waits for an answer that is being stored', async () => {
    const world = await opened()
    const { delivery } = await happened(world)
    await settled(world, { status: 'delivered' })
    const { resent, removed } = await database.transaction(async (manager) => {
      await manager.query('SELECT FROM "webhook_endpoint" WHERE "id" = $1 FOR UPDATE', [world.endpoint.id])
      const resent = await world.api.post(`/webhook-deliveries/${delivery.id}/resend`)
      await eventually(() => expect(world.receiver.messages).toHaveLength(2))
      const removed = world.api.delete(world.iri).then(({ status }) => status)
      await lockWaits(2)
      return { resent, removed }
    })
    expect([resent.status, await removed]).toEqual([201, 204])
    expect(await countOf(world.endpoint.id)).toBe(0)
  })
})

test('on a distributed database an event asks for its endpoints in a statement of its own', async () => {
  const { tenant, endpoint } = await opened()
  await database.query('CREATE TABLE "pg_dist_partition" AS SELECT 1 AS "part"')
  await database.query('GRANT SELECT ON "pg_dist_partition" TO PUBLIC')
  const source = await backgroundSource(served, 1).initialize()
  try {
    await TenantScope.every.view(source).transaction(async (manager) => {
      const by = { manager, tenant: tenant.organization.id }
      await record({ by, action: 'organizationAddress.create', target: '/', changes: { city: [null, 'x'] } })
      const inserts = `"statement" ~ 'INSERT INTO "audit_event"'`
      const found = await manager.query(`SELECT "statement" FROM pg_prepared_statements WHERE ${inserts}`)
      expect(found).toEqual([{ statement: expect.not.stringContaining('webhook_endpoint') }])
    })
  } finally {
    await source.destroy()
    await database.query('DROP TABLE "pg_dist_partition"')
  }
  expect(await database.manager.countBy(WebhookDelivery, { endpointId: endpoint.id })).toBe(1)
})

describe('an endpoint is disabled', () => {
  test('when the person who created it leaves, or may no longer read what it sends', async () => {
    const { users, organization } = await foundTenant('Leaving', 'leaving-creator')
    const owner = as(users.owner)
    const second = await person('second')
    const { id } = await given(OrganizationUser, {
      user: second,
      name: 'second',
      role: 'owner',
      organizationId: organization.id,
    })
    const created = async (role: string) =>
      (
        await as(second, { organization: organization.id }).post('/webhook-endpoints', {
          url: 'http://localhost:1/',
          role,
        })
      ).body['@id']
    const [whole, thin] = [await created('owner'), await created('admin')]
    const statusOf = async (iri: string) => (await owner.get(iri)).body.disabledReason
    await owner.patch(`/organization-users/${id}`, { role: 'admin' }).expect(200)
    expect([await statusOf(whole), await statusOf(thin)]).toEqual(['creatorLeft', null])
    await owner.delete(`/organization-users/${id}`).expect(204)
    expect(await statusOf(thin)).toBe('creatorLeft')
  })

  test('after five days without success in which several deliveries failed', async () => {
    const world = await opened()
    world.receiver.answer = answering(500)
    const setFailing = (since: string, by = database.manager) =>
      by.query(`UPDATE "webhook_endpoint" SET "failingSince" = ${since} WHERE "id" = $1`, [world.endpoint.id])
    for (const count of [1, 2, 3]) {
      await happened(world)
      await settled(world, { attempts: 1, responseStatus: 500 })
      if (count === 1) await setFailing(`now() - interval '121 hours'`)
      if (count < 3) await jobs.tendWebhooks()
      expect((await world.api.get(world.iri)).body.status).toBe('failing')
    }
    await database
      .transaction(async (manager) => {
        await setFailing('NULL', manager)
        const tended = jobs.tendWebhooks()
        await lockWaits(1)
        return { tended }
      })
      .then(({ tended }) => tended)
    expect((await world.api.get(world.iri)).body.status).toBe('active')
    await setFailing(`now() - interval '121 hours'`)
    await jobs.tendWebhooks()
    expect((await world.api.get(world.iri)).body).toMatchObject({ enabled: false, disabledReason: 'failing' })
  })
})

test('a delivery is deleted after a month', async () => {
  const world = await opened()
  await happened(world)
  const { id } = await settled(world, { status: 'delivered' })
  await database.query(`UPDATE "webhook_delivery" SET "createdAt" = now() - interval '31 days' WHERE "id" = $1`, [id])
  await jobs.tendWebhooks()
  expect(await database.manager.countBy(WebhookDelivery, { id })).toBe(0)
  expect(await database.manager.countBy(WebhookEndpoint, { id: world.endpoint.id })).toBe(1)
})
