import { inspect } from 'node:util'
import { Kontomatik } from '../../../src/banking/kontomatik/kontomatik-client.ts'
import { type LocalKontomatik, startLocalKontomatik } from '../../../src/emulators/kontomatik/server.ts'
import { ended, imported, mock, problemOf, raw } from './kontomatik-server.ts'

let local: LocalKontomatik
let kontomatik: Kontomatik

beforeEach(async () => {
  local = await startLocalKontomatik({ importMs: 60 })
  kontomatik = new Kontomatik({ ...local, timeoutMs: 1000 })
})

afterEach(() => local.stop())

test('a person signs in at a bank, and the accounts are imported', async () => {
  const redirection = await kontomatik.startRedirection({
    redirectUri: 'https://app.example/bank/return?tab=2',
    ownerExternalId: 'owner-1',
    country: 'pl',
    accessMode: 'MULTIPLE',
  })
  const { redirectionId, redirectionLink } = redirection
  expect(await kontomatik.redirectionStatus(redirectionId)).toEqual({ state: 'pending' })

  const { status, headers } = await raw(local, redirectionLink, { target: 'KontoBankApi' })
  expect(status).toBe(303)
  expect(headers.get('location')).toBe(`https://app.example/bank/return?tab=2&redirectionId=${redirectionId}`)
  const signedIn = await kontomatik.redirectionStatus(redirectionId)
  if (signedIn.state !== 'done') throw new Error(signedIn.state)
  expect(signedIn).toMatchObject({ target: 'KontoBankApi', officialName: 'KontoBank Łódź' })
  expect(signedIn.multipleAccessId).toMatch(/^ma-/)

  const started = await kontomatik.startImport(signedIn.session, '2024-01-01')
  expect(started).toMatchObject({ state: 'running', progress: 0 })
  const command = await ended(kontomatik, started)
  if (command.state !== 'successful') throw new Error(command.state)
  const [current, savings] = command.statement.accounts
  expect(current).toMatchObject({ name: 'Firma', currency: 'PLN', partial: false, dropped: 0 })
  expect(current.iban).toMatch(/^PL\d{26}$/)
  expect(savings.iban).toMatch(/^PL\d{26}$/)
  expect(current.transactions).toContainEqual(
    expect.objectContaining({
      title: '0012345',
      party: 'Biuro <Nowe> & "Synowie"',
      partyIban: 'PL61109010140000071219812874',
      amount: '8000.00',
      currency: 'PLN',
    }),
  )
  expect(current.transactions).toContainEqual(expect.objectContaining({ title: '1e5', party: 'Zarządca' }))
  expect(command.statement.cards).toEqual([expect.objectContaining({ number: expect.stringMatching(/^\d{4}$/) })])
  expect(JSON.stringify(command)).not.toContain('44051401359')
})

test('a declined sign-in fails, and so does one that takes more than an hour', async () => {
  const wish = { redirectUri: 'http://127.0.0.1:1/', ownerExternalId: 'owner-1', accessMode: 'SINGLE' } as const
  const declined = await kontomatik.startRedirection(wish)
  const forgotten = await kontomatik.startRedirection(wish)
  await raw(local, declined.redirectionLink, { decline: '1' })
  expect(await kontomatik.redirectionStatus(declined.redirectionId)).toMatchObject({ state: 'failed' })
  await local.advance({ days: 0.05 })
  expect(await kontomatik.redirectionStatus(forgotten.redirectionId)).toEqual({ state: 'failed', reason: 'Expired' })
})

test('a single-access sign-in leaves no consent', async () => {
  const { redirectionId, redirectionLink } = await kontomatik.startRedirection({
    redirectUri: 'http://127.0.0.1:1/',
    ownerExternalId: 'owner-1',
    accessMode: 'SINGLE',
  })
  await raw(local, redirectionLink, { target: 'IberiaApi' })
  expect(await kontomatik.redirectionStatus(redirectionId)).toMatchObject({ state: 'done', multipleAccessId: null })
  expect(await kontomatik.mockSession(mock('anna', false))).toMatchObject({ multipleAccessId: null })
})

test('a consent opens sessions until it is deleted, and deleting it twice succeeds', async () => {
  const { multipleAccessId } = await kontomatik.mockSession(mock())
  const session = await kontomatik.reuseAccess(multipleAccessId ?? '')
  expect((await imported(kontomatik, session)).accounts).toHaveLength(2)
  await kontomatik.deleteAccess(multipleAccessId ?? '')
  await kontomatik.deleteAccess(multipleAccessId ?? '')
  expect(await problemOf(kontomatik.reuseAccess(multipleAccessId ?? ''))).toMatchObject({ kind: 'access-gone' })
})

test('the banks of a country are listed', async () => {
  expect(await kontomatik.listBanks('cz')).toEqual([
    {
      name: 'BohemiaApi',
      officialName: 'Banka Bohemia',
      institution: 'Banka Bohemia',
      country: 'cz',
      psd2: true,
      beta: false,
    },
  ])
  expect((await kontomatik.listBanks()).length).toBeGreaterThan(3)
})

test('a wrong API key is a misconfiguration, and the text of Kontomatik is not repeated', async () => {
  const stranger = new Kontomatik({ url: local.url, apiKey: 'secret-key' })
  const problem = await problemOf(stranger.reuseAccess('ma-1'))
  expect(problem).toMatchObject({ name: 'Http401', kind: 'misconfigured', retry: 'never', uncertain: false })
  expect(problem.cause).toBeUndefined()
  expect(inspect(problem, { depth: 9, showHidden: true })).not.toMatch(/secr|127\.0|comment/i)
  expect(inspect(stranger, { depth: 9, showHidden: true })).not.toContain('secret-key')
  expect(await problemOf(stranger.redirectionStatus('r-1'))).toMatchObject({ kind: 'misconfigured' })
})

test('an invalid API key or URL is refused at once, and the message does not repeat it', () => {
  expect(() => new Kontomatik({ url: local.url, apiKey: 'top\nsecret' })).toThrow(/^(?!.*secret).*printable/s)
  expect(() => new Kontomatik({ url: 'kontomatik.example', apiKey: 'key' })).toThrow('absolute')
})

test('an exception of Kontomatik is reported by its name', async () => {
  const { session, multipleAccessId } = await kontomatik.mockSession(mock())
  const wrong = (work: Promise<unknown>) => problemOf(work)
  const forged = { ...session, signature: 'forged' }
  expect(await wrong(kontomatik.startImport(forged, '2026-01-01'))).toMatchObject({
    name: 'InvalidSessionIdSignature',
    kind: 'session-gone',
    retry: 'new-session',
  })
  expect(await wrong(kontomatik.startImport(session, 'yesterday'))).toMatchObject({
    name: 'InvalidSince',
    kind: 'invalid-request',
  })
  await imported(kontomatik, session)
  expect(await wrong(kontomatik.startImport(session, '2026-01-01'))).toMatchObject({ kind: 'session-used' })
  expect(await wrong(kontomatik.command('1'))).toMatchObject({ name: 'InvalidCommandId', kind: 'invalid-request' })
  expect(await wrong(kontomatik.command('../session'))).toMatchObject({ name: 'InvalidCommandId' })
  for (let count = 0; count < 3; count++) await kontomatik.reuseAccess(multipleAccessId ?? '')
  expect(await wrong(kontomatik.reuseAccess(multipleAccessId ?? ''))).toMatchObject({
    name: 'MultipleAccessLimitExceeded',
    kind: 'limit',
    retry: 'later',
  })
})
