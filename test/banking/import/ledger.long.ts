import fc from 'fast-check'
import type { DictatedStatement } from '../../../src/emulators/kontomatik/banks/dictated-statement.ts'
import { openWorld } from '../../support/world.ts'
import { deleteAll, setUpBanking } from '../linked-bank.ts'
import { accounts, ago, dictated, transactions } from './dictated-bank.ts'

const { database } = await openWorld()

/**
 * A property test through the whole server: after any statements of one ledger each line is stored once, in its last form.
 * Accounts have numbers or none, and come in any order under any nickname. Lines are pending, booked, reworded and redated.
 */
setUpBanking()

const form = fc.record({
  day: fc.integer({ min: 1, max: 6 }),
  title: fc.constantFrom('Coffee', 'Tea', 'KAWA'),
  state: fc.constantFrom('booked', 'booked', 'dateless', 'pending', 'unreadable-notation'),
})

/** A line by its form at each import; undefined before its first import. */
const movement = fc.record({
  from: fc.nat(3),
  amount: fc.constantFrom('-12.50', '-3.00', '1234.00'),
  forms: fc.array(form, { minLength: 4, maxLength: 4 }),
})

const holding = fc.record({
  number: fc.option(fc.constantFrom('PL61109010140000071219812874', 'CZ6508000000192000145399'), { nil: undefined }),
  name: fc.constantFrom('Savings', 'Current'),
  nicknames: fc.array(fc.constantFrom('Mine', 'Yours', ''), { minLength: 4, maxLength: 4 }),
  movements: fc.array(movement, { minLength: 3, maxLength: 6 }),
})

const ledger = fc.record({
  holdings: fc.uniqueArray(holding, { maxLength: 4, minLength: 1, selector: ({ number }) => number ?? {} }),
  orders: fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }),
})

type Holding = typeof holding extends fc.Arbitrary<infer H> ? H : never
type Movement = Holding['movements'][number]

/** A line keeps its form while it is pending, and stays booked. */
function formAt({ from, forms }: Movement, at: number) {
  if (at < from) return undefined
  const isBooked = forms.slice(from, at + 1).some(({ state }) => state.startsWith('booked') || state.startsWith('un'))
  const { day, title, state } = forms[isBooked ? at : from]
  return { day, title, isBooked, isOdd: state === 'unreadable-notation', isTold: state === 'pending' }
}

function lineAt(movement: Movement, mark: string, at: number): Record<string, string>[] {
  const now = formAt(movement, at)
  if (!now) return []
  const [whole, cents] = movement.amount.split('.')
  const odd = `${whole.replace(/(\d)(\d{3})$/, '$1 $2')},${cents}`
  return [
    {
      transactionOn: now.isOdd ? `${ago(now.day)}+01:00` : ago(now.day),
      currencyAmount: now.isOdd ? odd : movement.amount,
      title: `${mark} ${now.title}`,
      ...(now.isBooked && { bookedOn: ago(now.day - 1) }),
      ...(now.isTold && !now.isBooked && { status: 'PENDING' }),
    },
  ]
}

function toldAt({ holdings, orders }: { holdings: Holding[]; orders: boolean[] }, at: number): DictatedStatement {
  const all = holdings.map(({ number, name, nicknames, movements }, index) => ({
    texts: {
      name,
      ...(nicknames[at] && { friendlyName: nicknames[at] }),
      ...(number && { iban: at % 2 === 0 && number.startsWith('PL') ? number.slice(2) : number }),
      currencyName: at % 2 === 0 ? 'PLN' : 'pln',
    },
    // A line that never changes distinguishes the accounts, as in real ledgers.
    lines: [
      ...movements.flatMap((each) => lineAt(each, `${index}`, at)),
      ...[1, 2, 3, 4, 5, 6].map((n) => ({
        transactionOn: ago(n),
        bookedOn: ago(n),
        currencyAmount: `-${n}.${index}0`,
        title: `Fee ${index}`,
      })),
    ],
  }))
  return { accounts: orders[at] ? all.toReversed() : all }
}

test('after any four statements of one ledger each line is stored once, in its last form, in its account', async () => {
  await fc.assert(
    fc.asyncProperty(ledger, async (truth) => {
      const bank = await dictated(toldAt(truth, 0))
      await bank.pulled()
      const owners = new Map<unknown, unknown>()
      for (let at = 0; at < 4; at++) {
        if (at > 0) await bank.tells(toldAt(truth, at))
        const found = await transactions()
        expect(
          found
            .map(({ text, amount, transactionOn, bookedOn }) => [text, amount, transactionOn, bookedOn].join())
            .sort(),
        ).toEqual(
          truth.holdings
            .flatMap(({ movements }, index) => [
              ...movements.flatMap((each) => {
                const now = formAt(each, at)
                const booked = now?.isBooked ? ago(now.day - 1) : ''
                return now ? [[`${index} ${now.title}`, each.amount, ago(now.day), booked].join()] : []
              }),
              ...[1, 2, 3, 4, 5, 6].map((n) => [`Fee ${index}`, `-${n}.${index}0`, ago(n), ago(n)].join()),
            ])
            .sort(),
        )
        for (const { account, text } of found) {
          const owner = String(text).replace('Fee ', '').split(' ')[0]
          expect(owners.get(owner) ?? account).toBe(account)
          owners.set(owner, account)
        }
        expect(new Set(owners.values()).size).toBe(truth.holdings.length)
        expect(await accounts()).toHaveLength(truth.holdings.length)
      }
      await deleteAll()
      await database.query(`DELETE FROM "idempotency_key"`)
    }),
    { numRuns: 25, endOnFailure: true },
  )
}, 240_000)
