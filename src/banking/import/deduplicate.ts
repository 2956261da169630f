import { createHash } from 'node:crypto'
import { amountOf } from '../kontomatik/amounts.ts'
import type { Transaction } from '../kontomatik/transaction.ts'
import { anyDay, nearby, type Pairing, sameKey } from './pairing.ts'

/** A transaction, imported or stored, with its account. */
export type Entry = Omit<Transaction, 'kind'> & { iban: string | null }

/** A digest of the values that distinguish transactions. Two transactions may have the same digest. */
export function fingerprint(entry: Entry): string {
  return createHash('sha256').update(exactKey(entry)).digest('base64url')
}

/** A line without a booking day is pending, too, unless its status is DONE. */
export function isPending({ status, bookedOn }: Pick<Entry, 'status' | 'bookedOn'>): boolean {
  return status === 'PENDING' || (bookedOn === null && status !== 'DONE')
}

/** The changes that an import makes to the stored transactions. */
export interface Difference<Imported, Stored> {
  /** New transactions. */
  inserts: Imported[]
  /** Stored transactions that the bank has changed: the imported one overwrites the stored one. */
  updates: { stored: Stored; imported: Imported }[]
  /** Pending transactions that the bank no longer lists. */
  lapsed: Stored[]
}

/**
 * Pairs each imported transaction with at most one stored one, the most similar first. Unpaired imported transactions are new.
 * @param stored all transactions of these accounts since the `earliest` imported one; a missing one would be stored twice
 * @param covered whether the import would list a stored transaction that the bank has not changed
 */
export function diffTransactions<Imported extends Entry, Stored extends Entry>(
  imported: Imported[],
  stored: Stored[],
  covered: (entry: Stored) => boolean = () => true,
): Difference<Imported, Stored> {
  const updates: { stored: Stored; imported: Imported }[] = []
  let inserts = imported
  let rest = stored
  for (const { key, of, among, pairing } of matchRules) {
    const candidates = rest.filter((entry) => isAmong(entry, among, covered(entry)))
    if (candidates.length === 0) continue
    const matches = pairing(inserts, candidates, key, (entry) => isAmong(entry, of))
    const paired = new Set(matches)
    inserts = inserts.filter((entry, index) => {
      const match = matches[index]
      if (match && key !== wholeKey && isAllowed(match, entry)) updates.push({ stored: match, imported: entry })
      return !match
    })
    rest = rest.filter((entry) => !paired.has(entry))
  }
  return { inserts, updates, lapsed: rest.filter((entry) => isPending(entry) && covered(entry)) }
}

/** The first day of an import. Banks start it by the transaction's day or by its booking day. */
export function earliest(imported: Pick<Entry, 'transactionOn'>[]): string | undefined {
  return imported.reduce<string | undefined>(
    (first, { transactionOn }) => (first === undefined || transactionOn < first ? transactionOn : first),
    undefined,
  )
}

interface MatchRule {
  key: (entry: Entry) => string
  /** The imported transactions that the rule applies to; all without it. */
  of?: 'booked' | 'pending'
  /** The stored transactions that the rule applies to; all without it. Pending ones without a pair lapse. */
  among?: 'pending' | 'covered' | 'lapsing'
  pairing: Pairing
}

/**
 * The rules by which two forms of a transaction match, the strictest first. Booking sets a day and may reword a pending
 * transaction. A booked transaction that the import should list and does not was reworded, redated or both: banks do not
 * withdraw booked transactions.
 */
const matchRules: MatchRule[] = [
  { key: wholeKey, pairing: sameKey },
  { key: exactKey, pairing: sameKey },
  { key: (entry) => exactKey({ ...entry, bookedOn: null }), among: 'pending', pairing: sameKey },
  { key: (entry) => amountKey(entry, entry.transactionOn), among: 'pending', pairing: sameKey },
  {
    key: (entry) => amountKey(entry, entry.transactionOn, entry.bookedOn),
    of: 'booked',
    among: 'covered',
    pairing: sameKey,
  },
  { key: (entry) => amountKey(entry, entry.transactionOn), of: 'booked', among: 'covered', pairing: sameKey },
  { key: (entry) => amountKey(entry, wordsOf(entry)), of: 'booked', among: 'covered', pairing: nearby },
  { key: (entry) => amountKey(entry), of: 'booked', among: 'covered', pairing: nearby },
  { key: (entry) => amountKey(entry, wordsOf(entry)), of: 'booked', among: 'lapsing', pairing: anyDay },
  { key: (entry) => amountKey(entry, entry.transactionOn), of: 'pending', among: 'covered', pairing: sameKey },
]

function isAmong(entry: Entry, kind: MatchRule['of' | 'among'], isCovered = false): boolean {
  if (kind === undefined) return true
  if (kind === 'covered') return isCovered
  return isPending(entry) === (kind !== 'booked') && (kind !== 'lapsing' || isCovered)
}

/** A booked transaction never becomes pending. */
function isAllowed(stored: Entry, imported: Entry): boolean {
  return isPending(stored) || !isPending(imported)
}

function wholeKey(entry: Entry): string {
  return `${isPending(entry)} ${exactKey(entry)}`
}

function exactKey({ iban, transactionOn, bookedOn, amount, currency, partyIban, party, title }: Entry): string {
  return JSON.stringify([iban, transactionOn, bookedOn, amount, currency, partyIban, party, title])
}

function wordsOf({ partyIban, party, title }: Entry): string {
  return JSON.stringify([partyIban, party, title])
}

/** Older rows hold amounts with two decimals for every currency. */
function amountKey({ iban, amount, currency }: Entry, ...further: (string | null)[]): string {
  return JSON.stringify([iban, amountOf(amount), currency, ...further])
}
