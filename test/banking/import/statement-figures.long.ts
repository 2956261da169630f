import { amountOf, dayOf, ibanOf } from '../../../src/banking/kontomatik/amounts.ts'
import { openWorld } from '../../support/world.ts'
import { pull, setUpBanking } from '../linked-bank.ts'
import { account, accounts, ago, dictated, line, number, transactions } from './dictated-bank.ts'

const { as, kontomatik, tenant } = await openWorld()

/**
 * Every text of the bank that becomes a value: days and amounts of lines, balances, limits of cards, currencies and their
 * decimals. Lines and days that are left out count, too.
 */
setUpBanking()

// XML Schema 1.1 part 2, §3.3.9: a date may have a timezone.
test.each([
  ...['2026-11-20', '2026-11-20+01:00', '2026-11-20-05:00', '2026-11-20Z', '2026-11-20T23:30:00+01:00'],
  ...['2026-11-20 10:15:00', '20261120', '2026/11/20', '2026.11.20', '20.11.2026', '20-11-2026', '20/11/2026'],
])('%s is the day 2026-11-20', (text) => {
  expect(dayOf(text)).toBe('2026-11-20')
})

test.each([
  ...['', 'soon', '2026-02-30', '2026-13-01', '1826-11-20', '3026-11-20', '2026-11', '11-20-2026', '05/06/2026'],
  ...['2026-11-2x', '2026111', '2026-11-20x', '20.11.26'],
])('%j is no day, or is ambiguous', (text) => {
  expect(dayOf(text)).toBeNull()
})

test.each([
  ['-17,50', '-17.50'],
  ['1 234.00', '1234.00'],
  ['1 234,00', '1234.00'],
  ['1 234 567,8', '1234567.80'],
  ["1'234.50", '1234.50'],
  ['1.234,50', '1234.50'],
  ['1,234.50', '1234.50'],
  ['1.234.567', '1234567.00'],
  ['1,234,567', '1234567.00'],
  ['−3.00', '-3.00'],
  ['3.00-', '-3.00'],
  ['+3', '3.00'],
  ['- 3', '-3.00'],
  ['.5', '0.50'],
  ['0,125', '0.13'],
  ['0012345.6789', '12345.68'],
  ['-0.001', '0.00'],
])('%s is the amount %s', (text, amount) => {
  expect(amountOf(text, 'PLN')).toBe(amount)
})

test.each([
  ...['', '-', '.', ',', '1,234', '12 34.00', '1 2345', '1.23,456.7', '1e5', 'NaN', '0x10', '-3-', '+-3', '3 PLN', '٣'],
  ...['1234567890123456.00', '1'.repeat(1000)],
])('%j is no amount, or is ambiguous', (text) => {
  expect(amountOf(text, 'PLN')).toBeNull()
})

// ISO 4217: the yen has no decimals, the dinars have three, the Chilean unit of account has four.
test.each([
  ['JPY', '-1200.00', '-1200'],
  ['ISK', '0.4', '0'],
  ['KRW', '1 200', '1200'],
  ['TND', '1.234', '1.234'],
  ['BHD', '-0.5', '-0.500'],
  ['KWD', '1.2345', '1.235'],
  ['CLF', '1', '1.0000'],
  ['PLN', '12.345', '12.35'],
  ['XXX', '1', '1.00'],
])('an amount in %s that is written as %s is %s', (currency, text, amount) => {
  expect(amountOf(text, currency)).toBe(amount)
})

test('a number of 26 digits is a Polish IBAN only if its check digits are right', () => {
  expect(ibanOf(number.slice(2))).toBe(number)
  expect(ibanOf('61 1090 1014 0000 0712 1981 2875')).toBe('61109010140000071219812875')
  expect(ibanOf('nl91 abna 0417 1643 00')).toBe('NL91ABNA0417164300')
  expect(ibanOf(' - ')).toBeNull()
})

test('lines with unusual notations of days and amounts are imported', async () => {
  const { pulled } = await dictated({
    accounts: [
      account(
        [
          line({ transactionOn: `${ago(3)}+01:00`, bookedOn: `${ago(2)}Z` }),
          line({ currencyAmount: '-17,50' }),
          line({ currencyAmount: '1 234.00' }),
        ],
        { iban: number, currencyName: 'PLN', currencyBalance: '-1 234,50', currencyFundsAvailable: '10,00' },
      ),
    ],
  })
  expect(await pulled()).toMatchObject({ imported: 3, skipped: 0, partial: false })
  expect((await transactions()).map(({ amount }) => amount).sort()).toEqual(['-12.50', '-17.50', '1234.00'])
  expect(await transactions('&bookedOn[before]=9999-01-01')).toContainEqual(
    expect.objectContaining({ transactionOn: ago(3), bookedOn: ago(2) }),
  )
  expect(await accounts()).toMatchObject([{ balance: '-1234.50', availableBalance: '10.00' }])
})

test('unreadable lines are left out and counted, and the rest is imported', async () => {
  const bad = [
    line({ currencyAmount: '1,234' }),
    line({ transactionOn: '05/06/2026' }),
    line({ currencyAmount: undefined }),
  ]
  const dateless = line({ transactionOn: undefined, bookedOn: undefined, status: 'PENDING' })
  const told = {
    accounts: [account([line(), ...bad, dateless])],
    cards: [{ texts: { cardId: 'c-1' }, lines: [line({ currencyAmount: 'x' }), line({ title: 'Tea' })] }],
  }
  const { pulled, tells, link } = await dictated(told)
  expect(await pulled()).toMatchObject({ imported: 2, duplicates: 0, skipped: 5, partial: true })
  expect(await tells({ accounts: [account([line()])] })).toMatchObject({ skipped: 0, partial: false })
  expect((await as(tenant.users.admin).get(link['@id'])).body).toMatchObject({ skipped: 0, partial: false })
})

test('where lines were left out no pending line is deleted and no booked line overwritten', async () => {
  const hold = line({ bookedOn: undefined, status: undefined, currencyAmount: '-3.00' })
  const { pulled, tells } = await dictated({ accounts: [account([hold, line()])] })
  await pulled()
  const next = { accounts: [account([line({ currencyAmount: '1,234' }), line({ title: 'Tea' })])] }
  expect(await tells(next)).toMatchObject({ imported: 1, skipped: 1, partial: true })
  expect(await transactions()).toHaveLength(3)
})

// ISO 4217: codes are three capital letters.
test('a currency in lower case is stored in upper case, and duplicates no line', async () => {
  const told = (currencyName: string) => ({ accounts: [account([line({ currencyName })])] })
  const { pulled, tells } = await dictated(told('eur'))
  await pulled()
  expect(await tells(told('EUR'))).toMatchObject({ imported: 0, duplicates: 1 })
  expect(await transactions('&currency=EUR')).toHaveLength(1)
})

test('amounts have the decimals of their currency, in lines, balances, filters and the next import', async () => {
  const lines = [line({ currencyAmount: '-1.234' }), line({ currencyAmount: '1200.00', currencyName: 'jpy' })]
  const texts = { iban: number, currencyName: 'tnd', currencyBalance: '12.5', currencyFundsAvailable: '0.0005' }
  const { pulled, tells } = await dictated({ accounts: [account(lines, texts)] })
  expect(await pulled()).toMatchObject({ imported: 2 })
  expect((await transactions('&order[amount]=asc')).map(({ amount }) => amount)).toEqual(['-1.234', '1200'])
  expect(await transactions('&amount[lt]=-1.233')).toHaveLength(1)
  expect(await transactions('&amount[between]=1200..1200.00')).toHaveLength(1)
  expect(await accounts()).toMatchObject([{ currency: 'TND', balance: '12.500', availableBalance: '0.001' }])
  expect(await tells({ accounts: [account(lines, texts)] })).toMatchObject({ imported: 0, duplicates: 2 })
})

// KONTOMATIK.md: every reused session shows at most the last 90 days.
test('an import that starts later than requested is partial', async () => {
  const old = line({ transactionOn: ago(200), bookedOn: ago(200) })
  const { pulled } = await dictated({ accounts: [account([old, line()])] })
  expect(await pulled({ since: ago(100) })).toMatchObject({ importedSince: ago(100), imported: 1, partial: false })
  expect(await pulled({ since: ago(365) })).toMatchObject({ importedSince: ago(90), imported: 0, partial: true })
  expect(await pulled({ since: ago(90) })).toMatchObject({ importedSince: ago(90), partial: false })
  expect(await pulled()).toMatchObject({ importedSince: ago(7), partial: false })
})

test('a first import through a consent, which shows 90 days, is partial', async () => {
  const { pulled, link } = await dictated({ accounts: [account([line()])] })
  kontomatik.fault({ kind: 'exception', path: 'default-import', name: 'SessionExpired' })
  expect(await pulled()).toMatchObject({ '@id': link['@id'], importedSince: ago(90), partial: true })
})

test('the description of the operation names the limit and the property that shows it', async () => {
  const { body } = await as().get('/docs.jsonopenapi')
  expect(body.paths[pull].post.description).toMatch(/90 days.*importedSince.*partial.*skipped/s)
})
