import { BankAccount, BankTransaction, Employee, Integration, Location, Meeting } from '../../entities/index.ts'
import { fold } from '../../src/hydra/query/fold-text.ts'
import { counted } from '../support/rows/counted-rows.ts'
import { morning, openWorld } from '../support/world.ts'

const { api, database, given } = await openWorld()

/* Texts are compared by `q` and by every partial filter, in each of its spellings, and are sorted and unique elsewhere. */

const integration = await given(Integration, { status: 'active' })
const account = await given(BankAccount, { integration, reference: 'x', name: 'Current' })
const olga = await given(Employee, { name: 'Olga Vos', jobTitle: 'Owner', email: 'o.vos@example.com' })
const pieter = await given(Employee, { name: 'Pieter Olganov', jobTitle: 'Monteur' })
const lodz = await given(Location, { name: 'Łódź Serwis' })
const strasse = await given(Location, { name: 'Große Straße 9' })
const decomposed = await given(Location, { name: 'Cafe\u0301 Zoe\u0308' })
const meeting = await given(Meeting, { ...morning, notes: 'Onderhoud aan de\nCV-ketel (2e verdieping), 100% zeker' })
const line = { account, transactionOn: '2026-02-27', amount: '-12.50' }
const transaction = await given(BankTransaction, { ...line, party: 'Smørrebrød ApS', text: 'Faktura Æbler' })

const found = async (path: string) => {
  const { status, body } = await api.get(path)
  expect([status, body.detail]).toEqual([200, undefined])
  return body.member.map((node: Record<string, string>) => node['@id'].split('/').at(-1))
}

test.each([
  ['employees', 'Owner Olga', olga],
  ['employees', 'olga OWNER', olga],
  ['employees', 'ol ow vo', olga],
  ['employees', 'example', olga],
  ['employees', 'vos@example', olga],
  ['employees', 'ex', olga],
  ['employees', 'monteur anov', pieter],
  ['locations', 'lodz', lodz],
  ['locations', 'ŁÓDŹ', lodz],
  ['locations', 'serwis łódz', lodz],
  ['locations', 'strasse grosse', strasse],
  ['locations', 'STRAẞE', strasse],
  ['locations', 'café', decomposed],
  ['locations', 'Zoë cafe', decomposed],
  ['meetings', 'ketel onderhoud', meeting],
  ['meetings', 'ke 2e', meeting],
  ['meetings', '100%', meeting],
  ['meetings', '0%', meeting],
  ['bank-transactions', 'aebler smorrebrod', transaction],
  ['bank-transactions', 'SMØR faktura', transaction],
])('/%s?q=%s finds what it means', async (path, words, { id }) => {
  expect(await found(`/${path}?q=${encodeURIComponent(words)}`)).toEqual([id])
})

test('each word must be somewhere, short words at the beginning of a word, and marks are no wildcards', async () => {
  for (const words of ['Owner Pieter', 'lg', 'owner xyz', 'ol%', 'olg_', 'o_', '%', '\\'])
    expect([words, await found(`/employees?q=${encodeURIComponent(words)}`)]).toEqual([words, []])
  expect(await found('/employees?q=olga')).toHaveLength(2)
  expect(await found('/employees?q=olga%20owner&q=monteur')).toHaveLength(2)
  expect(await found('/employees?q=%20')).toHaveLength(2)
})

test('a changed row is found by its new texts alone', async () => {
  await api.patch(`/locations/${lodz.id}`, { name: 'Kraków' }).expect(200)
  expect(await found('/locations?q=lodz')).toEqual([])
  expect(await found('/locations?q=krakow')).toEqual([lodz.id])
  await api.patch(`/locations/${lodz.id}`, { officeOpenHour: 9, officeCloseHour: 17 }).expect(200)
  expect(await found('/locations?q=krakow')).toEqual([lodz.id])
  await api.patch(`/meetings/${meeting.id}`, { notes: null }).expect(200)
  expect(await found('/meetings?q=ketel')).toEqual([])
})

test('a partial filter compares any part in any case, with accents, as before', async () => {
  expect(await found('/employees?name=LGA')).toHaveLength(2)
  expect(await found('/employees?name=a%20v')).toEqual([olga.id])
  expect(await found('/locations?name=%C3%9F')).toEqual([strasse.id])
  for (const query of ['strasse', 'CAFE%20d', '_', '%25', '%5C'])
    expect([query, await found(`/locations?name=${query}`)]).toEqual([query, []])
})

test('both write every letter of European alphabets folded in the same way', async () => {
  const letters = Array.from({ length: 0x2000 }, (_, code) => String.fromCodePoint(code)).filter(
    (letter) => /^[\p{L}\p{N}\p{P}\p{Zs}]$/u.test(letter) && !/[\u0530-\u1cff]/.test(letter),
  )
  const texts = [...letters, 'ΟΔΟΣ ΟΔΟΣ', 'İstanbul ıI', 'Ａｂｃ ﬁ', 'Ĳsselstein', 'a\u00a0b\tc\nd']
  const rows = await database.query('SELECT t, "fold_text"(t) AS folded FROM unnest($1::text[]) AS t', [texts])
  for (const { t, folded } of rows) expect([t, folded]).toEqual([t, fold(t)])
  expect(rows).toHaveLength(texts.length)
})

// WIRE: totals with text are exact up to 10,000, then there is no "last" and the answer says so.
test('more than ten thousand rows are not counted, and the answer says so', async () => {
  await database.query(
    counted(
      database,
      'meeting',
      `INSERT INTO "meeting" ("id", "createdAt", "updatedAt", "version", "organizationId", "dateFrom", "dateTo", "notes")
        SELECT gen_random_uuid(), now(), now(), 1, "organizationId", "dateFrom", "dateTo", 'Overvloed ' || n
          FROM "meeting", generate_series(1, 10000) n WHERE "id" = $1`,
    ),
    [meeting.id],
  )
  for (const query of ['q=overvloed', 'notes=overvloed', 'q=ov', 'notes=v']) {
    const exact = await api.get(`/meetings?${query}`)
    expect([exact.body.totalItems, exact.headers['preference-applied']]).toEqual([10_000, undefined])
    expect(exact.body.view.last).toContain('page=334')
  }
  await given(Meeting, { ...morning, notes: 'Overvloed' })
  for (const query of ['q=overvloed', 'notes=overvloed']) {
    const { body, headers } = await api.get(`/meetings?${query}`).set('Prefer', 'handling=strict')
    expect([body.totalItems, headers['preference-applied']]).toEqual([10_000, 'handling=strict, count=limited'])
    expect(body.view).toEqual(expect.objectContaining({ next: expect.stringContaining('after=') }))
    expect(body.view).not.toHaveProperty('last')
    const next = await api.get(body.view.next)
    expect(next.body.view.previous).toContain('page=1')
    expect((await api.get(`/meetings?${query}&page=334`)).body.member).toHaveLength(11)
  }
  expect((await api.get('/meetings?dateFrom[after]=2000-01-01')).body.totalItems).toBeGreaterThan(10_000)
})

test.each(['q', 'notes', 'q[]', 'notes[]', 'q[0]'])(
  'more than five values of %s are refused with 400',
  async (name) => {
    const query = (many: number) => Array.from({ length: many }, (_, n) => `${name}=abc${n}`).join('&')
    expect((await api.get(`/meetings?${query(5)}`)).status).toBe(200)
    const { status, body } = await api.get(`/meetings?${query(5)}&${name.replace(/\[.*/, '')}=x`)
    expect(status).toBe(400)
    expect(body.detail).toBe(`The parameter "${name.replace(/\[.*/, '')}" takes at most 5 values.`)
  },
)

test('a value of q has at most ten words', async () => {
  const words = (many: number) => Array.from({ length: many }, (_, n) => `w${n}`).join('%20')
  expect((await api.get(`/meetings?q=${words(10)}`)).status).toBe(200)
  expect((await api.get(`/meetings?q=${words(11)}`)).body.detail).toContain('"q" takes at most 10 words')
})

test('other filters take a hundred values, of which any may hold', async () => {
  const many = (one: (n: number) => string) => Array.from({ length: 100 }, (_, n) => one(n)).join('&')
  const locations = async (query: string) => (await api.get(`/locations?itemsPerPage=0&${query}`)).body.totalItems
  await given(Location, { name: 'Night', officeOpenHour: 20, officeCloseHour: 22 })
  expect(await locations(many((n) => `officeOpenHour[between]=${n}..${n}`))).toBe(2)
  expect(await locations(many((n) => `officeOpenHour[between]=${n + 10}..${n + 10}`))).toBe(1)
  expect(await locations('officeOpenHour[between]=9..1&officeOpenHour[between]=10..19')).toBe(0)
  expect(await locations('officeOpenHour[between]=9..1&officeOpenHour[between]=20..20')).toBe(1)
  expect(await locations('officeOpenHour[between]=9..1')).toBe(0)
  expect(await locations('officeOpenHour[gt]=50&officeOpenHour[gt]=9')).toBe(1)
  expect(await locations('officeOpenHour[lt]=1&officeOpenHour[lt]=20')).toBe(1)
  expect(await locations('exists[officeOpenHour]=true&exists[officeOpenHour]=false')).toBe(5 - 1)
  expect((await api.get(`/locations?${many((n) => `officeOpenHour[gt]=${n}`)}&officeOpenHour[gt]=1`)).status).toBe(400)
  const amounts = async (query: string) => (await api.get(`/bank-transactions?${query}`)).body.totalItems
  expect(await amounts('amount[between]=-12.50..-12.5&amount[between]=7..8.25')).toBe(1)
  expect(await amounts('amount[between]=-12.49..0&amount[between]=7..8.25')).toBe(0)
  expect(await amounts('amount[lt]=-100&amount[lt]=-12.499999')).toBe(1)
  expect(await amounts('transactionOn[after]=2027-01-01&transactionOn[after]=2026-02-27')).toBe(1)
  expect(await amounts('transactionOn[strictly_before]=2026-02-27&transactionOn[strictly_before]=2026-01-01')).toBe(0)
})
