import fc from 'fast-check'
import { diffTransactions, type Entry } from '../../../src/banking/import/deduplicate.ts'
import { setUpBanking } from '../linked-bank.ts'
import { account, accounts, ago, dictated, line, transactions } from './dictated-bank.ts'

/**
 * Every way in which a bank changes a booked line: its text, party, party's number, day or booking day, or all of them. An equal
 * line or a new line of the same amount may stand beside it. It may belong to a card, a partial list or the import's first day.
 */
setUpBanking()

const told = (...lines: Record<string, string>[]) => ({ accounts: [account(lines)] })

test('a booked line in another form is the same line', async () => {
  const changes: Record<string, Record<string, string>> = {
    '-1.00': { title: 'KAWA 0012' },
    '-2.00': { party: 'Cafe Sp. z o.o.', partyIban: 'PL61109010140000071219812874' },
    '-3.00': { bookedOn: ago(2) },
    '-4.00': { transactionOn: ago(5) },
    '-5.00': { transactionOn: ago(2), bookedOn: ago(1) },
    '-6.00': { transactionOn: ago(2), bookedOn: ago(1), title: 'KAWA 0012' },
  }
  const amounts = Object.keys(changes)
  const ids = async () => Object.fromEntries((await transactions()).map(({ amount, id }) => [amount, id]))
  const { pulled, tells } = await dictated(told(...amounts.map((currencyAmount) => line({ currencyAmount }))))
  await pulled()
  const before = await ids()
  const changed = amounts.map((currencyAmount) => line({ ...changes[currencyAmount], currencyAmount }))
  expect(await tells(told(...changed))).toMatchObject({ imported: 0, duplicates: 6 })
  expect(await ids()).toEqual(before)
  for (const { amount, text, transactionOn, bookedOn } of await transactions()) {
    const { title, ...days } = line(changes[amount as string])
    expect({ amount, text, transactionOn, bookedOn }).toEqual({
      ...{ amount, text: title },
      ...{ transactionOn: days.transactionOn, bookedOn: days.bookedOn },
    })
  }
})

test('beside a reworded line an equal line stays, and a new line of the same amount is stored', async () => {
  const { pulled, tells } = await dictated(told(line(), line()))
  await pulled()
  const fresh = line({ transactionOn: ago(0), bookedOn: ago(0) })
  expect(await tells(told(line({ title: 'KAWA' }), line(), fresh))).toMatchObject({ imported: 1, duplicates: 2 })
  const found = await transactions()
  expect(found.map(({ text, transactionOn }) => `${text} ${transactionOn}`).sort()).toEqual(
    [`Coffee ${ago(3)}`, `KAWA ${ago(3)}`, `Coffee ${ago(0)}`].sort(),
  )
})

test('a booked line is kept where the list is partial or starts later', async () => {
  const { pulled, tells } = await dictated(told(line({ transactionOn: ago(5), bookedOn: ago(5) })))
  await pulled()
  const other = line({ title: 'Tea' })
  expect(await tells({ accounts: [{ ...account([other]), partial: true }] })).toMatchObject({ imported: 1 })
  const third = line({ title: 'Milk', transactionOn: ago(1), bookedOn: ago(1) })
  expect(await tells(told(third), { since: ago(2) })).toMatchObject({ imported: 1 })
  expect((await transactions()).map(({ text }) => text)).toEqual(['Coffee', 'Tea', 'Milk'])
})

test('a booked line that the bank no longer lists is kept', async () => {
  const { pulled, tells } = await dictated(told(line(), line({ title: 'Tea', currencyAmount: '-3.00' })))
  await pulled()
  await tells(told(line()))
  expect(await transactions()).toHaveLength(2)
  expect(await accounts()).toHaveLength(1)
})

/** A line of the ledger: its day, how long it is pending, and how the bank changes it later. */
const movement = fc.record({
  day: fc.nat(6),
  amount: fc.constantFrom('-12.50', '-3.00'),
  title: fc.constantFrom('Coffee', 'Tea'),
  wait: fc.nat(2),
  changes: fc.array(fc.record({ after: fc.nat(6), day: fc.nat(6), title: fc.constantFrom('Coffee', 'KAWA', 'Tea') }), {
    maxLength: 2,
  }),
})

type Movement = typeof movement extends fc.Arbitrary<infer M> ? M : never

const date = (day: number) => `2026-03-${String(day + 10)}`

/** The form of a line at a moment; undefined before its day. */
function formAt({ day, amount, title, wait, changes }: Movement, now: number): (Entry & { day: number }) | undefined {
  if (now < day) return undefined
  const change = changes
    .map(({ after, ...form }) => ({ at: day + wait + after, ...form }))
    .sort((one, other) => one.at - other.at)
    .findLast(({ at }) => at <= now)
  const form = change ?? { day, title }
  const isBooked = now >= day + wait
  const bookedOn = isBooked ? date(form.day) : null
  const words = { title: form.title, party: null, partyIban: null, iban: 'PL', currency: 'PLN' }
  return { ...words, amount, day: form.day, transactionOn: date(form.day), bookedOn, status: isBooked ? 'DONE' : null }
}

const shown = (entries: Entry[]) =>
  entries.map(({ transactionOn, bookedOn, amount, title }) => [transactionOn, bookedOn, amount, title].join(' ')).sort()

test('after any overlapping statements of one ledger each line is stored once, in its last form', () => {
  const pulls = fc.array(fc.record({ pause: fc.nat(4), further: fc.nat(3) }), { maxLength: 6 })
  fc.assert(
    fc.property(fc.array(movement, { maxLength: 12 }), pulls, (ledger, imports) => {
      let stored: Entry[] = []
      let last = -1
      let now = 0
      const forms = (at: number) => ledger.flatMap((each) => formAt(each, at) ?? [])
      for (const { pause, further } of [...imports, { pause: 30, further: 9 }]) {
        now += pause
        const changed = ledger.flatMap((each) => {
          const [before, after] = [formAt(each, last), formAt(each, now)]
          return JSON.stringify(before) === JSON.stringify(after) ? [] : [before?.day ?? 99, after?.day ?? 99]
        })
        const since = date(Math.max(0, Math.min(now, ...changed) - further))
        const list = forms(now).filter(({ transactionOn }) => transactionOn >= since)
        const { inserts, updates, lapsed } = diffTransactions(
          list,
          stored,
          ({ transactionOn }) => transactionOn >= since,
        )
        const gone = new Set([...updates.map((update) => update.stored), ...lapsed])
        const kept = stored.filter((entry) => !gone.has(entry))
        stored = [...kept, ...updates.map(({ imported }) => imported), ...inserts]
        last = now
        expect(shown(stored)).toEqual(shown(forms(now)))
      }
    }),
    { numRuns: 500 },
  )
})
