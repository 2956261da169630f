import { Integration, OrganizationModule } from '../../entities/index.ts'
import type { IntegrationStatus } from '../../entities/integration.ts'
import { openWorld } from '../support/world.ts'

const { api, as, banking, database, elsewhere, given, organization, tenant } = await openWorld()

const { member, admin } = tenant.users
const [setup, pull, revoke] = ['setup', 'pull', 'revoke'].map((name) => `/integrations/kontomatik/${name}`)
const start = { redirectUri: 'https://app.example/bank/return' }

/** No jobs run in this file, so imports and revocations stay unfinished: 202. */
beforeAll(async () => {
  banking.timing.requestMs = 50
  for (const { id } of [organization, elsewhere.organization])
    await database.manager.update(OrganizationModule, { organizationId: id, name: 'banking' }, { enabled: true })
})

afterEach(async () => {
  await database.manager.delete(Integration, { organizationId: organization.id })
})

test('an integration can be read, with links to its operations', async () => {
  const { id } = await given(Integration, { status: 'active', target: 'KontoBankApi', officialName: 'KontoBank' })
  const { status, body } = await as(admin).get(`/integrations/${id}`)
  expect(status).toBe(200)
  expect(body).toMatchObject({
    '@type': 'Integration',
    name: 'KontoBank',
    provider: 'kontomatik',
    status: 'active',
    target: 'KontoBankApi',
    officialName: 'KontoBank',
    consentExpiresAt: null,
    lastPulledAt: null,
    redirectionId: null,
    redirectUrl: null,
    expiresAt: null,
    accounts: [],
    lastError: null,
    imported: null,
    duplicates: null,
    partial: null,
    nextPullAt: null,
    pull,
    revoke,
  })
  expect((await as(admin).get('/integrations')).body.member).toEqual([
    expect.objectContaining({ '@id': `/integrations/${id}`, pull, revoke }),
  ])
})

test.each<[status: IntegrationStatus, links: string[]]>([
  ['pending', [revoke]],
  ['active', [pull, revoke]],
  ['importing', [pull, revoke]],
  ['revoking', [revoke]],
  ['expired', [revoke]],
  ['error', [revoke]],
  ['revoked', []],
])('an integration that is %s has the links %j', async (status, links) => {
  const { id } = await given(Integration, { status })
  const { body } = await api.get(`/integrations/${id}`)
  expect([body.pull, body.revoke].filter(Boolean)).toEqual(links)
})

test('the organization links to the setup, for admins and owners', async () => {
  const path = `/organizations/${organization.id}`
  expect((await as(admin).get(path)).body.setupKontomatik).toBe(setup)
  expect((await as(member).get(path)).body).not.toHaveProperty('setupKontomatik')
})

test.each([
  [setup, start, 201],
  [pull, {}, 202],
  [revoke, {}, 202],
])('POST %s is for admins and owners', async (path, body, status) => {
  await given(Integration, { status: 'active' })
  expect((await as().post(path, body)).status).toBe(401)
  expect((await as(member).post(path, body)).status).toBe(403)
  for (const user of [admin, tenant.users.owner]) expect((await as(user).post(path, body)).status).toBe(status)
  expect((await api.get(path)).status).toBe(405)
})

test('members see no integrations', async () => {
  const { id } = await given(Integration)
  expect((await as(member).get('/integrations')).status).toBe(403)
  expect((await as(member).get(`/integrations/${id}`)).status).toBe(403)
})

test.each([
  [{}, ['redirectUri']],
  [{ redirectUri: null }, ['redirectUri']],
  [{ ...start, redirectionId: 'r-7d1' }, ['redirectUri']],
  [{ ...start, sessionId: '900100' }, ['redirectUri']],
  [{ ...start, accessMode: 'ALWAYS' }, ['accessMode']],
  [{ ...start, country: 'Poland', locale: 'english' }, ['country', 'locale']],
  [{ redirectUri: 5 }, ['redirectUri']],
  [{ redirectUri: `https://x.example/${'x'.repeat(2000)}` }, ['redirectUri']],
  [{ redirectionId: ['r-7d1'] }, ['redirectionId']],
  [{ sessionId: 'x'.repeat(256), sessionIdSignature: {} }, ['sessionId', 'sessionIdSignature']],
])('setup with %j is refused', async (body, paths) => {
  const answer = await api.post(setup, body)
  expect([answer.status, pathsOf(answer.body)]).toEqual([422, paths])
})

describe.each([pull, revoke])('POST %s', (path) => {
  test('without a linked bank is 404', async () => {
    const { status, body } = await api.post(path)
    expect(status).toBe(404)
    expect(body.detail).toMatch(/No bank has been linked/)
    await given(Integration, { organizationId: elsewhere.organization.id, status: 'active' })
    expect((await api.post(path, {})).status).toBe(404)
  })

  test('takes the only integration, or the one that is named', async () => {
    const first = await given(Integration, { status: 'active' })
    expect((await api.post(path)).status).toBe(202)
    const second = await given(Integration, { status: 'active' })
    const unnamed = await api.post(path, {})
    expect([unnamed.status, pathsOf(unnamed.body)]).toEqual([422, ['integration']])
    for (const { id } of [first, second])
      expect((await api.post(path, { integration: `/integrations/${id}` })).status).toBe(202)
  })

  test.each(['/integrations/1', '/meetings/1', 5, {}, [], ''])('refuses the integration %j', async (integration) => {
    await given(Integration, { status: 'active' })
    const { status, body } = await api.post(path, { integration })
    expect([status, pathsOf(body)]).toEqual([422, ['integration']])
  })
})

test.each(['2026-02-30', 'yesterday', '2026-01-01T00:00:00Z', '2026-1-1', 20260101, [], '9999-01-01'])(
  'nothing can be imported since %j',
  async (since) => {
    await given(Integration, { status: 'active' })
    const { status, body } = await api.post(pull, { since })
    expect([status, pathsOf(body)]).toEqual([422, ['since']])
  },
)

test('imports from today and from long ago are accepted', async () => {
  await given(Integration, { status: 'active' })
  for (const since of [new Date().toISOString().slice(0, 10), '2020-02-29', null])
    expect([since, (await api.post(pull, { since })).status]).toEqual([since, 202])
})

function pathsOf({ violations = [] }: { violations?: { propertyPath: string }[] }): string[] {
  return [...new Set(violations.map(({ propertyPath }) => propertyPath))].sort()
}
