import { randomBytes, randomUUID } from 'node:crypto'
import { Integration } from '../../../entities/index.ts'
import { Banking } from '../../../src/banking/banking.ts'
import { enqueueStaleIntegrations, resealSecrets } from '../../../src/banking/maintenance-jobs.ts'
import { readKeys } from '../../../src/secrets/sealed-text.ts'
import { eventsAbout } from '../../support/rows/audit-events.ts'
import { openWorld } from '../../support/world.ts'
import { mock } from '../client/kontomatik-server.ts'
import {
  client,
  consentOf,
  deleteAll,
  enableBanking,
  linkBank,
  pull,
  requestCount,
  returnUri,
  revoke,
  setUpBanking,
  setup,
  signIn,
  statusAndCode,
  storedRow,
  waitForRow,
} from '../linked-bank.ts'

const { api, as, banking, database, elsewhere, kontomatik, organization, secretKeys, tenant } = await openWorld()

const { admin, owner } = tenant.users

setUpBanking()

const start = (body = {}) => api.post(setup, { redirectUri: returnUri, ...body })

test('setup returns an address to sign in at, valid for one hour', async () => {
  const { status, body, headers } = await start({ country: 'PL', locale: 'en' })
  expect(status).toBe(201)
  expect(headers.location).toBe(body['@id'])
  expect(body).toMatchObject({ '@type': 'Integration', status: 'pending', provider: 'kontomatik', accounts: [] })
  expect(body.redirectionId).toMatch(/^r-/)
  expect(body.redirectUrl).toContain(kontomatik.url)
  expect(Date.parse(body.expiresAt) - Date.now()).toBeGreaterThan(59 * 60_000)
  const request = kontomatik.requests.findLast(({ path }) => path === '/v1/signin/redirection')
  const { ownerExternalId } = await storedRow(body.id)
  expect(JSON.parse(request?.body ?? '')).toEqual({
    redirectUri: returnUri,
    ownerExternalId,
    country: 'pl',
    locale: 'en',
    psd2: { accessMode: 'MULTIPLE' },
  })
  expect((await start()).body.redirectionId).not.toBe(body.redirectionId)
})

test.each([
  ...['https://app.example/bank', 'https://app.example/bank/return/', 'http://app.example/bank/return'],
  ...['https://app.example.evil.example/bank/return', 'https://app.example:444/bank/return', 'javascript:alert(1)'],
  ...['https://u:p@app.example/bank/return', 'https://app.example/bank/return#x', '/bank/return', 'http://127.0.0.1/'],
])('the return address %s is refused', async (redirectUri) => {
  const before = requestCount('/v1/signin/redirection')
  const answer = await api.post(setup, { redirectUri })
  expect([answer.status, answer.body.violations[0].propertyPath]).toEqual([422, 'redirectUri'])
  expect(requestCount('/v1/signin/redirection')).toBe(before)
})

test('the query of a return address is kept, and with the emulator every local address is allowed', async () => {
  expect((await start({ redirectUri: `${returnUri}?tab=2` })).status).toBe(201)
  const local = new Banking({ ...kontomatik, redirects: 'local', keys: readKeys(randomBytes(32).toString('base64')) })
  const addresses = ['http://127.0.0.1:5173/x', 'http://localhost/y', 'http://localhost.evil.example/', returnUri]
  expect(addresses.map((address) => local.allows(address))).toEqual([true, true, false, false])
})

test('setup can be finished after the sign-in, and finishing it twice changes nothing', async () => {
  const { body: begun } = await start()
  const { redirectionId, redirectUrl } = begun
  const early = await api.post(setup, { redirectionId })
  expect([...statusAndCode(early), early.headers['retry-after']]).toEqual([409, 'signin_pending', '5'])
  expect(await signIn(redirectUrl, { target: 'KontoBankApi' })).toBe(`${returnUri}?redirectionId=${redirectionId}`)

  const [one, other] = await Promise.all([1, 2].map(() => api.post(setup, { redirectionId })))
  expect([one.status, other.status].sort()).toEqual([200, 201])
  expect(one.body).toMatchObject({
    '@id': begun['@id'],
    status: 'active',
    target: 'KontoBankApi',
    officialName: 'KontoBank Łódź',
    redirectUrl: null,
    pull,
    revoke,
  })
  expect(Date.parse(one.body.consentExpiresAt) - Date.now()).toBeGreaterThan(179 * 86_400_000)
  const again = await api.post(setup, { redirectionId })
  expect([again.status, again.body]).toEqual([200, one.body])
  expect(kontomatik.imports).toBe(0)

  const events = await eventsAbout(begun['@id'])
  expect(events.map(({ action, actorId, changes }) => [action, actorId, changes])).toEqual([
    ['integration.setup', owner.id, { status: [null, 'pending'] }],
    ['integration.setup', owner.id, { status: ['pending', 'active'] }],
  ])
})

test('a declined sign-in is answered with 422', async () => {
  const { body } = await start()
  await signIn(body.redirectUrl, { decline: '1' })
  expect(statusAndCode(await api.post(setup, { redirectionId: body.redirectionId }))).toEqual([422, 'signin_failed'])
})

test('a sign-in after more than an hour is answered with 410, and its consent is ended', async () => {
  const { body } = await start()
  await signIn(body.redirectUrl, { target: 'KontoBankApi' })
  await database.manager.update(Integration, { id: body.id }, { expiresAt: new Date(Date.now() - 120_000) })
  expect(statusAndCode(await api.post(setup, { redirectionId: body.redirectionId }))).toEqual([410, 'signin_expired'])
  const before = requestCount('delete-multiple-access')
  await enqueueStaleIntegrations(database, 0)
  await waitForRow(body.id, { status: 'revoked' })
  expect(requestCount('delete-multiple-access')).toBe(before + 1)
  expect(statusAndCode(await api.post(setup, { redirectionId: body.redirectionId }))).toEqual([410, 'signin_expired'])
})

test('only the user who started the setup may finish it', async () => {
  const { body } = await start()
  await signIn(body.redirectUrl, { target: 'KontoBankApi' })
  await enableBanking(elsewhere.organization.id)
  const { redirectionId } = body
  const unknown = await api.post(setup, { redirectionId: 'r-nobody' })
  for (const agent of [as(admin), as(elsewhere.users.owner)]) {
    const answer = await agent.post(setup, { redirectionId })
    expect([answer.status, answer.body]).toEqual([404, unknown.body])
  }
  expect((await api.post(setup, { redirectionId })).status).toBe(201)
})

test('without the module setup and pull are refused, but revoke is allowed', async () => {
  const link = await linkBank()
  await enableBanking(organization.id, false)
  expect(statusAndCode(await start())).toEqual([403, 'module_disabled'])
  expect(statusAndCode(await api.post(setup, { redirectionId: 'r-1' }))).toEqual([403, 'module_disabled'])
  expect(statusAndCode(await api.post(pull, {}))).toEqual([403, 'module_disabled'])
  const ended = await api.post(revoke, {})
  expect([ended.status, ended.body['@id'], ended.body.status]).toEqual([201, link['@id'], 'revoked'])
  await enableBanking()
})

describe('A session of the widget', () => {
  const widget = async (login: string, values = {}) => {
    const { session, multipleAccessId } = await client.mockSession(mock(login))
    return { sessionId: session.id, sessionIdSignature: session.signature, multipleAccessId, ...values }
  }

  test('links a bank at once', async () => {
    const given = await widget('eva', { target: 'KontoBankApi', officialName: 'KontoBank' })
    const { status, body } = await api.post(setup, given)
    expect([status, body.status, body.officialName]).toEqual([201, 'active', 'KontoBank'])
    const again = await api.post(setup, given)
    expect([again.status, again.body['@id']]).toEqual([200, body['@id']])
    expect((await api.post(pull, {})).body.imported).toBeGreaterThan(100)
    const late = await api.post(setup, given)
    expect([late.status, late.body['@id']]).toEqual([200, body['@id']])
  })

  test('may allow one import only', async () => {
    const given = await widget('once', { multipleAccessId: null, accessMode: 'SINGLE' })
    expect((await api.post(setup, given)).body).toMatchObject({ status: 'active', consentExpiresAt: null })
    expect((await api.post(pull, {})).body).toMatchObject({ status: 'expired', target: 'KontoBankApi' })
    expect(statusAndCode(await api.post(pull, {}))).toEqual([409, 'consent_expired'])
  })

  test('must be complete', async () => {
    const given = await widget('half')
    for (const missing of ['sessionIdSignature', 'multipleAccessId']) {
      const { status, body } = await api.post(setup, { ...given, [missing]: null })
      expect([status, body.violations[0].propertyPath]).toEqual([422, missing])
    }
  })

  test('that is invalid fails at the first import', async () => {
    const { status } = await api.post(setup, await widget('forged', { sessionIdSignature: 'forged' }))
    expect(status).toBe(201)
    expect((await api.post(pull, {})).status).toBe(201)
    await deleteAll()
    const given = { multipleAccessId: null, accessMode: 'SINGLE', sessionIdSignature: 'forged' }
    await api.post(setup, await widget('forger', given))
    expect(statusAndCode(await api.post(pull, {}))).toEqual([502, 'session_invalid'])
    expect((await api.get('/integrations')).body.member[0]).toMatchObject({
      status: 'error',
      lastError: { code: 'session_invalid' },
    })
  })
})

test('a bank that gives no consent is answered with 502', async () => {
  const { body } = await start({ accessMode: 'SINGLE' })
  await signIn(body.redirectUrl, { target: 'IberiaApi' })
  await database.manager.update(Integration, { id: body.id }, { accessMode: 'MULTIPLE' })
  expect(statusAndCode(await api.post(setup, { redirectionId: body.redirectionId }))).toEqual([502, 'provider_error'])
})

test.each([
  ['ServiceMaintenance', 503, 'provider_unavailable'],
  ['JobsQuotaExceeded', 503, 'provider_busy'],
  ['InvalidTarget', 422, 'bank_not_supported'],
  ['SessionExpired', 422, 'session_invalid'],
  ['AlreadySignedIn', 502, 'provider_error'],
  ['InvalidParameter', 502, 'provider_error'],
])('%s from Kontomatik is answered with %d %s, and no row is left', async (name, status, code) => {
  kontomatik.fault({ kind: 'exception', path: 'signin', name, times: 3 })
  const answer = await start()
  expect(statusAndCode(answer)).toEqual([status, code])
  expect(JSON.stringify(answer.body)).not.toContain(name)
  if (status === 503) expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0)
  kontomatik.clearFaults()
  expect((await api.get('/integrations')).body.totalItems).toBe(0)
})

test('an unknown country is answered with 422, a wrong API key with 502', async () => {
  kontomatik.fault({ kind: 'exception', path: 'redirection', name: 'InvalidParameter' })
  const { status, body } = await start({ country: 'xx' })
  expect([status, body.violations[0].propertyPath]).toEqual([422, 'country'])
  kontomatik.fault({ kind: 'status', path: 'redirection', status: 401 })
  expect(statusAndCode(await start())).toEqual([502, 'provider_misconfigured'])
})

test('setup with the same Idempotency-Key starts once, also after a lost response', async () => {
  const key = randomUUID()
  const post = () => start().set('Idempotency-Key', key)
  kontomatik.fault({ kind: 'lost', path: 'redirection' })
  expect((await post()).status).toBe(503)
  const first = await post()
  const again = await post()
  expect([first.status, again.status, again.text]).toEqual([201, 201, first.text])
  expect((await api.get('/integrations')).body.totalItems).toBe(1)
})

test('a bank that is linked again keeps its accounts, and the former consent is ended, with retries', async () => {
  const former = await linkBank()
  const consent = await consentOf(former.id)
  const { accounts } = (await api.post(pull, {})).body
  kontomatik.fault({ kind: 'status', path: 'delete-multiple-access', times: 2 })
  const link = await linkBank()
  expect(await consentOf(link.id)).not.toBe(consent)
  await waitForRow(former.id, { status: 'revoked' })
  expect(await storedRow(former.id)).toMatchObject({ sealedAccess: null, sealedSession: null })
  await expect(client.reuseAccess(consent)).rejects.toMatchObject({ kind: 'access-gone' })

  const { body } = await api.post(pull, {})
  expect(body).toMatchObject({ '@id': link['@id'], imported: 0 })
  expect([...body.accounts].sort()).toEqual([...accounts].sort())
  expect((await api.get(accounts[0])).body.integration).toBe(link['@id'])
  expect((await storedRow(link.id)).sealedAccess).toBeTruthy()
})

test('credentials of banks are in no response and no log', async () => {
  const link = await linkBank()
  const row = await storedRow(link.id)
  const consent = await consentOf(link.id)
  const session = JSON.parse(banking.vault.open('session', row.sealedSession as string, row))
  expect(row.sealedAccess).toMatch(/^v1\./)
  await api.post(pull, {})
  const tables = await database.query(
    `SELECT tablename FROM pg_tables WHERE schemaname IN ('public', 'graphile_worker')`,
  )
  for (const { tablename } of tables.filter((one: { tablename: string }) => !one.tablename.startsWith('_')))
    for (const secret of [consent, session.signature]) {
      const [{ held }] = await database.query(
        `SELECT count(*)::int AS held FROM "${tablename}" t WHERE t::text LIKE '%' || $1 || '%'`,
        [secret],
      )
      expect([tablename, held]).toEqual([tablename, 0])
    }
  const shown = JSON.stringify([(await api.get(link['@id'])).body, (await api.get('/audit-events')).body])
  for (const secret of [consent, session.signature, 'v1.', 'sealed']) expect(shown).not.toContain(secret)
  expect((await storedRow(link.id)).sealedSession).toBeNull()
})

test('keys are rotated without another sign-in', async () => {
  const link = await linkBank()
  const consent = await consentOf(link.id)
  const before = await storedRow(link.id)
  const newer = randomBytes(32).toString('base64')
  const access = { url: kontomatik.url, apiKey: kontomatik.apiKey, redirects: [] }
  const [only, stranger] = [newer, randomBytes(32).toString('base64')].map(
    (key) => new Banking({ ...access, keys: readKeys(key) }),
  )
  await expect(resealSecrets(database, stranger)).rejects.toThrow(/SECRETS_KEY lacks/)
  expect(await storedRow(link.id)).toEqual(before)
  await resealSecrets(database, new Banking({ ...access, keys: [...readKeys(newer), ...secretKeys] }))
  const after = await storedRow(link.id)
  expect(after.sealedAccess).not.toBe(before.sealedAccess)
  expect(only.vault.open('access', after.sealedAccess as string, after)).toBe(consent)
  expect(() => only.vault.open('session', after.sealedAccess as string, after)).toThrow('altered')
})
