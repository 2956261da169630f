import type { DictatedLedger } from '../../../src/emulators/kontomatik/banks/dictated-statement.ts'
import { openWorld } from '../../support/world.ts'
import { enableBanking, pull, revoke, setUpBanking } from '../linked-bank.ts'
import { account, accounts, ago, dictated, items, line, number, transactions } from './dictated-bank.ts'

const { api, as, database, elsewhere, tenant } = await openWorld()

/**
 * Every way in which an account is recognized: by nickname, bank name, position, number, notation of the number, card id and
 * currency. Accounts without lines count, too. So do second integrations, relinked banks and accounts that the list lacks.
 */
setUpBanking()

const coffee = line({ transactionOn: ago(2), bookedOn: ago(2) })
const tea = line({ transactionOn: ago(2), bookedOn: ago(2), title: 'Tea', currencyAmount: '-3.00' })
const nameless = (friendlyName: string | undefined, lines: Record<string, string>[], texts = {}): DictatedLedger =>
  account(lines, { name: 'Savings', ...(friendlyName && { friendlyName }), currencyName: 'PLN', ...texts })

/** The texts of each account's lines, by the account's id. */
async function ledgers(): Promise<Record<string, string>> {
  const found: Record<string, string[]> = Object.fromEntries((await accounts()).map((one) => [one['@id'], []]))
  for (const { account, text } of await transactions()) found[account as string].push(text as string)
  return Object.fromEntries(Object.entries(found).map(([id, texts]) => [id, texts.sort().join()]))
}

test('an account without a number is the same account after its values change', async () => {
  const forms: Record<string, [texts: Record<string, string>, lines: Record<string, string>[]]> = {
    PLN: [{ friendlyName: 'Holidays' }, [coffee, tea]],
    EUR: [{}, [coffee, tea]],
    CZK: [{ friendlyName: 'Rainy day', name: 'Savings Plus' }, [coffee, tea]],
    USD: [{ friendlyName: 'Rainy day', iban: number }, [coffee, tea]],
    CHF: [{ friendlyName: 'Holidays' }, []],
    RON: [{ friendlyName: 'Holidays' }, [coffee, { ...tea, title: 'Herbata' }]],
  }
  const currencies = Object.keys(forms)
  const ids = async () => Object.fromEntries((await accounts()).map(({ currency, id }) => [currency, id]))
  const { pulled, tells } = await dictated({
    accounts: currencies.map((currencyName) => nameless('Rainy day', [coffee, tea], { currencyName })),
  })
  await pulled()
  const before = await ids()
  const next = currencies.map((currencyName) => {
    const [texts, lines] = forms[currencyName]
    return { ...nameless(undefined, lines, { ...texts, currencyName }), partial: lines.length === 0 }
  })
  expect(await tells({ accounts: next.toReversed() })).toMatchObject({ imported: 0 })
  expect(await ids()).toEqual(before)
  expect((await accounts()).filter(({ closedOn }) => closedOn)).toEqual([])
  for (const { currency, name } of await accounts())
    expect([currency, name]).toEqual([currency, forms[currency as string][0].friendlyName ?? 'Savings'])
  expect(await transactions()).toHaveLength(12)
})

test('two accounts without a number and with the same name stay two, in any order', async () => {
  const [one, other] = [nameless('Mine', [coffee]), nameless('Mine', [tea, tea])]
  const { pulled, tells } = await dictated({ accounts: [one, other] })
  expect(await pulled()).toMatchObject({ imported: 3 })
  const before = await ledgers()
  expect(Object.values(before).sort()).toEqual(['Coffee', 'Tea,Tea'])
  expect(await tells({ accounts: [other, one] })).toMatchObject({ imported: 0 })
  expect(await tells({ accounts: [nameless('Yours', [tea, tea]), one] })).toMatchObject({ imported: 0 })
  expect(await ledgers()).toEqual(before)
})

test('two accounts with the same name and equal lines, or none, stay two', async () => {
  const twins = [nameless('Mine', [coffee]), nameless('Mine', [coffee]), nameless('Mine', []), nameless('Mine', [])]
  const { pulled, tells } = await dictated({ accounts: twins })
  expect(await pulled()).toMatchObject({ imported: 2 })
  expect(await tells({ accounts: twins })).toMatchObject({ imported: 0 })
  expect(await tells({ accounts: [twins[0], nameless('Mine', [coffee, tea]), ...twins.slice(2)] })).toMatchObject({
    imported: 1,
  })
  expect(Object.values(await ledgers()).sort()).toEqual(['', '', 'Coffee', 'Coffee,Tea'])
})

test('accounts without a number and without lines are identified by balance, not by nickname', async () => {
  const quiet = (friendlyName: string, currencyBalance: string) => nameless(friendlyName, [], { currencyBalance })
  const { pulled, tells } = await dictated({ accounts: [quiet('A', '1.00'), quiet('B', '2.00')] })
  await pulled()
  const before = Object.fromEntries((await accounts()).map(({ id, balance }) => [balance, id]))
  await tells({ accounts: [quiet('A', '2.00'), quiet('B', '1.00')] })
  expect(Object.fromEntries((await accounts()).map(({ id, balance }) => [balance, id]))).toEqual(before)
})

test('a new account without a number replaces no stored account', async () => {
  const { pulled, tells } = await dictated({ accounts: [nameless('Mine', [coffee])] })
  await pulled()
  expect(await tells({ accounts: [nameless('Mine', [tea])] })).toMatchObject({ imported: 1 })
  expect(Object.values(await ledgers()).sort()).toEqual(['Coffee', 'Tea'])
  expect((await accounts()).map(({ closedOn }) => closedOn).sort()).toEqual([ago(0), null])
})

test('cards without an id are identified by their lines and last digits', async () => {
  const card = (friendlyName: string, number: string, lines: Record<string, string>[]): DictatedLedger => ({
    texts: { friendlyName, number, currencyName: 'PLN' },
    lines,
  })
  const { pulled, tells } = await dictated({ cards: [card('A', '51001111', [coffee]), card('A', '51001111', [tea])] })
  expect(await pulled()).toMatchObject({ imported: 2 })
  const before = await ledgers()
  const renamed = [card('C', '51001111', [tea]), card('D', '51001111', [coffee])]
  expect(await tells({ cards: renamed })).toMatchObject({ imported: 0 })
  expect(await ledgers()).toEqual(before)
  expect((await accounts()).map(({ name }) => name).sort()).toEqual(['C •••• 1111', 'D •••• 1111'])
})

const numbered = (texts: Record<string, string>, lines = [coffee]) => account(lines, { name: 'Current', ...texts })

/** A valid Polish IBAN (ISO 13616). */
function polish(seed: number): string {
  const digits = String(seed).padStart(24, '1090')
  return `PL${String(98n - (BigInt(`${digits}252100`) % 97n)).padStart(2, '0')}${digits}`
}

// ISO 13616: a Polish IBAN is PL and the 26 digits of the number.
test('one number is one account in every notation', async () => {
  const numbers = [1, 2, 3, 4, 5, 6].map(polish)
  const [one, two, three, four, five, six] = numbers
  const czech = 'CZ6508000000192000145399'
  const PLN = { currencyName: 'PLN' }
  const forms: [first: Record<string, string>, second: Record<string, string>][] = [
    [
      { iban: one.slice(2), ...PLN },
      { iban: one, ...PLN },
    ],
    [
      { iban: two, ...PLN },
      { iban: two.slice(2), ...PLN },
    ],
    [
      { iban: three, ...PLN },
      { iban: three.toLowerCase().replace(/.{4}/g, '$& '), ...PLN },
    ],
    [
      { iban: four, ...PLN },
      { iban: four, currencyName: 'pln' },
    ],
    [{ iban: five, ...PLN }, { iban: five }],
    [{ iban: six }, { iban: six, ...PLN }],
    [
      { iban: czech.slice(4), ...PLN },
      { iban: czech, ...PLN },
    ],
  ]
  const ids = async () => (await accounts()).map(({ id }) => id).sort()
  const { pulled, tells } = await dictated({ accounts: forms.map(([first]) => numbered(first)) })
  await pulled()
  const before = await ids()
  expect(await tells({ accounts: forms.map(([, second]) => numbered(second)) })).toMatchObject({ imported: 0 })
  expect(await ids()).toEqual(before)
  const found = await accounts()
  expect(found.map(({ iban }) => iban).sort()).toEqual([...numbers, czech].sort())
  expect(new Set(found.map(({ currency }) => currency))).toEqual(new Set(['PLN']))
  expect(new Set((await transactions()).map(({ currency }) => currency))).toEqual(new Set(['PLN']))
})

test('one number in two currencies is two accounts', async () => {
  const both = ['PLN', 'EUR'].map((currencyName) => numbered({ iban: number, currencyName }))
  const { pulled, tells } = await dictated({ accounts: both })
  expect(await pulled()).toMatchObject({ imported: 2 })
  expect(await tells({ accounts: both.toReversed() })).toMatchObject({ imported: 0 })
  expect(await accounts()).toHaveLength(2)
})

test("the party's number in another notation does not duplicate a line", async () => {
  const paid = (partyIban: string) => ({ accounts: [account([{ ...coffee, partyIban }])] })
  const { pulled, tells } = await dictated(paid(number.slice(2)))
  await pulled()
  expect(await tells(paid(number))).toMatchObject({ imported: 0, duplicates: 1 })
  expect(await transactions()).toMatchObject([{ partyIban: number }])
})

test('one number through two active integrations is one account with each line once', async () => {
  const told = { accounts: [account([coffee, tea])] }
  const first = await dictated(told)
  const second = await dictated(told, { target: 'VistulaApi' })
  expect(await first.pulled()).toMatchObject({ imported: 2 })
  expect(await second.pulled()).toMatchObject({ imported: 0, duplicates: 2 })
  expect(await accounts()).toMatchObject([{ integration: first.link['@id'], closedOn: null }])
  const third = { accounts: [account([coffee, tea, line({ title: 'Milk', transactionOn: ago(0), bookedOn: ago(0) })])] }
  expect(await second.tells(third)).toMatchObject({ imported: 1 })
  expect(await first.tells(third)).toMatchObject({ imported: 0 })
  expect(await transactions()).toHaveLength(3)
})

test('an account of two active integrations moves to the other one when its own is revoked', async () => {
  const told = { accounts: [account([coffee])] }
  const [first, second] = [await dictated(told), await dictated(told, { target: 'VistulaApi' })]
  await first.pulled()
  await second.pulled()
  expect((await api.post(revoke, { integration: first.link['@id'] })).status).toBe(201)
  expect(await second.pulled()).toMatchObject({ imported: 0 })
  expect(await accounts()).toMatchObject([{ integration: second.link['@id'] }])
})

test('a card through two integrations with one bank is one account, and accounts without a number stay separate', async () => {
  const told = {
    accounts: [nameless('Mine', [tea])],
    cards: [{ texts: { cardId: 'c-1', currencyName: 'PLN' }, lines: [coffee] }],
  }
  const [first, second] = [await dictated(told), await dictated(told, { target: 'VistulaApi' })]
  await first.pulled()
  await database.query(`UPDATE "integration" SET "target" = 'KontoBankApi'`)
  expect(await second.pulled()).toMatchObject({ imported: 1, duplicates: 1 })
  expect(Object.values(await ledgers()).sort()).toEqual(['Coffee', 'Tea', 'Tea'])
})

// KONTOMATIK.md: four imports in 24 hours per bank account, shared over all consents for it.
test('the imports of an account are counted across its integrations', async () => {
  const told = { accounts: [account([coffee])] }
  const links = [await dictated(told), await dictated(told, { target: 'VistulaApi' })]
  for (const { pulled } of [...links, ...links]) await pulled()
  for (const { link } of links) {
    const refused = await api.post(pull, { integration: link['@id'] })
    expect([refused.status, refused.body.code]).toEqual([429, 'limit_reached'])
  }
})

test('two integrations that import one number at the same moment store one account', async () => {
  const told = { accounts: [account([coffee, tea])] }
  const links = [await dictated(told), await dictated(told, { target: 'VistulaApi' })]
  const found = await Promise.all(links.map(({ pulled }) => pulled()))
  expect(found.map(({ imported }) => imported).sort()).toEqual([0, 2])
  expect(await accounts()).toHaveLength(1)
})

test('a bank that is linked again keeps its accounts without a number, and takes none of another customer', async () => {
  const told = { accounts: [nameless('Mine', [coffee]), nameless('Mine', [tea])] }
  const { pulled, login } = await dictated(told)
  await pulled()
  const before = await ledgers()
  const again = await dictated(told, { login })
  expect(await again.pulled()).toMatchObject({ imported: 0 })
  expect(await ledgers()).toEqual(before)
  const stranger = await dictated({ accounts: [nameless('Mine', [line({ title: 'Milk', currencyAmount: '-9.00' })])] })
  expect(await stranger.pulled()).toMatchObject({ imported: 1 })
  expect(Object.values(await ledgers()).sort()).toEqual(['Coffee', 'Milk', 'Tea'])
})

test('one number in two organizations is one account in each', async () => {
  await enableBanking(elsewhere.organization.id)
  const told = { accounts: [account([coffee])] }
  const stranger = as(elsewhere.users.owner)
  await (await dictated(told)).pulled()
  expect(await (await dictated(told, { agent: stranger })).pulled()).toMatchObject({ imported: 1 })
  expect(await accounts(stranger)).toHaveLength(1)
  expect(await accounts()).toHaveLength(1)
})

test('an account that the bank no longer lists is closed, and reopened when it is listed again', async () => {
  const open = [account([coffee]), nameless('Mine', [tea])]
  const cards = [{ texts: { cardId: 'c-1', currencyName: 'PLN' } }]
  const { pulled, tells } = await dictated({ accounts: open, cards })
  await pulled()
  const closed = async () => Object.fromEntries((await accounts()).map(({ name, closedOn }) => [name, closedOn]))
  const none = { Card: null, Current: null, Mine: null }
  expect(await closed()).toEqual(none)
  await tells({ accounts: [open[0]], cards: [] })
  expect(await closed()).toEqual({ Card: ago(0), Current: null, Mine: ago(0) })
  expect(await tells({ accounts: open, cards })).toMatchObject({ imported: 0 })
  expect(await closed()).toEqual(none)
  expect(await items('/bank-accounts', as(tenant.users.member))).toContainEqual(
    expect.objectContaining({ name: 'Card', closedOn: null, integration: null }),
  )
})

test('a missing list closes no account, an empty list closes all', async () => {
  const { pulled, tells } = await dictated({ accounts: [account([coffee])] })
  await pulled()
  await tells({ cards: [] })
  expect(await accounts()).toMatchObject([{ closedOn: null }])
  await tells({ accounts: [] })
  expect(await accounts()).toMatchObject([{ closedOn: ago(0) }])
  expect(await transactions()).toHaveLength(1)
})
