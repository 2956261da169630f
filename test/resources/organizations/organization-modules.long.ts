import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { AuditEvent, Organization } from '../../../entities/index.ts'
import { type ModuleOverride, overrideModule } from '../../../src/workspace/modules.ts'
import { openWorld } from '../../support/world.ts'

const { api, as, database, foundTenant, givenAddress, operator, organization, tenant } = await openWorld()

const run = promisify(execFile)
const own = { organizationId: organization.id }
const order = (name: string, wish: ModuleOverride, limit?: number) =>
  overrideModule(database, { slug: 'acme', name, wish, limit })

async function modules(agent = api): Promise<Record<string, unknown>> {
  const { body } = await agent.get('/organization-modules')
  return Object.fromEntries(
    body.member.map(({ name, enabled, source, limit }: Record<string, string>) => [name, [enabled, source, limit]]),
  )
}

async function moduleCalled(name: string) {
  return (await api.get(`/organization-modules?name=${name}`)).body.member[0]
}

const off = [false, null, null]
await givenAddress()

test('an organization has every module of the catalogue, none of them enabled until it is paid for', async () => {
  expect(await modules()).toEqual({ planning: off, banking: off, invoicing: off, reporting: off })
})

test('subscribed modules are enabled while the subscription is active', async () => {
  const { body } = await api.post('/subscriptions', { modules: ['planning', 'banking'] })
  expect(await modules()).toMatchObject({ planning: off, banking: off })
  await as(operator).post(`${body['@id']}/confirm`).expect(201)
  const bought = [true, 'subscription', null]
  expect(await modules()).toEqual({ planning: bought, banking: bought, invoicing: off, reporting: off })
  await api.patch(body['@id'], { modules: ['banking'] }).expect(200)
  expect(await modules()).toMatchObject({ planning: off, banking: bought })
})

test('the operator gives what is not subscribed to, with a limit, and takes what is', async () => {
  await order('reporting', 'on', 5)
  await order('banking', 'off')
  expect(await modules()).toMatchObject({ reporting: [true, 'operator', 5], banking: [false, 'operator', null] })
})

test('the operator’s override survives changes of the subscription', async () => {
  const { currentSubscription } = (await api.get(`/organizations/${organization.id}`)).body
  await api.patch(currentSubscription, { modules: ['banking', 'invoicing'] }).expect(200)
  expect(await modules()).toMatchObject({
    reporting: [true, 'operator', 5],
    banking: [false, 'operator', null],
    invoicing: [true, 'subscription', null],
  })
})

test('left to the subscription again, they are as that has them', async () => {
  await order('reporting', 'auto')
  await order('banking', 'auto')
  expect(await modules()).toMatchObject({ reporting: off, banking: [true, 'subscription', null] })
  const { currentSubscription } = (await api.get(`/organizations/${organization.id}`)).body
  await api.post(`${currentSubscription}/cancel`, { immediately: true }).expect(201)
  expect(await modules()).toEqual({ planning: off, banking: off, invoicing: off, reporting: off })
  await order('planning', 'auto')
  expect(await modules()).toMatchObject({ planning: off })
})

test('each override is audited without an actor of the organization', async () => {
  const before = await database.manager.countBy(AuditEvent, own)
  const { '@id': iri } = await moduleCalled('planning')
  await order('planning', 'on', 3)
  await order('planning', 'on', 3)
  const { body } = await api.get(`/audit-events?target=${iri}&order[at]=desc`)
  expect(await database.manager.countBy(AuditEvent, own)).toBe(before + 1)
  expect(body.member[0]).toMatchObject({
    action: 'organizationModule.override',
    actor: null,
    changes: { enabled: [false, true], source: [null, 'operator'], limit: [null, 3] },
  })
  expect((await api.get('/audit-events?exists[actor]=false')).body.totalItems).toBeGreaterThan(0)
  await order('planning', 'auto')
})

test('a client that knew it before sees that it has changed, and another organization nothing of it', async () => {
  const other = await foundTenant('Other', 'other')
  const { '@id': iri } = await moduleCalled('planning')
  const { headers } = await api.get(iri)
  await order('planning', 'on')
  expect((await api.get(iri).set('If-None-Match', headers.etag)).status).toBe(200)
  expect((await modules(as(other.users.owner))).planning).toEqual(off)
  expect((await as(tenant.users.member).get(iri)).body.enabled).toBe(true)
  await order('planning', 'auto')
})

test('a subscription that begins at the same moment is not overlooked', async () => {
  for (let round = 0; round < 10; round++) {
    await order('planning', 'off')
    const { body } = await api.post('/subscriptions', { modules: ['planning'] })
    await Promise.all([as(operator).post(`${body['@id']}/confirm`).expect(201), order('planning', 'auto')])
    expect((await modules()).planning).toEqual([true, 'subscription', null])
    await api.post(`${body['@id']}/cancel`, { immediately: true }).expect(201)
  }
})

test('modules cannot be changed over the API', async () => {
  const { '@id': iri } = await moduleCalled('planning')
  for (const agent of [api, as(operator)])
    expect((await agent.patch(iri, { enabled: true, source: 'operator', limit: 1 })).status).toBe(405)
})

test.each([
  [{ slug: 'nobody', name: 'planning' }, 'There is no organization with the slug "nobody".'],
  [{ slug: 'acme', name: 'plumbing' }, /There is no module "plumbing".*planning, banking, invoicing, reporting/],
])('%j cannot be overridden, and it is said why', async (wrong, message) => {
  await expect(overrideModule(database, { ...wrong, wish: 'on' })).rejects.toThrow(message)
})

test('npm run module does it from the command line', async () => {
  const { host, port, user } = JSON.parse(process.env.TEST_POSTGRES ?? '{}')
  const url = `postgres://${user}@localhost:${port}/${database.options.database}?host=${encodeURIComponent(host)}`
  const command = (...words: string[]) =>
    run(process.execPath, ['dist/bundle/module.js', ...words], {
      env: { ...process.env, NODE_ENV: '', DATABASE_URL: url },
    })
  expect((await command('acme', 'reporting', 'on', '--limit', '7')).stdout).toBe(
    'acme reporting: on (set by the operator, limit 7)\n',
  )
  expect((await modules()).reporting).toEqual([true, 'operator', 7])
  expect((await command('acme', 'reporting', 'auto')).stdout).toBe('acme reporting: off (not in the subscription)\n')
  for (const wrong of [['acme'], ['acme', 'reporting', 'maybe'], ['acme', 'reporting', 'on', '--limit', '-1']])
    await expect(command(...wrong)).rejects.toMatchObject({ code: 1 })
  await expect(command('nobody', 'reporting', 'on')).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringContaining('There is no organization with the slug "nobody".'),
  })
  expect(await database.manager.countBy(Organization, { slug: 'acme' })).toBe(1)
}, 60_000)
