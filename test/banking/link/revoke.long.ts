import { AuditEvent, Integration } from '../../../entities/index.ts'
import { defaultTiming } from '../../../src/banking/banking.ts'
import { enqueueStaleIntegrations } from '../../../src/banking/maintenance-jobs.ts'
import { openWorld } from '../../support/world.ts'
import {
  client,
  consentOf,
  linkBank,
  pull,
  requestCount,
  returnUri,
  revoke,
  setUpBanking,
  setup,
  signIn,
  storedRow,
  waitForRow,
} from '../linked-bank.ts'

const { api, banking, database, kontomatik } = await openWorld()

setUpBanking()

test('a consent is ended once, and imported transactions stay', async () => {
  const link = await linkBank({ login: 'r1' })
  const consent = await consentOf(link.id)
  const { accounts } = (await api.post(pull, {})).body
  const { status, body } = await api.post(revoke, {})
  expect([status, body['@id'], body.status, body.accounts]).toEqual([201, link['@id'], 'revoked', accounts])
  expect([body.pull, body.revoke]).toEqual([undefined, undefined])
  expect(await storedRow(link.id)).toMatchObject({ sealedAccess: null, sealedSession: null })
  await expect(client.reuseAccess(consent)).rejects.toMatchObject({ kind: 'access-gone' })
  const again = await api.post(revoke, { integration: link['@id'] })
  expect([again.status, again.body]).toEqual([200, body])
  expect((await api.post(revoke, {})).status).toBe(200)
  const events = await database.manager.find(AuditEvent, { where: { target: link['@id'] }, order: { at: 'ASC' } })
  expect(events.slice(-2).map(({ action, changes, actorId }) => [action, changes, actorId !== null])).toEqual([
    ['integration.revoke', { status: ['active', 'revoking'] }, true],
    ['integration.revoke', { status: ['revoking', 'revoked'] }, false],
  ])
})

test.each([
  [{ kind: 'status', status: 503 } as const],
  [{ kind: 'status', status: 401 } as const],
  [{ kind: 'html' } as const],
  [{ kind: 'exception', name: 'ServiceMaintenance' } as const],
  [{ kind: 'exception', name: 'NobodyKnows' } as const],
])('the consent is kept while Kontomatik responds with %j', async (fault) => {
  banking.timing.revokeMs = defaultTiming.revokeMs
  const link = await linkBank({ login: 'r2' })
  const consent = await consentOf(link.id)
  kontomatik.fault({ ...fault, path: 'delete-multiple-access', times: 99 })
  for (let count = 0; count < 2; count++) {
    const { status, body, headers } = await api.post(revoke, {})
    expect([status, body.status, body.pull, body.revoke]).toEqual([202, 'revoking', undefined, revoke])
    expect(Number(headers['retry-after'])).toBeGreaterThan(0)
    expect(await consentOf(link.id)).toBe(consent)
  }
  kontomatik.clearFaults()
  const ended = await api.post(revoke, {})
  expect([ended.status, ended.body.status, ended.body.lastError]).toEqual([201, 'revoked', null])
})

test('a revocation is retried without a request, also after a lost response', async () => {
  const link = await linkBank({ login: 'r3' })
  const before = requestCount('delete-multiple-access')
  kontomatik.fault({ kind: 'lost', path: 'delete-multiple-access' })
  kontomatik.fault({ kind: 'status', path: 'delete-multiple-access', times: 1 })
  expect((await api.post(revoke, {})).status).toBe(202)
  await waitForRow(link.id, { status: 'revoked' })
  expect(requestCount('delete-multiple-access')).toBe(before + 3)
})

test('a consent is deleted after its 180 days, although Kontomatik cannot be reached', async () => {
  const link = await linkBank({ login: 'r4' })
  kontomatik.fault({ kind: 'status', path: 'delete-multiple-access', times: 99 })
  expect((await api.post(revoke, {})).status).toBe(202)
  await database.manager.update(Integration, { id: link.id }, { consentExpiresAt: new Date(Date.now() - 1000) })
  await enqueueStaleIntegrations(database, 0)
  await waitForRow(link.id, { status: 'revoked' })
  expect((await storedRow(link.id)).sealedAccess).toBeNull()
})

test('a revocation stops a running import, and nothing is imported afterwards', async () => {
  const link = await linkBank({ login: 'r5' })
  kontomatik.fault({ kind: 'slow', path: 'default-import', delay: 800 })
  const pulling = api.post(pull, {}).then((answer) => answer)
  await waitForRow(link.id, { asked: 'import' })
  const { status, body } = await api.post(revoke, {})
  expect([status, body.status]).toEqual([201, 'revoked'])
  expect((await pulling).status).toBe(409)
  expect((await api.get('/bank-transactions')).body.totalItems).toBe(0)
})

test('twenty simultaneous revocations end the consent once', async () => {
  await linkBank({ login: 'r6' })
  const before = requestCount('delete-multiple-access')
  const answers = await Promise.all(Array.from({ length: 20 }, () => api.post(revoke, {})))
  expect(answers.filter(({ body }) => body.status !== 'revoked')).toEqual([])
  expect(requestCount('delete-multiple-access')).toBe(before + 1)
})

test('revoking a pending sign-in ends the consent that it leads to', async () => {
  banking.timing.requestMs = 300
  const { body } = await api.post(setup, { redirectUri: returnUri })
  const called = await api.post(revoke, {})
  expect([called.status, called.body.status]).toEqual([202, 'revoking'])
  await signIn(body.redirectUrl, { target: 'KontoBankApi', login: 'r7' })
  const before = requestCount('delete-multiple-access')
  expect((await api.post(revoke, {})).status).toBeLessThan(203)
  await waitForRow(body.id, { status: 'revoked' })
  expect(requestCount('delete-multiple-access')).toBe(before + 1)
})
