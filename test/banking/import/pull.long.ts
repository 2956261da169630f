import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { AuditEvent, BankTransaction, type Integration } from '../../../entities/index.ts'
import { enqueueStaleIntegrations } from '../../../src/banking/maintenance-jobs.ts'
import { openStream } from '../../support/requests/event-stream.ts'
import { wrongTotals } from '../../support/rows/counted-rows.ts'
import { openWorld } from '../../support/world.ts'
import {
  client,
  enableBanking,
  linkBank,
  pull,
  requestCount,
  revoke,
  setUpBanking,
  statusAndCode,
  storedRow,
  usualTiming,
  waitForRow,
} from '../linked-bank.ts'

const { api, as, banking, database, elsewhere, foundTenant, given, kontomatik, publicUrl, tenant, tokenOf } =
  await openWorld()

let people = 0

setUpBanking()

/** Links a bank for a new person, so that imports of former tests do not count. */
const linkNewPerson = () => linkBank({ login: `person${++people}` })
const pulled = async (body: object = {}) => {
  const answer = await api.post(pull, body)
  if (answer.status !== 201) throw new Error(`${answer.status} ${JSON.stringify(answer.body)}`)
  return answer.body
}
const today = () => new Date().toISOString().slice(0, 10)
const lines = (where = '') => database.query(`SELECT * FROM "bank_transaction" ${where} ORDER BY "transactionOn", "id"`)

test('new transactions are imported and counted, each once', async () => {
  const link = await linkNewPerson()
  const imports = kontomatik.imports
  const first = await api.post(pull, {})
  expect([first.status, first.headers.location]).toEqual([201, link['@id']])
  const found = {
    '@id': link['@id'],
    status: 'active',
    lastError: null,
    duplicates: 0,
    partial: false,
    nextPullAt: null,
  }
  expect(first.body).toMatchObject(found)
  expect(first.body.accounts).toHaveLength(3)
  expect(first.body.imported).toBe((await lines()).length)
  expect(Date.now() - Date.parse(first.body.lastPulledAt)).toBeLessThan(5000)

  const second = await pulled()
  expect(second).toMatchObject({ imported: 0, status: 'active' })
  expect(second.duplicates).toBeGreaterThan(5)
  expect(second.duplicates).toBeLessThan(40)
  expect(kontomatik.imports).toBe(imports + 2)
  const events = await database.manager.find(AuditEvent, { where: { target: link['@id'] }, order: { at: 'ASC' } })
  expect(events.slice(2, 4)).toMatchObject([
    { action: 'integration.pull', actorId: tenant.users.owner.id, changes: { status: ['active', 'importing'] } },
    { action: 'integration.import', actorId: null, changes: { imported: [null, first.body.imported] } },
  ])
})

test('a stream shows the start and the end of an import, and the rows that came', async () => {
  const link = await linkNewPerson()
  const stream = await openStream(
    `${publicUrl}/.well-known/mercure?topic=${link['@id']}&topic=/bank-transactions&topic=/bank-accounts/{id}`,
    { Authorization: `Bearer ${await tokenOf(tenant.users.owner)}` },
  )
  Object.assign(banking.timing, { requestMs: 0, importMs: 60_000 })
  // The import runs until this fault ends.
  kontomatik.fault({ kind: 'status', method: 'GET', path: '/command/', status: 503, times: 10_000 })
  expect((await api.post(pull, {})).status).toBe(202)
  expect(await stream.next()).toMatchObject({ '@id': link['@id'], type: 'update', collection: '/integrations' })
  expect((await api.get(link['@id'])).body.status).toBe('importing')
  kontomatik.clearFaults()
  const heard = new Set<unknown>()
  // Two collections' rows come in one transaction, in any order: all transactions as one event, and three accounts.
  const isComplete = () =>
    heard.has('/bank-transactions') && [...heard].filter((iri) => /^\/bank-accounts\/./.test(`${iri}`)).length === 3
  while (!isComplete()) heard.add((await stream.next())['@id'])
  expect((await api.get(link['@id'])).body).toMatchObject({ status: 'active', imported: expect.any(Number) })
  stream.close()
})

test('two equal payments of one day are both kept, and a pending payment is booked, not duplicated', async () => {
  await linkNewPerson()
  await pulled()
  const monday = `WHERE "text" = 'Kawa' AND extract(isodow FROM "transactionOn") = 1 AND "transactionOn" > now() - interval '60 days'`
  const coffees = await lines(monday)
  const days = new Set(coffees.map(({ transactionOn }: { transactionOn: Date }) => transactionOn.toISOString()))
  expect(coffees.length).toBe(2 * days.size)
  const pending = await lines(`WHERE "status" = 'PENDING'`)
  expect(pending.length).toBeGreaterThan(0)
  expect(pending[0]).toMatchObject({ bookedOn: null })
  const count = (await lines()).length

  const again = await pulled({ since: '2026-01-01' })
  expect(again.imported).toBe(0)
  expect((await lines()).length).toBe(count)
  expect(await lines(monday)).toHaveLength(coffees.length)
  const booked = await database.manager.findOneByOrFail(BankTransaction, { id: pending[0].id })
  expect([booked.status, booked.bookedOn]).toEqual(['DONE', today()])
})

test('a pending payment that the bank no longer lists is deleted, unless the list is partial', async () => {
  await linkNewPerson()
  await pulled()
  const [{ accountId }] = await lines(`WHERE "text" = 'Kawa'`)
  const values = { accountId, amount: '-1.00', currency: 'PLN', status: 'PENDING' }
  await given(BankTransaction, { ...values, transactionOn: today() })
  const old = await given(BankTransaction, { ...values, transactionOn: '2020-01-01' })
  await pulled({ since: today() })
  const left = await lines(`WHERE "amount" = -1`)
  expect(left.map(({ id }: { id: string }) => id)).toEqual([old.id])
})

test('a pull during an import joins it and starts no other', async () => {
  await linkNewPerson()
  const imports = kontomatik.imports
  const answers = await Promise.all(Array.from({ length: 6 }, () => api.post(pull, {})))
  expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 6 }, () => 201))
  expect(new Set(answers.map(({ body }) => body.imported)).size).toBe(1)
  expect(kontomatik.imports).toBe(imports + 1)
})

test('a pull that takes too long is answered with 202 and Retry-After', async () => {
  const link = await linkNewPerson()
  banking.timing.requestMs = 100
  kontomatik.fault({ kind: 'slow', path: 'default-import', delay: 600 })
  const key = randomUUID()
  const post = () => api.post(pull, {}).set('Idempotency-Key', key)
  const first = await post()
  expect([first.status, first.headers['retry-after'], first.body.status]).toEqual([202, '5', 'importing'])
  expect(first.headers.location).toBeUndefined()
  expect(first.body.pull).toBe(pull)
  const minimal = await post().set('Prefer', 'return=minimal')
  expect([minimal.status, minimal.text]).toEqual([202, ''])
  const imports = kontomatik.imports
  await waitForRow(link.id, { status: 'active' })
  const done = await post()
  expect([done.status, done.body.imported > 100, kontomatik.imports]).toEqual([201, true, imports + 1])
  expect((await post()).headers['idempotent-replayed']).toBe('true')
})

test('the fifth import of an account in 24 hours is refused without a request, also across tenants', async () => {
  await enableBanking(elsewhere.organization.id)
  const login = `person${++people}`
  await linkBank({ login })
  for (let count = 0; count < 2; count++) await pulled({ since: today() })
  await linkBank({ login, agent: as(elsewhere.users.owner) })
  const other = await as(elsewhere.users.owner).post(pull, { since: today() })
  expect(other.status).toBe(201)
  expect(await pulled({ since: today() })).toMatchObject({ nextPullAt: expect.any(String) })
  const before = kontomatik.requests.length
  for (const agent of [api, as(elsewhere.users.owner)]) {
    const refused = await agent.post(pull, {})
    expect(statusAndCode(refused)).toEqual([429, 'limit_reached'])
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(86_000)
    expect(Number(refused.headers['retry-after'])).toBeLessThanOrEqual(86_400)
  }
  expect(kontomatik.requests.length).toBe(before)
  await database.query(`UPDATE "bank_import" SET "at" = "at" - interval '25 hours'`)
  kontomatik.fault({ kind: 'exception', path: 'reuse', name: 'MultipleAccessLimitExceeded' })
  expect(statusAndCode(await api.post(pull, {}))).toEqual([429, 'limit_reached'])
})

const faults: [name: string, path: string, status: number, code: string, after: string][] = [
  ['InvalidMultipleAccessId', 'reuse', 409, 'consent_expired', 'expired'],
  ['MultipleAccessLimitExceeded', 'reuse', 429, 'limit_reached', 'active'],
  ['CommandNotAvailable', 'default-import', 422, 'bank_not_supported', 'error'],
  ['InvalidTarget', 'default-import', 422, 'bank_not_supported', 'error'],
  ['InvalidSince', 'default-import', 422, 'since_refused', 'active'],
  ['InvalidArgument', 'default-import', 502, 'provider_error', 'active'],
  ['AlreadySignedIn', 'reuse', 502, 'provider_error', 'active'],
  ['SomethingNobodyKnows', 'default-import', 502, 'provider_error', 'active'],
  ['ServiceMaintenance', 'reuse', 503, 'provider_unavailable', 'active'],
  ['IOException', 'default-import', 503, 'provider_unavailable', 'active'],
]

test.each(faults)(
  '%s at %s is answered with %d %s, and the integration is then %s',
  async (name, path, status, code, after) => {
    const link = await linkNewPerson()
    await pulled({ since: today() })
    const imports = kontomatik.imports
    kontomatik.fault({ kind: 'exception', path, name, times: 2 })
    const answer = await api.post(pull, { since: today() })
    expect(statusAndCode(answer)).toEqual([status, code])
    expect(JSON.stringify(answer.body)).not.toContain(name)
    if ([429, 503].includes(status)) expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0)
    const { body } = await api.get(link['@id'])
    expect([body.status, body.lastError]).toEqual([after, { code }])
    expect(kontomatik.imports).toBe(imports)
    kontomatik.clearFaults()
    const next = await api.post(pull, { since: today() })
    expect(next.status).toBe(after === 'active' ? 201 : 409)
  },
)

test.each([
  ['error', 'InvalidMultipleAccessId', 409, 'consent_expired'],
  ['fatal', 'NobodyKnows', 503, 'provider_unavailable'],
  ['error', 'NobodyKnows', 502, 'provider_error'],
])('an import that ends as %s with %s is answered with %d %s', async (state, name, status, code) => {
  await linkNewPerson()
  kontomatik.fault({ kind: 'exception', method: 'GET', path: '/command/', name, state })
  expect(statusAndCode(await api.post(pull, {}))).toEqual([status, code])
})

test.each(['SessionExpired', 'InvalidSessionId', 'DefaultImportAlreadyExecuted'])(
  'after %s another session is opened, once',
  async (name) => {
    await linkNewPerson()
    const reuses = requestCount('reuse')
    kontomatik.fault({ kind: 'exception', path: 'default-import', name })
    expect((await pulled()).imported).toBeGreaterThan(50)
    expect(requestCount('reuse')).toBe(reuses + 1)
    kontomatik.fault({ kind: 'exception', path: 'default-import', name, times: 5 })
    expect((await api.post(pull, {})).status).toBe(502)
    expect(requestCount('reuse')).toBe(reuses + 3)
  },
)

test('a wrong API key is answered with 502, and the next pull continues the import', async () => {
  const link = await linkNewPerson()
  kontomatik.fault({ kind: 'status', method: 'GET', path: '/command/', status: 401, times: 3 })
  expect(statusAndCode(await api.post(pull, {}))).toEqual([502, 'provider_misconfigured'])
  const imports = kontomatik.imports
  expect((await storedRow(link.id)).commandId).toBeTruthy()
  kontomatik.clearFaults()
  await pulled()
  expect(kontomatik.imports).toBe(imports)
})

test.each([
  ['reuse', 'lost', 503],
  ['reuse', 'slow', 504],
  ['default-import', 'lost', 503],
  ['default-import', 'cut', 503],
  ['default-import', 'html', 503],
] as const)('a %s whose response is %s is not repeated by the server: %d', async (path, kind, status) => {
  const link = await linkNewPerson()
  await pulled({ since: today() })
  const before = requestCount(path)
  kontomatik.fault({ kind, path, delay: 2500 })
  expect((await api.post(pull, { since: today() })).status).toBe(status)
  await enqueueStaleIntegrations(database, 0)
  await sleep(300)
  expect(requestCount(path)).toBe(before + 1)
  expect((await storedRow(link.id)).status).toBe('active')
  expect((await pulled({ since: today() })).status).toBe('active')
})

test('an import that exceeds its deadline is answered with 504, and the next pull continues it', async () => {
  const link = await linkNewPerson()
  Object.assign(banking.timing, { importMs: 400 })
  kontomatik.fault({ kind: 'status', method: 'GET', path: '/command/', status: 503, times: 60 })
  expect(statusAndCode(await api.post(pull, {}))).toEqual([504, 'provider_timeout'])
  const { commandId } = await storedRow(link.id)
  expect(commandId).toBeTruthy()
  const imports = kontomatik.imports
  kontomatik.clearFaults()
  Object.assign(banking.timing, usualTiming)
  expect((await pulled()).imported).toBeGreaterThan(100)
  expect(kontomatik.imports).toBe(imports)
})

test('the first import asks for 730 days, later imports for at most 90', async () => {
  await linkNewPerson()
  const since = async (body: object) => {
    await pulled(body)
    const { body: form = '' } = kontomatik.requests.findLast(({ path }) => path.includes('default-import')) ?? {}
    return new URLSearchParams(form).get('since')
  }
  const ago = (days: number) => new Date(Date.now() - days * 86_400_000).toISOString().slice(0, 10)
  expect(await since({})).toBe(ago(730))
  expect(await since({})).toBe(ago(7))
  expect(await since({ since: '2020-01-01' })).toBe(ago(90))
})

test('one of several integrations must be named, and a revoked one cannot be pulled', async () => {
  const one = await linkBank({ login: `person${++people}` })
  const other = await linkBank({ login: `person${++people}`, target: 'BohemiaApi' })
  expect(statusAndCode(await api.post(pull, {}))).toEqual([422, 'isChosen'])
  expect((await pulled({ integration: other['@id'] })).target).toBe('BohemiaApi')
  expect((await api.post(revoke, { integration: one['@id'] })).status).toBe(201)
  expect(statusAndCode(await api.post(pull, { integration: one['@id'] }))).toEqual([409, 'consent_expired'])
  expect((await pulled()).target).toBe('BohemiaApi')
  await enableBanking(elsewhere.organization.id)
  expect((await as(elsewhere.users.owner).post(pull, { integration: other['@id'] })).status).toBe(422)
})

test('a consent that was withdrawn at the bank is found at the next pull', async () => {
  const link = await linkNewPerson()
  await pulled({ since: today() })
  const { sealedAccess } = await storedRow(link.id)
  await kontomatik.revokeUpstream(
    banking.vault.open('access', sealedAccess as string, (await storedRow(link.id)) as Integration),
  )
  expect(statusAndCode(await api.post(pull, {}))).toEqual([409, 'consent_expired'])
  const { body } = await api.get(link['@id'])
  expect([body.status, body.pull, body.revoke]).toEqual(['expired', undefined, revoke])
  expect((await api.post(revoke, {})).body.status).toBe('revoked')
  await expect(client.reuseAccess('ma-none')).rejects.toMatchObject({ kind: 'access-gone' })
})

test('imports and clears at the same time leave totals that equal the rows', async () => {
  const { organization, users } = await foundTenant('Race', 'race-bank', { demo: true, productionLike: false })
  await enableBanking(organization.id)
  const agent = as(users.owner)
  await linkBank({ agent, login: 'race' })
  const clear = () => agent.post('/organizations/clear', { confirm: 'race-bank' })
  const answers = await Promise.all([agent.post(pull, {}), clear(), clear()])
  for (const { status } of [...answers, await agent.post(pull, {})]) expect([200, 201]).toContain(status)
  await Promise.all([agent.post(pull, {}), clear(), clear()])
  expect(await wrongTotals(database)).toEqual([])
})

test('cleared transactions are imported again', async () => {
  const { organization, users } = await foundTenant('Clear', 'clear-bank', { demo: true, productionLike: false })
  await enableBanking(organization.id)
  const agent = as(users.owner)
  await linkBank({ agent, login: 'clear' })
  const { imported } = (await agent.post(pull, {})).body
  expect((await agent.post('/organizations/clear', { confirm: 'clear-bank' })).status).toBe(201)
  for (const path of ['/bank-accounts', '/bank-transactions'])
    expect((await agent.get(path)).body).toMatchObject({ totalItems: 0, member: [] })
  const { status, body } = await agent.post(pull, {})
  expect([status, body.status]).toEqual([201, 'active'])
  expect(body.imported).toBeGreaterThan(60)
  expect(body.imported).toBeLessThan(imported)
})
