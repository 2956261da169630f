import { createHash } from 'node:crypto'
import { amountOf } from '../kontomatik/amounts.ts'
import type { Transaction } from '../kontomatik/transaction.ts'
import { anyDay, nearby, type Pairing, sameKey } from './pairing.ts'

/** A transaction with the account it is of, as imported or as stored. */
export type Entry = Omit<Transaction, 'kind'> & { iban: string | null }

/** The digest of the values that tell one transaction from another. Two transactions may have the same. */
export function fingerprint(entry: Entry): string {
  return createHash('sha256').update(exactly(entry)).digest('base64url')
}

/** A line without a booking day is pending too, unless its status says that it is done. */
export function isPending({ status, bookedOn }: Pick<Entry, 'status' | 'bookedOn'>): boolean {
  return status === 'PENDING' || (bookedOn === null && status !== 'DONE')
}

/** The changes that an import makes to the stored transactions. */
export interface Difference<Imported, Stored> {
  /** To be stored. */
  inserts: Imported[]
  /** Stored in another form, which the bank has changed since: to be overwritten. */
  updates: { stored: Stored; imported: Imported }[]
  /** Stored as pending and given up by the bank. */
  lapsed: Stored[]
}

/**
 * Pairs each imported transaction with at most one stored one, the most similar first; the unpaired are new.
 * @param stored at least all of these accounts since the `earliest` imported, else the older of them come twice
 * @param covered whether the import lists a stored transaction if the bank still has it in that form
 */
export function diffTransactions<Imported extends Entry, Stored extends Entry>(
  imported: Imported[],
  stored: Stored[],
  covered: (entry: Stored) => boolean = () => true,
): Difference<Imported, Stored> {
  const updates: { stored: Stored; imported: Imported }[] = []
  let inserts = imported
  let rest = stored
  for (const { key, of, among, pairing } of likenesses) {
    const candidates = rest.filter((entry) => isAmong(entry, among, covered(entry)))
    if (candidates.length === 0) continue
    const matches = pairing(inserts, candidates, key, (entry) => isAmong(entry, of))
    const paired = new Set(matches)
    inserts = inserts.filter((entry, index) => {
      const match = matches[index]
      if (match && key !== whole && isAllowed(match, entry)) updates.push({ stored: match, imported: entry })
      return !match
    })
    rest = rest.filter((entry) => !paired.has(entry))
  }
  return { inserts, updates, lapsed: rest.filter((entry) => isPending(entry) && covered(entry)) }
}

/** The first day of an import; banks may count its beginning by either of a transaction's days. */
export function earliest(imported: Pick<Entry, 'transactionOn'>[]): string | undefined {
  return imported.reduce<string | undefined>(
    (first, { transactionOn }) => (first === undefined || transactionOn < first ? transactionOn : first),
    undefined,
  )
}

interface Likeness {
  key: (entry: Entry) => string
  /** The imported transactions that it is for: all unless said. */
  of?: 'booked' | 'pending'
  /** The stored transactions that it is for: all unless said; pending ones lapse if they stay alone. */
  among?: 'pending' | 'covered' | 'lapsing'
  pairing: Pairing
}

/**
 * The ways in which two forms of a transaction resemble each other, the closest first. Booking fills in a day and may reword a
 * pending transaction. A booked one that the import should list and does not has been reworded, redated or both: banks do not
 * take back what they have booked.
 */
const likenesses: Likeness[] = [
  { key: whole, pairing: sameKey },
  { key: exactly, pairing: sameKey },
  { key: (entry) => exactly({ ...entry, bookedOn: null }), among: 'pending', pairing: sameKey },
  { key: (entry) => sameSum(entry, entry.transactionOn), among: 'pending', pairing: sameKey },
  {
    key: (entry) => sameSum(entry, entry.transactionOn, entry.bookedOn),
    of: 'booked',
    among: 'covered',
    pairing: sameKey,
  },
  { key: (entry) => sameSum(entry, entry.transactionOn), of: 'booked', among: 'covered', pairing: sameKey },
  { key: (entry) => sameSum(entry, wordsOf(entry)), of: 'booked', among: 'covered', pairing: nearby },
  { key: (entry) => sameSum(entry), of: 'booked', among: 'covered', pairing: nearby },
  { key: (entry) => sameSum(entry, wordsOf(entry)), of: 'booked', among: 'lapsing', pairing: anyDay },
  { key: (entry) => sameSum(entry, entry.transactionOn), of: 'pending', among: 'covered', pairing: sameKey },
]

function isAmong(entry: Entry, kind: Likeness['of' | 'among'], isCovered = false): boolean {
  if (kind === undefined) return true
  if (kind === 'covered') return isCovered
  return isPending(entry) === (kind !== 'booked') && (kind !== 'lapsing' || isCovered)
}

/** A booked transaction never becomes pending again. */
function isAllowed(stored: Entry, imported: Entry): boolean {
  return isPending(stored) || !isPending(imported)
}

function whole(entry: Entry): string {
  return `${isPending(entry)} ${exactly(entry)}`
}

function exactly({ iban, transactionOn, bookedOn, amount, currency, partyIban, party, title }: Entry): string {
  return JSON.stringify([iban, transactionOn, bookedOn, amount, currency, partyIban, party, title])
}

function wordsOf({ partyIban, party, title }: Entry): string {
  return JSON.stringify([partyIban, party, title])
}

/** Amounts used to be stored with two decimals, whatever the currency. */
function sameSum({ iban, amount, currency }: Entry, ...further: (string | null)[]): string {
  return JSON.stringify([iban, amountOf(amount), currency, ...further])
}
