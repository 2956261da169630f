import { setUpBanking } from '../linked-bank.ts'
import { account, ago, dictated, line, transactions } from './dictated-bank.ts'

/**
 * Every way in which a pending line changes between two imports: booked on another day or with another text, or no longer listed.
 * An equal line may stay pending. The line may belong to a card or a partial list, or have an unknown status.
 */
setUpBanking()

const hold = line({ bookedOn: undefined, status: undefined })
const told = (...lines: Record<string, string>[]) => ({ accounts: [account(lines)] })

// KONTOMATIK.md: every element may be missing, so a line without a booking day and a status is not booked yet.
test('a line without booking day and status is pending', async () => {
  const { pulled } = await dictated(told(hold))
  await pulled()
  expect(await transactions()).toMatchObject([{ status: 'PENDING', bookedOn: null, transactionOn: ago(3) }])
  expect(await transactions('&status=PENDING')).toHaveLength(1)
})

test('a pending line is the same line once it is booked, in any form', async () => {
  const forms: Record<string, Record<string, string | undefined>> = {
    '-1.00': { bookedOn: ago(1) },
    '-2.00': { bookedOn: ago(1), status: undefined },
    '-3.00': { bookedOn: undefined },
    '-4.00': { title: 'CAFE 0012', party: 'Cafe Sp. z o.o.' },
    '-5.00': { transactionOn: ago(1), bookedOn: ago(1) },
    '-6.00': { transactionOn: ago(1), bookedOn: ago(1), title: 'CAFE 0012' },
  }
  const amounts = Object.keys(forms)
  const ids = async () => Object.fromEntries((await transactions()).map(({ amount, id }) => [amount, id]))
  const { pulled, tells } = await dictated(told(...amounts.map((currencyAmount) => ({ ...hold, currencyAmount }))))
  await pulled()
  const before = await ids()
  const booked = amounts.map((currencyAmount) => line({ ...forms[currencyAmount], currencyAmount }))
  expect(await tells(told(...booked))).toMatchObject({ imported: 0, duplicates: 6 })
  expect(await ids()).toEqual(before)
  for (const { amount, text, status, ...found } of await transactions()) {
    const { title, transactionOn, bookedOn = null } = line({ ...forms[amount as string] })
    expect([amount, { text, ...found }]).toMatchObject([amount, { text: title, transactionOn, bookedOn }])
    expect(status).not.toBe('PENDING')
  }
})

test('a pending line that is booked weeks later on its booking day is the same line', async () => {
  const { pulled, tells } = await dictated(told({ ...hold, transactionOn: ago(30) }))
  await pulled()
  const [{ id }] = await transactions()
  expect(await tells(told(line()))).toMatchObject({ imported: 0 })
  expect(await transactions()).toMatchObject([{ id, transactionOn: ago(3) }])
})

test('a pending line that is listed again is one line, whatever its status', async () => {
  const { pulled, tells } = await dictated(told(hold))
  await pulled()
  expect(await tells(told({ ...hold, status: 'PENDING' }))).toMatchObject({ imported: 0 })
  expect(await tells(told({ ...hold, status: 'Blocked' }))).toMatchObject({ imported: 0 })
  expect(await transactions()).toHaveLength(1)
  expect(await tells(told(line({ status: 'Settled' })))).toMatchObject({ imported: 0 })
  expect(await transactions()).toMatchObject([{ bookedOn: ago(3) }])
})

test('of two equal pending lines one is booked and the other stays pending', async () => {
  const { pulled, tells } = await dictated(told(hold, hold))
  await pulled()
  expect(await tells(told(line(), hold))).toMatchObject({ imported: 0 })
  expect((await transactions()).map(({ bookedOn }) => bookedOn).sort()).toEqual([ago(3), null])
})

test('a pending line of a card is booked as the same line', async () => {
  const card = (one: Record<string, string>) => ({
    cards: [{ texts: { cardId: 'c-1', number: '5100123412341234', currencyName: 'PLN' }, lines: [one] }],
  })
  const { pulled, tells } = await dictated(card(hold))
  await pulled()
  expect(await tells(card(line()))).toMatchObject({ imported: 0 })
  expect(await transactions()).toMatchObject([{ status: 'DONE' }])
})

test('a booked line never becomes pending', async () => {
  const { pulled, tells } = await dictated(told(line()))
  await pulled()
  expect(await tells(told(hold))).toMatchObject({ imported: 0 })
  expect(await transactions()).toMatchObject([{ status: 'DONE', bookedOn: ago(3) }])
})

test('an import starts at the oldest pending line, which is deleted when the bank no longer lists it', async () => {
  const old = { ...hold, transactionOn: ago(40) }
  const { pulled, tells } = await dictated(told(old, line({ transactionOn: ago(60), bookedOn: ago(60) })))
  await pulled()
  expect(await transactions()).toHaveLength(2)
  const { importedSince } = await tells(told(line({ transactionOn: ago(60), bookedOn: ago(60) })))
  expect(importedSince).toBe(ago(40))
  expect(await transactions()).toMatchObject([{ transactionOn: ago(60) }])
})

test('an import from a later day includes older pending lines', async () => {
  const { pulled, tells } = await dictated(told({ ...hold, transactionOn: ago(20) }))
  await pulled()
  await tells(told(), { since: ago(1) })
  expect(await transactions()).toEqual([])
})

test('a pending line is kept where the list is partial, and while it is pending', async () => {
  const old = { ...hold, transactionOn: ago(30) }
  const { pulled, tells } = await dictated(told(old))
  await pulled()
  await tells({ accounts: [{ ...account([]), partial: true }] })
  await tells(told(old))
  expect(await transactions()).toMatchObject([{ transactionOn: ago(30) }])
  expect(await tells(told(line({ transactionOn: ago(30) })))).toMatchObject({ imported: 0 })
  expect(await transactions()).toMatchObject([{ transactionOn: ago(30), bookedOn: ago(3) }])
})
