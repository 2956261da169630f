import { randomUUID } from 'node:crypto'
import { BankIdentity1764000000030 } from '../../../src/migrations/1764000000030-bank-identity.ts'
import { counted } from '../../support/rows/counted-rows.ts'
import { openWorld } from '../../support/world.ts'
import { setUpBanking } from '../linked-bank.ts'
import { account, accounts, ago, dictated, line, number, transactions } from './dictated-bank.ts'

const { database, organization } = await openWorld()

/**
 * Every kind of row that the migration must recognize: accounts under a nickname, cards without an id, numbers without a country
 * code or stored twice. Lines have currencies in lower case, rounded amounts or no booking day.
 */
setUpBanking()

type Row = Record<string, string | number | null>

async function insert(table: string, { id, ...values }: Row): Promise<string> {
  const row: Row = { ...values, organizationId: organization.id, version: 1 }
  const names = Object.keys(row)
  const made = randomUUID()
  await database.query(
    counted(
      database,
      table,
      `INSERT INTO "${table}" ("createdAt", "updatedAt", "id", ${names.map((name) => `"${name}"`).join()})
        VALUES (now(), now(), $1, ${names.map((_, index) => `$${index + 2}`).join()})`,
    ),
    [made, ...Object.values(row)],
  )
  return made
}

/** Stores rows in the format before the migration, and migrates them. */
async function migrated(rows: () => Promise<unknown>): Promise<void> {
  const migration = new BankIdentity1764000000030()
  const runner = database.createQueryRunner()
  await runner.startTransaction()
  await migration.down(runner)
  await runner.commitTransaction()
  await rows()
  await runner.startTransaction()
  await migration.up(runner)
  await runner.commitTransaction()
  await runner.release()
}

const stored = (accountId: string, values: Row = {}) =>
  insert('bank_transaction', {
    ...{
      accountId,
      transactionOn: ago(3),
      bookedOn: ago(3),
      amount: '-12.50',
      currency: 'PLN',
      text: 'Coffee',
      status: 'DONE',
    },
    ...values,
  })

test('accounts that were stored by nickname keep their rows and lines under a new nickname', async () => {
  const { link, pulled } = await dictated({
    accounts: [account([line()], { name: 'Savings', friendlyName: 'Holidays', currencyName: 'PLN' })],
    cards: [
      { texts: { cardId: 'c-1', currencyName: 'PLN' }, lines: [line({ title: 'Tea' })] },
      { texts: { friendlyName: 'Mine', number: '51001111', currencyName: 'PLN' }, lines: [line({ title: 'Milk' })] },
    ],
  })
  let ids: string[] = []
  await migrated(async () => {
    const own = { integrationId: link.id, currency: 'PLN' }
    ids = [
      await insert('bank_account', { ...own, reference: 'name Rainy day PLN', name: 'Rainy day' }),
      await insert('bank_account', { ...own, reference: 'card c-1 PLN', name: 'Card' }),
      await insert('bank_account', { ...own, reference: 'card Old •••• 1111 PLN', name: 'Old •••• 1111' }),
    ]
    for (const [index, text] of ['Coffee', 'Tea', 'Milk'].entries()) await stored(ids[index], { text })
  })
  expect(await pulled()).toMatchObject({ imported: 0, duplicates: 3 })
  const found = await accounts()
  expect(found.map(({ id }) => id).sort()).toEqual([...ids].sort())
  expect(found.map(({ name }) => name).sort()).toEqual(['Card', 'Holidays', 'Mine •••• 1111'])
})

test('an account that was stored under two notations of its number becomes one, with each line once', async () => {
  const lines = [line(), line(), line({ title: 'Tea' }), line({ title: 'Milk' })]
  const { link, pulled } = await dictated({ accounts: [account(lines)] })
  await migrated(async () => {
    const own = { integrationId: link.id, currency: 'PLN', name: 'Current' }
    const digits = number.slice(2)
    const first = await insert('bank_account', { ...own, reference: `${digits} PLN`, iban: digits })
    const second = await insert('bank_account', { ...own, reference: `${number} PLN`, iban: number })
    for (const text of ['Coffee', 'Coffee', 'Tea']) await stored(first, { text })
    for (const text of ['Coffee', 'Milk']) await stored(second, { text })
  })
  expect(await accounts()).toMatchObject([{ iban: number }])
  expect((await transactions()).map(({ text }) => text).sort()).toEqual(['Coffee', 'Coffee', 'Milk', 'Tea'])
  expect(await pulled()).toMatchObject({ imported: 0, duplicates: 4 })
})

test('an account that was stored through two integrations stays with the active one', async () => {
  const told = { accounts: [account([line()])] }
  const [first, second] = [await dictated(told), await dictated(told, { target: 'VistulaApi' })]
  await database.query(`UPDATE "integration" SET "status" = 'revoked' WHERE "id" = $1`, [first.link.id])
  await migrated(async () => {
    for (const { link } of [first, second]) {
      const own = { integrationId: link.id, reference: `${number} PLN`, iban: number, currency: 'PLN', name: 'Current' }
      await stored(await insert('bank_account', own))
    }
  })
  expect(await accounts()).toMatchObject([{ integration: second.link['@id'] }])
  expect(await transactions()).toHaveLength(1)
  expect(await second.pulled()).toMatchObject({ imported: 0 })
})

test('migrated lines are recognized: pending without a status, in lower case, rounded, without a country code', async () => {
  const { link, pulled } = await dictated({
    accounts: [
      account([
        line({ title: 'Pending', transactionOn: ago(5) }),
        line({ title: 'Lower', currencyName: 'EUR' }),
        line({ title: 'Yen', currencyName: 'JPY', currencyAmount: '1200' }),
        line({ title: 'Dinar', currencyName: 'TND', currencyAmount: '1.235' }),
        line({ title: 'Party', partyIban: number }),
      ]),
    ],
  })
  await migrated(async () => {
    const own = { integrationId: link.id, currency: 'PLN', name: 'Current', reference: `${number} PLN`, iban: number }
    const id = await insert('bank_account', own)
    await stored(id, { text: 'Pending', transactionOn: ago(5), bookedOn: null, status: null })
    await stored(id, { text: 'Lower', currency: 'eur' })
    await stored(id, { text: 'Yen', currency: 'JPY', amount: '1200.00' })
    await stored(id, { text: 'Dinar', currency: 'TND', amount: '1.24' })
    await stored(id, { text: 'Party', partyIban: number.slice(2) })
  })
  expect(await transactions('&currency=EUR')).toHaveLength(1)
  expect(await transactions('&status=PENDING')).toHaveLength(1)
  expect((await transactions()).map(({ amount }) => amount)).toContain('1200')
  expect(await pulled()).toMatchObject({ imported: 0, duplicates: 5 })
  expect((await transactions()).map(({ text, amount }) => `${text} ${amount}`).sort()).toEqual(
    ['Dinar 1.235', 'Lower -12.50', 'Party -12.50', 'Pending -12.50', 'Yen 1200'].sort(),
  )
})
