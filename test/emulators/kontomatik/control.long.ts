import { readFileSync } from 'node:fs'
import { Kontomatik } from '../../../src/banking/kontomatik/kontomatik-client.ts'
import { faultKinds } from '../../../src/emulators/kontomatik/control/ordered-faults.ts'
import { startLocalKontomatik } from '../../../src/emulators/kontomatik/server.ts'
import { ended, imported, mock, problemOf, raw } from '../../banking/client/kontomatik-server.ts'

const readme = readFileSync('src/emulators/kontomatik/README.md', 'utf8')
const catalog = '/v1/command-catalog.xml'

const local = await startLocalKontomatik({ importMs: 20 })
const kontomatik = new Kontomatik(local)
afterAll(() => local.stop())

/** A control endpoint as curl asks it, with the key. */
async function control<T>(endpoint: string, body?: object): Promise<T> {
  const [method, path] = endpoint.split(' ')
  const response = await fetch(local.url + path, {
    method,
    headers: { 'x-api-key': local.apiKey, ...(body && { 'content-type': 'application/json' }) },
    body: body && JSON.stringify(body),
  })
  expect(response.status).toBe(200)
  return response.json() as Promise<T>
}

const endpoints: Record<string, () => Promise<void>> = {
  async 'GET /local/requests'() {
    await raw(local, catalog)
    const requests = await control<object[]>('GET /local/requests')
    expect(requests.at(-2)).toMatchObject({ method: 'GET', path: catalog, body: '' })
  },
  async 'GET /local/imports'() {
    const { imports } = await control<{ imports: number }>('GET /local/imports')
    const { session } = await kontomatik.mockSession(mock('imports'))
    await imported(kontomatik, session)
    expect(await control('GET /local/imports')).toEqual({ imports: imports + 1 })
  },
  async 'POST /local/advance'() {
    const { session } = await kontomatik.mockSession(mock('advance'))
    await control('POST /local/advance', { days: 1 })
    expect(await problemOf(kontomatik.startImport(session, '2026-01-01'))).toMatchObject({ name: 'InvalidSessionId' })
  },
  async 'POST /local/revoke'() {
    const { multipleAccessId } = await kontomatik.mockSession(mock('revoke'))
    await control('POST /local/revoke', { multipleAccessId })
    expect(await problemOf(kontomatik.reuseAccess(multipleAccessId ?? ''))).toMatchObject({ kind: 'access-gone' })
  },
  async 'POST /local/statement'() {
    const { session } = await kontomatik.mockSession(mock('statement'))
    await control('POST /local/statement', { login: 'statement', accounts: [{ texts: { iban: 'PL61' } }] })
    const { accounts } = await imported(kontomatik, session)
    expect(accounts.map(({ iban }) => iban)).toEqual(['PL61'])
  },
  async 'POST /local/fault'() {
    await control('POST /local/fault', { kind: 'status', status: 503, path: 'catalog' })
    expect((await raw(local, catalog)).status).toBe(503)
    expect((await raw(local, catalog)).status).toBe(200)
  },
  async 'DELETE /local/faults'() {
    await control('POST /local/fault', { kind: 'status', times: 9 })
    await control('DELETE /local/faults')
    expect((await raw(local, catalog)).status).toBe(200)
  },
}

const listed = Array.from(readme.matchAll(/`((?:GET|POST|DELETE) \/local\/\w+)`/g), ([, name]) => name)

test('the README lists the control endpoints, and each is exercised here', () => {
  expect(listed).toEqual(Object.keys(endpoints))
})

test.each(listed)('%s works as the README says', (name) => endpoints[name]())

test.each(listed)('%s needs the key', async (endpoint) => {
  const [method, path] = endpoint.split(' ')
  expect((await fetch(local.url + path, { method })).status).toBe(401)
})

const order = (fault: object) => control('POST /local/fault', { path: 'catalog', ...fault })

const faults: Record<string, () => Promise<void>> = {
  async slow() {
    await order({ kind: 'slow', delay: 120 })
    const began = performance.now()
    expect((await raw(local, catalog)).status).toBe(200)
    expect(performance.now() - began).toBeGreaterThan(110)
  },
  async status() {
    await order({ kind: 'status', status: 500, answer: 'down' })
    expect(await raw(local, catalog)).toMatchObject({ status: 500, text: 'down' })
  },
  async html() {
    await order({ kind: 'html' })
    expect(await raw(local, catalog)).toMatchObject({ status: 502, text: expect.stringContaining('<h1>Bad gateway') })
  },
  async cut() {
    await order({ kind: 'cut' })
    await expect(raw(local, catalog)).rejects.toThrow()
  },
  async lost() {
    const { imports } = await control<{ imports: number }>('GET /local/imports')
    const { session } = await kontomatik.mockSession(mock('lost'))
    await order({ kind: 'lost', path: 'default-import' })
    expect(await problemOf(kontomatik.startImport(session, '2026-01-01'))).toBeDefined()
    expect(await control('GET /local/imports')).toEqual({ imports: imports + 1 })
  },
  async exception() {
    const { session } = await kontomatik.mockSession(mock('exception'))
    const command = await kontomatik.startImport(session, '2026-01-01')
    await order({ kind: 'exception', name: 'ServiceMaintenance', state: 'error', path: command.id })
    expect(await kontomatik.command(command.id)).toMatchObject({ problem: { name: 'ServiceMaintenance' } })
    expect((await ended(kontomatik, command)).state).toBe('successful')
  },
}

test('the README lists the kinds of faults, and each is exercised here', () => {
  const [, sentence] = /^Faults: ([^;]*);/m.exec(readme) as RegExpExecArray
  expect(Array.from(sentence.matchAll(/`(\w+)`/g), ([, kind]) => kind)).toEqual(faultKinds)
  expect(Object.keys(faults)).toEqual(faultKinds)
})

test.each(faultKinds)('the fault %s happens to the request it is ordered for', (kind) => faults[kind]())
