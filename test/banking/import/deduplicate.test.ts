import fc from 'fast-check'
import {
  diffTransactions,
  type Entry,
  earliest,
  fingerprint,
  isPending,
} from '../../../src/banking/import/deduplicate.ts'
import { Kontomatik } from '../../../src/banking/kontomatik/kontomatik-client.ts'
import { startLocalKontomatik } from '../../../src/emulators/kontomatik/server.ts'
import { imported, mock } from '../client/kontomatik-server.ts'

const coffee: Entry = {
  iban: 'PL61',
  transactionOn: '2026-02-27',
  bookedOn: '2026-02-27',
  amount: '-12.50',
  currency: 'PLN',
  party: 'Café',
  partyIban: null,
  title: 'Coffee',
  status: 'DONE',
}
const pending: Entry = { ...coffee, bookedOn: null, status: 'PENDING' }

/** Few different values, so that equal and similar entries are frequent. */
const entries = fc.array(
  fc.record<Entry>({
    iban: fc.constantFrom('PL61', null),
    transactionOn: fc.constantFrom('2026-02-26', '2026-02-27', '2026-02-28'),
    bookedOn: fc.constantFrom('2026-02-27', '2026-03-01', null),
    amount: fc.constantFrom('-12.50', '3.00'),
    currency: fc.constantFrom('PLN', null),
    party: fc.constantFrom('Café', 'Shop', null),
    partyIban: fc.constant(null),
    title: fc.constantFrom('Coffee', null),
    status: fc.constantFrom('PENDING', 'DONE', null),
  }),
  { maxLength: 20 },
)

/** The stored entries after an import. */
function after(stored: Entry[], imports: Entry[]): Entry[] {
  const { inserts, updates, lapsed } = diffTransactions(imports, stored)
  const gone = new Set([...updates.map((update) => update.stored), ...lapsed])
  return [...stored.filter((entry) => !gone.has(entry)), ...updates.map((update) => update.imported), ...inserts]
}

const multiset = (list: Entry[]) => list.map((entry) => `${fingerprint(entry)} ${entry.status === 'PENDING'}`).sort()

test('two equal payments of one day are both kept, and repeating the import adds nothing', () => {
  expect(diffTransactions([coffee, coffee], []).inserts).toHaveLength(2)
  expect(diffTransactions([coffee, coffee], [coffee]).inserts).toHaveLength(1)
  expect(diffTransactions([coffee, coffee], [coffee, coffee])).toEqual({ inserts: [], updates: [], lapsed: [] })
})

test('a pending line is updated when it is booked, also with another text', () => {
  for (const booked of [coffee, { ...coffee, party: 'CAFE 12', title: null }, { ...pending, status: 'DONE' }])
    expect(diffTransactions([booked], [pending])).toEqual({
      inserts: [],
      updates: [{ stored: pending, imported: booked }],
      lapsed: [],
    })
})

test('a line that stays pending with another text is updated', () => {
  const reworded = { ...pending, title: 'Hold' }
  expect(diffTransactions([reworded], [pending]).updates).toEqual([{ stored: pending, imported: reworded }])
})

test('of two equal pending lines one is booked and one stays pending', () => {
  const { inserts, updates, lapsed } = diffTransactions([coffee, pending], [pending, { ...pending }])
  expect([inserts, updates.length, lapsed]).toEqual([[], 1, []])
})

test('a booked line never becomes pending', () => {
  const stale = { ...coffee, status: 'PENDING' }
  expect(diffTransactions([stale], [coffee])).toEqual({ inserts: [], updates: [], lapsed: [] })
  expect(diffTransactions([pending], [coffee])).toEqual({ inserts: [], updates: [], lapsed: [] })
})

test('a booked line is overwritten only where the import should list it and does not', () => {
  const reworded = { ...coffee, title: 'Tea' }
  expect(diffTransactions([reworded], [coffee])).toMatchObject({ inserts: [], updates: [{ stored: coffee }] })
  expect(diffTransactions([reworded], [coffee], () => false).inserts).toEqual([reworded])
  expect(diffTransactions([reworded, coffee], [coffee])).toMatchObject({ inserts: [reworded], updates: [] })
})

test('a booked line is matched up to seven days away, and no further', () => {
  const [near, far] = ['2026-03-06', '2026-03-07'].map((transactionOn) => ({ ...coffee, transactionOn }))
  expect(diffTransactions([near], [coffee])).toMatchObject({
    inserts: [],
    updates: [{ stored: coffee, imported: near }],
  })
  expect(diffTransactions([far], [coffee])).toEqual({ inserts: [far], updates: [], lapsed: [] })
})

test('a pending line that the bank no longer lists lapses', () => {
  expect(diffTransactions([], [pending, coffee]).lapsed).toEqual([pending])
})

test('a fingerprint excludes the values that change, and no others', () => {
  const same = fingerprint(coffee)
  expect(fingerprint({ ...coffee, status: null })).toBe(same)
  for (const name of ['iban', 'transactionOn', 'bookedOn', 'amount', 'currency', 'party', 'partyIban', 'title'])
    expect(fingerprint({ ...coffee, [name]: 'other' })).not.toBe(same)
  expect(fingerprint({ ...coffee, party: 'A","B', title: 'C' })).not.toBe(
    fingerprint({ ...coffee, party: 'A', title: 'B","C' }),
  )
})

test('a first import is stored completely, and repeating it in any order adds nothing', () => {
  fc.assert(
    fc.property(entries, fc.nat(), (list, seed) => {
      const shuffled = list
        .map((entry, index) => ({ ...entry, at: (index * 7919 + seed) % 101 }))
        .sort((a, b) => a.at - b.at)
      expect(diffTransactions(list, []).inserts).toEqual(list)
      expect(diffTransactions(shuffled, list)).toEqual({ inserts: [], updates: [], lapsed: [] })
    }),
  )
})

test('at least the missing number of lines is inserted, and each line is paired once', () => {
  fc.assert(
    fc.property(entries, entries, (imports, stored) => {
      const { inserts, updates, lapsed } = diffTransactions(imports, stored, isPending)
      const counts = new Map<string, number>()
      for (const entry of stored.filter((entry) => !isPending(entry)))
        counts.set(fingerprint(entry), (counts.get(fingerprint(entry)) ?? 0) + 1)
      const booked = imports.filter((entry) => !isPending(entry))
      const short = booked.filter((entry) => {
        const count = counts.get(fingerprint(entry)) ?? 0
        counts.set(fingerprint(entry), count - 1)
        return count <= 0
      })
      const came = [...inserts, ...updates.map((update) => update.imported)]
      const fresh = came.filter((entry) => !isPending(entry))
      expect(multiset(fresh)).toEqual(multiset(short))
      const touched = [...updates.map((update) => update.stored), ...lapsed]
      expect(new Set(touched).size).toBe(touched.length)
      for (const entry of touched) expect(isPending(entry)).toBe(true)
    }),
  )
})

test('after any sequence of imports the stored lines equal those of the bank', () => {
  const events = fc.array(
    fc.record({ day: fc.nat(9), amount: fc.constantFrom('-1.00', '-2.00'), wait: fc.nat(3), renamed: fc.boolean() }),
    { maxLength: 25 },
  )
  const on = (day: number) => `2026-03-${String(day + 10)}`
  const windows = fc.array(fc.record({ pause: fc.nat(3), back: fc.nat(9) }), { maxLength: 8 })
  fc.assert(
    fc.property(events, windows, (happened, pulls) => {
      let [stored, today]: [Entry[], number] = [[], 0]
      const seen = (now: number, from: number) =>
        happened
          .filter(({ day }) => day >= from && day <= now)
          .map(({ day, amount, wait, renamed }): Entry => {
            const entry = { ...coffee, transactionOn: on(day), amount }
            if (now < day + wait) return { ...entry, bookedOn: null, status: 'PENDING' }
            return { ...entry, bookedOn: on(day + wait), title: renamed ? 'Booked' : 'Coffee' }
          })
      let last = 0
      for (const { pause, back } of [...pulls, { pause: 9, back: 20 }]) {
        today += pause
        const from = Math.max(0, Math.min(last, today) - 3 - back)
        const list = seen(today, from)
        const inside = stored.filter(({ transactionOn }) => transactionOn >= on(from))
        stored = [...stored.filter((entry) => !inside.includes(entry)), ...after(inside, list)]
        last = today
      }
      expect(multiset(stored)).toEqual(multiset(seen(today, 0)))
    }),
  )
})

test('the earliest day of an import limits the stored lines that are needed', () => {
  expect(earliest([])).toBeUndefined()
  expect(earliest([coffee, { transactionOn: '2026-01-05' }, pending])).toBe('2026-01-05')
})

test('thousands of lines are compared within the time limit', () => {
  const many = Array.from({ length: 20_000 }, (_, index) => ({ ...coffee, title: String(index % 5000) }))
  const began = Date.now()
  expect(diffTransactions(many, many.slice(5000)).inserts).toHaveLength(5000)
  expect(Date.now() - began).toBeLessThan(2000)
})

test('repeated imports from the emulator store exactly its lines', async () => {
  const local = await startLocalKontomatik({ importMs: 5 })
  const kontomatik = new Kontomatik(local)
  const { session, multipleAccessId } = await kontomatik.mockSession(mock())
  const entriesOf = ({ accounts }: Awaited<ReturnType<typeof imported>>): Entry[] =>
    accounts.flatMap(({ iban, transactions }) => transactions.map((transaction) => ({ ...transaction, iban })))
  const pull = async () => entriesOf(await imported(kontomatik, await kontomatik.reuseAccess(multipleAccessId ?? '')))

  const first = entriesOf(await imported(kontomatik, session))
  expect(first.filter(({ status }) => status === 'PENDING').length).toBeGreaterThan(0)
  expect(new Set(first.map(fingerprint)).size).toBeLessThan(first.length)

  const second = await pull()
  const since = first.filter(({ transactionOn }) => transactionOn >= (earliest(second) ?? ''))
  const settled = diffTransactions(second, since)
  expect(settled).toMatchObject({ inserts: [], lapsed: [] })
  expect(settled.updates.map(({ imported }) => imported.status)).toContain('DONE')

  await local.advance({ days: 2 })
  const third = diffTransactions(await pull(), after(since, second))
  expect(third.inserts.length).toBeGreaterThan(1)
  expect(third.updates).toEqual([])
  await local.stop()
})
