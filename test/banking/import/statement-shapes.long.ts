import { randomBytes } from 'node:crypto'
import { openWorld } from '../../support/world.ts'
import { returnUri, setUpBanking, setup } from '../linked-bank.ts'
import { account, accounts, dictated, items, line, number, transactions } from './dictated-bank.ts'

const { api, kontomatik } = await openWorld()

/**
 * Every text of Kontomatik that reaches the database. Accounts and cards have names and keys. Lines have kinds, statuses,
 * currencies, parties and titles. Commands have ids, and the sign-in has replies.
 */
setUpBanking()

/** A text that Postgres cannot compress, with three bytes a character: 1,000 of them exceed an index entry. */
const noise = Array.from(randomBytes(1000), (byte, index) =>
  String.fromCodePoint(0x4e00 + byte * 64 + (index % 64)),
).join('')

test('texts of any length are stored, and the rest is imported', async () => {
  const strange = { name: noise, friendlyName: `${noise}x`, iban: noise, currencyName: noise }
  const long = { title: noise, party: noise, partyIban: noise, kind: noise, status: noise, currencyName: noise }
  const { pulled, tells } = await dictated({
    accounts: [account([line(long)], strange), account([line()]), account([line(long)], { name: noise })],
    cards: [{ texts: { cardId: noise, number: noise, name: noise }, lines: [line(long)] }],
  })
  expect(await pulled()).toMatchObject({ imported: 4, skipped: 0 })
  expect(await accounts()).toHaveLength(4)
  expect(await tells({ accounts: [account([line(), line({ title: 'Tea' })])] })).toMatchObject({ imported: 1 })
})

test('texts lose characters that Postgres cannot store, and duplicate no account or line', async () => {
  const signs = [
    '\u0000',
    '\ud800',
    'a\udc00b',
    '\u0007',
    '\ufffe',
    '💶'.repeat(300),
    '\\u0000',
    '"}]',
    "'; DROP TABLE x; --",
  ]
  const odd = signs.map((text) => {
    const fields = { title: text, party: text, partyIban: text, kind: text, status: text }
    return account([line(fields)], { name: text, friendlyName: text, currencyName: text, iban: text })
  })
  const { pulled, tells } = await dictated({ accounts: [...odd, account([line()])] })
  await pulled()
  const before = await transactions()
  expect(before.length).toBeGreaterThan(5)
  expect(await tells({ accounts: [account([line()]), ...odd] })).toMatchObject({ imported: 0 })
  expect(await transactions()).toEqual(before)
  expect(await accounts()).toContainEqual(expect.objectContaining({ iban: number, closedOn: null }))
})

test('amounts of any size are stored, or counted as skipped', async () => {
  const amounts = [
    '999999999999999.999',
    '-999999999999999.99',
    '1000000000000000',
    '0',
    '-0',
    '00000000000000000001.10',
  ]
  const lines = amounts.map((currencyAmount) => line({ currencyAmount, title: currencyAmount }))
  const { pulled } = await dictated({
    accounts: [account(lines, { iban: number, currencyName: 'PLN', currencyBalance: '999999999999999.999' })],
  })
  expect(await pulled()).toMatchObject({ imported: 5, skipped: 1, partial: true })
  expect((await transactions()).map(({ amount }) => amount).sort()).toEqual(
    ['-999999999999999.99', '0.00', '0.00', '1.10', '1000000000000000.00'].sort(),
  )
})

test('a hundred accounts without a number are stored, and one that is listed twice is stored once', async () => {
  const many = Array.from({ length: 100 }, (_, index) =>
    account([line({ title: `Line ${index}` })], { name: 'Savings' }),
  )
  const twice = [account([line()]), account([line({ title: 'Tea' })])]
  const { pulled, tells } = await dictated({ accounts: [...many, ...twice] })
  expect(await pulled()).toMatchObject({ imported: 102 })
  expect(await tells({ accounts: [...twice.toReversed(), ...many.toReversed()] })).toMatchObject({ imported: 0 })
  expect((await api.get('/bank-accounts?itemsPerPage=1')).body.totalItems).toBe(101)
})

test.each([
  { redirectionId: 'x'.repeat(5000), redirectionLink: 'https://bank.example/' },
  { redirectionId: 'a\u0000b', redirectionLink: 'https://bank.example/' },
  { redirectionId: { id: 1 }, redirectionLink: 'https://bank.example/' },
  { redirectionId: 'r-1', redirectionLink: 'https://' },
  { redirectionId: 'r-1', redirectionLink: 'javascript:alert(1)' },
  { redirectionId: 'r-1' },
])('a sign-in that Kontomatik starts with %j is refused, and no row is left', async (answer) => {
  kontomatik.fault({ kind: 'status', path: 'redirection', status: 200, answer: JSON.stringify(answer) })
  const { status, body } = await api.post(setup, { redirectUri: returnUri })
  expect([status, body.code]).toEqual([503, 'provider_unavailable'])
  expect(await items('/integrations')).toEqual([])
})

test('a sign-in whose id Kontomatik has used before is refused', async () => {
  const answer = JSON.stringify({ redirectionId: 900100, redirectionLink: 'https://bank.example/łódź' })
  kontomatik.fault({ kind: 'status', path: 'redirection', status: 200, answer, times: 2 })
  const first = await api.post(setup, { redirectUri: returnUri })
  expect([first.status, first.body.redirectionId, first.body.redirectUrl]).toEqual([
    201,
    '900100',
    'https://bank.example/%C5%82%C3%B3d%C5%BA',
  ])
  expect((await api.post(setup, { redirectUri: returnUri })).status).toBeLessThan(500)
})

test.each(['\u0000', '\ud800', noise])('a bank whose name is %j is linked', async (name) => {
  const { body } = await api.post(setup, { redirectUri: returnUri })
  const { redirectionId } = body
  const params = { sessionId: 'x', sessionIdSignature: 'y', multipleAccessId: name, target: name, officialName: name }
  const answer = JSON.stringify({ status: 'SUCCESS', params })
  kontomatik.fault({ kind: 'status', path: 'redirection-status', status: 200, answer })
  expect((await api.post(setup, { redirectionId })).status).toBe(201)
})
