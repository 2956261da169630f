import { setTimeout as sleep } from 'node:timers/promises'
import { Kontomatik } from '../../../src/banking/kontomatik/kontomatik-client.ts'
import { type LocalKontomatik, startLocalKontomatik } from '../../../src/emulators/kontomatik/server.ts'
import { ended, mock, problemOf, serving } from './kontomatik-server.ts'

let local: LocalKontomatik
let kontomatik: Kontomatik

beforeAll(async () => {
  local = await startLocalKontomatik({ importMs: 60 })
  kontomatik = new Kontomatik({ ...local, timeoutMs: 1500 })
})

afterEach(() => local.clearFaults())

afterAll(() => local.stop())

const sent = (path: string) => local.requests.filter((request) => request.path.includes(path)).length

const rows: [string, string, string][] = [
  ['InvalidSessionId', 'session-gone', 'new-session'],
  ['SessionExpired', 'session-gone', 'new-session'],
  ['InvalidSessionIdSignature', 'session-gone', 'new-session'],
  ['NotSignedIn', 'session-gone', 'new-session'],
  ['InvalidMultipleAccessId', 'access-gone', 'never'],
  ['MultipleAccessLimitExceeded', 'limit', 'later'],
  ['JobsQuotaExceeded', 'busy', 'soon'],
  ['ConcurrentSessionsLimitExceed', 'busy', 'soon'],
  ['ConcurrentSessionsLimitExceeded', 'busy', 'soon'],
  ['DefaultImportAlreadyExecuted', 'session-used', 'new-session'],
  ['CommandNotAvailable', 'unsupported', 'never'],
  ['InvalidTarget', 'unsupported', 'never'],
  ['InvalidSince', 'invalid-request', 'never'],
  ['InvalidParameter', 'invalid-request', 'never'],
  ['InvalidOwnerExternalId', 'invalid-request', 'never'],
  ['InvalidArgument', 'invalid-request', 'never'],
  ['InvalidIban', 'invalid-request', 'never'],
  ['InvalidCommandId', 'invalid-request', 'never'],
  ['AlreadySignedIn', 'unknown', 'never'],
  ['NoDataToCalculateScore', 'unknown', 'never'],
  ['ServiceMaintenance', 'outage', 'soon'],
  ['ServiceTemporarilyUnavailable', 'outage', 'soon'],
  ['IOException', 'outage', 'soon'],
  ['SomethingNobodyKnows', 'unknown', 'never'],
]

test.each(rows)('%s is of the kind %s and may be retried: %s', async (name, kind, retry) => {
  const before = sent('reuse')
  local.fault({ kind: 'exception', path: 'reuse', name })
  const refused = await problemOf(kontomatik.reuseAccess('ma-1'))
  expect(refused).toMatchObject({ name, kind, retry, uncertain: false })
  expect(sent('reuse')).toBe(before + 1)

  local.fault({ kind: 'exception', path: 'redirection', name })
  const { accessMode, redirectUri } = { accessMode: 'MULTIPLE' as const, redirectUri: 'https://app.example/' }
  const start = kontomatik.startRedirection({ accessMode, redirectUri, ownerExternalId: 'owner' })
  expect(await problemOf(start)).toMatchObject({ name, kind, retry })

  local.fault({ kind: 'exception', path: '/command/7.xml', name, state: 'error' })
  const command = await kontomatik.command('7')
  expect(command).toMatchObject({ id: '7', state: 'failed', problem: { name, kind, retry } })
})

test('a fatal command without a known exception is an outage', async () => {
  local.fault({ kind: 'exception', path: '/command/7.xml', name: 'NobodyKnows', state: 'fatal' })
  expect(await kontomatik.command('7')).toMatchObject({ state: 'failed', problem: { kind: 'outage' } })
  local.fault({ kind: 'exception', path: '/command/7.xml', name: 'SessionExpired', state: 'fatal' })
  expect(await kontomatik.command('7')).toMatchObject({ state: 'failed', problem: { kind: 'session-gone' } })
})

test.each([
  [400, 'Http400', 'unknown', false],
  [401, 'Http401', 'misconfigured', false],
  [403, 'Http403', 'misconfigured', false],
  [404, 'Http404', 'unknown', false],
  [429, 'Http429', 'busy', false],
  [500, 'Http500', 'outage', true],
  [503, 'Http503', 'outage', true],
])('a status %d without an exception is %s of the kind %s', async (status, name, kind, uncertain) => {
  local.fault({ kind: 'status', path: 'reuse', status })
  expect(await problemOf(kontomatik.reuseAccess('ma-1'))).toMatchObject({ name, kind, uncertain })
})

test.each([
  ['slow', 'Timeout'],
  ['lost', 'Disconnected'],
  ['cut', 'Disconnected'],
  ['html', 'Http502'],
] as const)(
  'a command whose response is %s is not sent again, because it may have been executed',
  async (kind, name) => {
    const { multipleAccessId } = await kontomatik.mockSession(mock(`of-${kind}`))
    const before = sent('reuse')
    local.fault({ kind, path: 'reuse', delay: 400 })
    const impatient = new Kontomatik({ ...local, timeoutMs: 300 })
    const problem = await problemOf(impatient.reuseAccess(multipleAccessId ?? ''))
    expect(problem).toMatchObject({ name, kind: 'outage', uncertain: true, timedOut: kind === 'slow' })
    await sleep(600)
    expect(sent('reuse')).toBe(before + 1)
  },
)

test('an import whose response was lost has started, and only once', async () => {
  const { session } = await kontomatik.mockSession(mock('lost'))
  const before = local.imports
  local.fault({ kind: 'lost', path: 'default-import' })
  expect(await problemOf(kontomatik.startImport(session, '2026-01-01'))).toMatchObject({ uncertain: true })
  expect(local.imports).toBe(before + 1)
  expect(await problemOf(kontomatik.startImport(session, '2026-01-01'))).toMatchObject({ kind: 'session-used' })
})

test.each(['status', 'lost', 'cut', 'html'] as const)('a read is retried after %s', async (kind) => {
  const { session } = await kontomatik.mockSession(mock(`reads-${kind}`))
  const command = await kontomatik.startImport(session, '2026-11-01')
  local.fault({ kind, method: 'GET', path: '/command/', times: 2 })
  expect(await ended(kontomatik, command)).toMatchObject({ state: 'successful' })
  local.fault({ kind, method: 'GET', path: '/command-catalog', times: 1 })
  expect((await kontomatik.listBanks()).length).toBeGreaterThan(0)
})

test('a read is tried three times, and a page of HTML is no reply', async () => {
  const before = sent('catalog')
  local.fault({ kind: 'html', path: 'catalog', status: 200, times: 9 })
  expect(await problemOf(kontomatik.listBanks())).toMatchObject({ name: 'Unreadable', kind: 'outage' })
  expect(sent('catalog')).toBe(before + 3)
})

test('a read without a response ends with a timeout', async () => {
  const silent = await serving(() => {})
  const patient = new Kontomatik({ url: silent.url, apiKey: 'key', timeoutMs: 200 })
  const began = Date.now()
  expect(await problemOf(patient.command('7'))).toMatchObject({ name: 'Timeout', timedOut: true })
  expect(Date.now() - began).toBeLessThan(600)
  silent.stop()
})

test('a response that arrives too slowly ends with a timeout', async () => {
  const dripping = await serving((_, response) => {
    response.write('<reply>')
    setInterval(() => response.write(' '), 20).unref()
  })
  const patient = new Kontomatik({ url: dripping.url, apiKey: 'key', timeoutMs: 200 })
  expect(await problemOf(patient.reuseAccess('ma-1'))).toMatchObject({ name: 'Timeout', uncertain: true })
  dripping.stop()
})

test('a command is retried where the connection was refused, because nothing was sent', async () => {
  const closed = await serving(() => {})
  closed.stop()
  const client = new Kontomatik({ url: closed.url, apiKey: 'key', timeoutMs: 3000 })
  const began = Date.now()
  expect(await problemOf(client.reuseAccess('ma-1'))).toMatchObject({ name: 'NoConnection', uncertain: false })
  expect(Date.now() - began).toBeGreaterThan(200)
})

test('the API key is not sent to the target of a redirect', async () => {
  const keys: unknown[] = []
  const elsewhere = await serving(({ headers }, response) => {
    keys.push(headers['x-api-key'])
    response.end()
  })
  const moved = await serving((_, response) => response.writeHead(307, { location: elsewhere.url }).end())
  const client = new Kontomatik({ url: moved.url, apiKey: 'key' })
  expect(await problemOf(client.reuseAccess('ma-1'))).toMatchObject({ name: 'Redirected', kind: 'misconfigured' })
  expect(keys).toEqual([])
  moved.stop()
  elsewhere.stop()
})
