import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Kontomatik } from '../../../src/banking/kontomatik/kontomatik-client.ts'
import { type LocalKontomatik, startLocalKontomatik } from '../../../src/emulators/kontomatik/server.ts'
import { ended, imported, mock, problemOf, raw } from '../../banking/client/kontomatik-server.ts'

let local: LocalKontomatik
let kontomatik: Kontomatik

beforeEach(async () => {
  local = await startLocalKontomatik({ importMs: 40 })
  kontomatik = new Kontomatik(local)
})

afterEach(() => local.stop())

const today = () => new Date().toISOString().slice(0, 10)
const commands = '/v1/command/'
const wish = { redirectUri: 'https://app.example/return', ownerExternalId: 'o-1', psd2: { accessMode: 'MULTIPLE' } }

test('without the right key it says no more than a comment', async () => {
  for (const headers of [{}, { 'x-api-key': 'wrong-key' }]) {
    const { status, text } = await raw(local, '/v1/command-catalog.xml', undefined, headers as Record<string, string>)
    expect(status).toBe(401)
    expect(text).toMatch(/<reply status="401 Unauthorized".*><comment>.*127.*<\/comment><\/reply>/)
    expect(text).not.toMatch(/exception|wrong-key/)
  }
  expect((await raw(local, '/local/requests', undefined, {})).status).toBe(401)
})

test('forms are taken literally: nothing missing, nothing unknown, nothing twice', async () => {
  const { session } = await kontomatik.mockSession(mock())
  const form = { sessionId: session.id, sessionIdSignature: session.signature, since: '2026-01-01' }
  const exceptions = async (path: string, body: Record<string, string> | string) =>
    /exception name="(\w+)"/.exec((await raw(local, path, body)).text)?.[1]
  const start = `${commands}default-import.xml`
  expect(await exceptions(start, { ...form, extra: '1' })).toBe('InvalidParameter')
  expect(await exceptions(start, { sessionId: session.id, since: '2026-01-01' })).toBe('InvalidParameter')
  expect(await exceptions(start, JSON.stringify(form))).toBe('InvalidParameter')
  expect(await exceptions(start, { ...form, sessionId: '' })).toBe('InvalidParameter')
  for (const since of ['2026-02-30', '20260101', '2999-01-01', '2026-1-1'])
    expect(await exceptions(start, { ...form, since })).toBe('InvalidSince')
  expect(await exceptions(start, { ...form, sessionIdSignature: 'x' })).toBe('InvalidSessionIdSignature')
  expect(await exceptions(start, { ...form, sessionId: '1' })).toBe('InvalidSessionId')
  expect(await exceptions(`${commands}sign-out.xml`, {})).toBe('InvalidArgument')
  expect(await exceptions('/v1/mock-session.xml', { ...mock(), multipleAccess: 'yes' })).toBe('InvalidParameter')
  expect(await exceptions('/v1/mock-session.xml', { ...mock(), multipleAccess: 'true', country: 'xx' })).toBe(
    'InvalidParameter',
  )
  expect((await raw(local, `/v1/command-catalog.xml?land=pl`)).text).toContain('InvalidParameter')
  expect((await raw(local, `/v1/command-catalog.xml?country=pl&country=cz`)).text).toContain('InvalidParameter')
  expect(local.imports).toBe(0)
})

test.each([
  [{ redirectUri: 'javascript:alert(1)' }, 'InvalidParameter'],
  [{ redirectUri: 'https://a;sandbox' }, 'InvalidParameter'],
  [{ redirectUri: undefined }, 'InvalidParameter'],
  [{ psd2: {} }, 'InvalidParameter'],
  [{ country: 'PL' }, 'InvalidParameter'],
  [{ locale: 'english' }, 'InvalidParameter'],
  [{ ownerExternalId: '' }, 'InvalidOwnerExternalId'],
  [{ accessMode: 'MULTIPLE' }, 'InvalidParameter'],
])('a redirection with %j is refused', async (change, name) => {
  const { status, text } = await raw(local, '/v1/signin/redirection', JSON.stringify({ ...wish, ...change }))
  expect([status, JSON.parse(text).exception.name]).toEqual([400, name])
})

test('the page to sign in at names the banks and who asks, escapes all, and is over once used', async () => {
  const redirectUri = 'https://app.example/return?a=%22%3E%3Cscript%3E&b=1#top'
  const start = await raw(local, '/v1/signin/redirection', JSON.stringify({ ...wish, redirectUri, country: 'pl' }))
  const { redirectionLink, redirectionId } = JSON.parse(start.text)
  const { status, text, headers } = await raw(local, redirectionLink, undefined, {})
  expect(status).toBe(200)
  expect(text).toContain('>Vistula &#x26; Synowie</button>')
  expect(text).toContain('app.example asks to read your accounts for 180 days')
  expect(text).not.toMatch(/script|Iberia/)
  expect(headers.get('content-security-policy')).toContain(
    "default-src 'none'; form-action 'self' https://app.example;",
  )

  expect((await raw(local, redirectionLink, { target: '"><script>' }, {})).status).toBe(422)
  const done = await raw(local, redirectionLink, { target: 'VistulaApi', redirectUri: 'https://evil.example/' }, {})
  expect(done.status).toBe(303)
  expect(done.headers.get('location')).toBe(`${redirectUri.replace('#top', '')}&redirectionId=${redirectionId}#top`)
  expect((await raw(local, redirectionLink, { target: 'VistulaApi' }, {})).status).toBe(410)
  expect((await raw(local, `${local.url}/signin/r-1`, undefined, {})).status).toBe(404)
})

test('replies are ASCII with numeric entities, and a command goes from setup over in_progress to successful', async () => {
  const slower = await startLocalKontomatik({ importMs: 400 })
  const client = new Kontomatik(slower)
  const { session } = await client.mockSession(mock())
  const form = { sessionId: session.id, sessionIdSignature: session.signature, since: '2026-01-01' }
  const started = await raw(slower, `${commands}default-import.xml`, form)
  expect(started.status).toBe(202)
  expect(started.text).toContain('status="202 Accepted"')
  const path = `${commands}${/command id="(\d+)"/.exec(started.text)?.[1]}.xml`
  const states: (string | undefined)[] = []
  let text = started.text
  for (; !text.includes('successful'); text = (await raw(slower, path)).text) {
    states.push(/state="(\w+)"/.exec(text)?.[1])
    await sleep(30)
  }
  expect([...new Set(states)]).toEqual(['setup', 'in_progress'])
  expect(text).toContain('Kawiarnia &#x141;&#xf3;d&#x17a;')
  expect(text).not.toMatch(/[^\n\x20-\x7e]/)
  expect((await raw(slower, path)).text.replace(/Timestamp="[^"]*"/, '')).toBe(text.replace(/Timestamp="[^"]*"/, ''))
  await slower.stop()
})

test('a first session sees all the years, one that is reused ninety days, and neither before since', async () => {
  const { session, multipleAccessId } = await kontomatik.mockSession(mock())
  const days = async (list: Promise<Awaited<ReturnType<typeof imported>>>) =>
    (await list).accounts[0].transactions.map(({ transactionOn }) => transactionOn).sort()
  const first = await days(imported(kontomatik, session, '2000-01-01'))
  const reused = await days(imported(kontomatik, await kontomatik.reuseAccess(multipleAccessId ?? ''), '2000-01-01'))
  const recent = await days(imported(kontomatik, await kontomatik.reuseAccess(multipleAccessId ?? ''), today()))
  expect(first[0]).toBe('2024-01-01')
  const age = (Date.parse(today()) - Date.parse(reused[0])) / 86_400_000
  expect(age).toBeLessThanOrEqual(90)
  expect(age).toBeGreaterThan(80)
  expect(new Set(recent)).toEqual(new Set([today()]))
})

test('four imports a day and bank account, over all consents for it', async () => {
  const [one, other, stranger] = await Promise.all(
    [mock(), mock(), mock('ben')].map((each) => kontomatik.mockSession(each)),
  )
  await imported(kontomatik, one.session)
  for (const { multipleAccessId } of [one, other, other]) await kontomatik.reuseAccess(multipleAccessId ?? '')
  for (const { multipleAccessId } of [one, other])
    expect(await problemOf(kontomatik.reuseAccess(multipleAccessId ?? ''))).toMatchObject({ kind: 'limit' })
  await kontomatik.reuseAccess(stranger.multipleAccessId ?? '')
  const now = Date.now
  Date.now = () => now() + 86_400_000
  await kontomatik.reuseAccess(one.multipleAccessId ?? '').finally(() => {
    Date.now = now
  })
  await local.advance({ days: 2 })
  await kontomatik.reuseAccess(one.multipleAccessId ?? '')
})

test('eight commands at a time', async () => {
  const slow = await startLocalKontomatik({ importMs: 600 })
  const client = new Kontomatik(slow)
  const sessions = await Promise.all(Array.from({ length: 9 }, (_, index) => client.mockSession(mock(`owner${index}`))))
  const commands = await Promise.all(sessions.slice(1).map(({ session }) => client.startImport(session, today())))
  const [{ session, multipleAccessId }] = sessions
  expect(await problemOf(client.startImport(session, today()))).toMatchObject({ name: 'JobsQuotaExceeded' })
  expect(await problemOf(client.reuseAccess(multipleAccessId ?? ''))).toMatchObject({ kind: 'busy', retry: 'soon' })
  await Promise.all(commands.map((each) => ended(client, each)))
  await client.startImport(session, today())
  expect(slow.imports).toBe(9)
  await slow.stop()
})

test('sessions last for minutes, commands for a day, consents for 180 days', async () => {
  const { session, multipleAccessId } = await kontomatik.mockSession(mock())
  const started = await kontomatik.startImport((await kontomatik.mockSession(mock())).session, today())
  await local.advance({ days: 0.02 })
  expect(await problemOf(kontomatik.startImport(session, today()))).toMatchObject({ name: 'InvalidSessionId' })
  expect(await kontomatik.command(started.id)).toMatchObject({ state: 'successful' })
  await local.advance({ days: 1 })
  expect(await problemOf(kontomatik.command(started.id))).toMatchObject({ name: 'InvalidCommandId' })
  await local.advance({ days: 178 })
  await kontomatik.reuseAccess(multipleAccessId ?? '')
  await local.advance({ days: 1 })
  expect(await problemOf(kontomatik.reuseAccess(multipleAccessId ?? ''))).toMatchObject({ kind: 'access-gone' })
})

test('a consent can be withdrawn at the bank', async () => {
  const { multipleAccessId } = await kontomatik.mockSession(mock())
  await local.revokeUpstream(multipleAccessId ?? '')
  expect(await problemOf(kontomatik.reuseAccess(multipleAccessId ?? ''))).toMatchObject({ kind: 'access-gone' })
})

test('a bank of the old kind cannot be imported from', async () => {
  const { redirectionId, redirectionLink } = await kontomatik.startRedirection({
    redirectUri: 'https://app.example/',
    ownerExternalId: 'o-1',
    accessMode: 'MULTIPLE',
  })
  await raw(local, redirectionLink, { target: 'OldBank' }, {})
  const signedIn = await kontomatik.redirectionStatus(redirectionId)
  if (signedIn.state !== 'done') throw new Error(signedIn.state)
  expect(await problemOf(kontomatik.startImport(signedIn.session, today()))).toMatchObject({ kind: 'unsupported' })
})

test('it is controlled over HTTP as well', async () => {
  const { multipleAccessId } = await kontomatik.mockSession(mock())
  const post = (path: string, body: unknown) => raw(local, `/local/${path}`, JSON.stringify(body))
  expect((await post('advance', { days: 400 })).status).toBe(200)
  expect(Date.parse(JSON.parse((await post('advance', { days: 0 })).text).now)).toBeGreaterThan(
    Date.now() + 399 * 86_400_000,
  )
  expect((await post('advance', { days: -1 })).status).toBe(400)
  expect((await post('advance', { hours: 1 })).status).toBe(400)
  expect((await post('revoke', { multipleAccessId: multipleAccessId ?? '' })).status).toBe(400)
  expect((await post('fault', { kind: 'explode' })).status).toBe(400)
  expect((await post('fault', { kind: 'status', status: 503, path: 'catalog', times: 5 })).status).toBe(200)
  expect((await raw(local, '/v1/command-catalog.xml')).status).toBe(503)
  await fetch(`${local.url}/local/faults`, { method: 'DELETE', headers: { 'x-api-key': local.apiKey } })
  expect((await raw(local, '/v1/command-catalog.xml?country=pl')).status).toBe(200)
  expect(JSON.parse((await raw(local, '/local/imports')).text)).toEqual({ imports: 0 })
  const requests = JSON.parse((await raw(local, '/local/requests')).text)
  expect(requests).toContainEqual(
    expect.objectContaining({ method: 'GET', path: '/v1/command-catalog.xml?country=pl', body: '' }),
  )
  expect(JSON.stringify(requests)).not.toContain(local.apiKey)
  expect((await raw(local, '/local/anything')).status).toBe(400)
})

test('a statement can be dictated, as far as the contract and the session allow', async () => {
  const { session, multipleAccessId } = await kontomatik.mockSession(mock())
  const day = (days: number) => new Date(Date.now() - days * 86_400_000).toISOString().slice(0, 10)
  const line = (transactionOn: string) => ({ transactionOn, currencyAmount: '-17,50' })
  const days = [day(0), `${day(1)}+01:00`, day(90), day(91), day(800), 'soon']
  const account = { texts: { iban: 'PL61', currencyName: 'pln' }, lines: days.map(line), partial: true }
  const post = (body: unknown) => raw(local, '/local/statement', JSON.stringify(body))
  expect((await post({ login: 'anna', accounts: [account] })).status).toBe(200)
  for (const wrong of [
    { accounts: [{ texts: { id: '1' } }] },
    { accounts: [{ texts: {}, lines: [{ id: '1' }] }] },
    { cards: [{ texts: { iban: 'PL61' } }] },
    { accounts: {} },
    { target: 'NoBank' },
    { owners: [] },
  ])
    expect([wrong, (await post({ login: 'anna', ...wrong })).status]).toEqual([wrong, 400])
  const command = async (since: string, reused = false) => {
    const opened = reused ? await kontomatik.reuseAccess(multipleAccessId ?? '') : session
    return ended(kontomatik, await kontomatik.startImport(opened, since))
  }
  const first = await command('2000-01-01')
  await local.dictateStatement('anna', { cards: [] })
  expect((await raw(local, `${commands}${first.id}.xml`)).text.match(/<transactionOn>/g)).toHaveLength(6)
  expect((await raw(local, `${commands}${(await command('2000-01-01', true)).id}.xml`)).text).toMatch(
    /<result><creditCards\/><\/result>/,
  )
  await local.dictateStatement('anna', { accounts: [account] })
  const { text } = await raw(local, `${commands}${(await command('2000-01-01', true)).id}.xml`)
  expect(text).toContain('<account partialDueToTimeout="true"><iban>PL61</iban><currencyName>pln</currencyName>')
  expect(text.match(/<transactionOn>[^<]*/g)).toEqual(
    [days[0], `${day(1)}&#x2b;01:00`, days[2], 'soon'].map((each) => `<transactionOn>${each}`.replace('&#x2b;', '+')),
  )
})

test('with a journal it remembers, without it forgets', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'kontomatik-'))
  const journal = join(folder, 'kontomatik.json')
  const first = await startLocalKontomatik({ journal, importMs: 10 })
  const before = new Kontomatik(first)
  const mocks = await Promise.all([mock('anna'), mock('ben'), mock('eva')].map((each) => before.mockSession(each)))
  const commands = await Promise.all(mocks.map(({ session }) => before.startImport(session, '2026-01-01')))
  const statements = await Promise.all(commands.map((each) => ended(before, each)))
  await first.advance({ days: 0.5 })
  await first.stop()

  const second = await startLocalKontomatik({ journal, importMs: 10 })
  const later = new Kontomatik(second)
  expect(second.imports).toBe(3)
  expect(await Promise.all(commands.map(({ id }) => later.command(id)))).toEqual(statements)
  for (const { multipleAccessId } of mocks) await later.reuseAccess(multipleAccessId ?? '')
  await second.stop()
  expect(await readdir(folder)).toEqual(['kontomatik.json'])

  await writeFile(journal, 'broken')
  await expect(startLocalKontomatik({ journal })).rejects.toThrow('is not a journal')
  await rm(folder, { recursive: true })
  expect(await problemOf(kontomatik.reuseAccess(mocks[0].multipleAccessId ?? ''))).toMatchObject({
    kind: 'access-gone',
  })
})

test('a port that is taken is a clear error', async () => {
  await expect(startLocalKontomatik({ port: Number(new URL(local.url).port) })).rejects.toThrow('EADDRINUSE')
})
