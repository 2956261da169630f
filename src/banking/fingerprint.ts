import { createHash } from 'node:crypto'
import type { Transaction } from './transaction.ts'

/** A transaction with the account it is of, as imported or as stored. */
export type Entry = Omit<Transaction, 'kind'> & { iban: string | null }

/** What tells one transaction from another, as far as anything does: equal ones may still be two. */
export function fingerprint(entry: Entry): string {
  return createHash('sha256').update(exactly(entry)).digest('base64url')
}

/** What an import means for what is stored. */
export interface Difference<Imported, Stored> {
  /** To be stored. */
  inserts: Imported[]
  /** Stored as pending, and since then booked or changed: to be overwritten, not doubled. */
  updates: { stored: Stored; imported: Imported }[]
  /** Stored as pending and not in the import: given up by the bank, if the import covers their day and is not partial. */
  lapsed: Stored[]
}

/**
 * Pairs each imported transaction with at most one stored one, the likest first; who stays alone is missing.
 * @param stored at least all of these accounts since the `earliest` imported, else the older of them come twice
 */
export function missing<Imported extends Entry, Stored extends Entry>(
  imported: Imported[],
  stored: Stored[],
): Difference<Imported, Stored> {
  const updates: { stored: Stored; imported: Imported }[] = []
  let inserts = imported
  let rest = stored
  for (const { key, pendingOnly } of likenesses) {
    const waiting = grouped(
      rest.filter((entry) => isPending(entry) || !pendingOnly),
      key,
    )
    const paired = new Set<Stored>()
    inserts = inserts.filter((entry) => {
      const match = waiting.get(key(entry))?.pop()
      if (!match) return true
      paired.add(match)
      if (isPending(match) && (!isPending(entry) || pendingOnly)) updates.push({ stored: match, imported: entry })
      return false
    })
    rest = rest.filter((entry) => !paired.has(entry))
  }
  return { inserts, updates, lapsed: rest.filter(isPending) }
}

/** The first day of an import; banks may count its beginning by either of a transaction's days. */
export function earliest(imported: Pick<Entry, 'transactionOn'>[]): string | undefined {
  return imported.reduce<string | undefined>(
    (first, { transactionOn }) => (first === undefined || transactionOn < first ? transactionOn : first),
    undefined,
  )
}

/** Booking fills in a day, and may reword who was paid and for what. */
const likenesses: { key: (entry: Entry) => string; pendingOnly: boolean }[] = [
  { key: (entry) => `${isPending(entry)} ${exactly(entry)}`, pendingOnly: false },
  { key: exactly, pendingOnly: false },
  { key: (entry) => exactly({ ...entry, bookedOn: null }), pendingOnly: true },
  {
    key: ({ iban, transactionOn, amount, currency }) => JSON.stringify([iban, transactionOn, amount, currency]),
    pendingOnly: true,
  },
]

function exactly({ iban, transactionOn, bookedOn, amount, currency, partyIban, party, title }: Entry): string {
  return JSON.stringify([iban, transactionOn, bookedOn, amount, currency, partyIban, party, title])
}

function isPending({ status }: Entry): boolean {
  return status === 'PENDING'
}

function grouped<T>(entries: T[], key: (entry: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const entry of entries) {
    const group = groups.get(key(entry))
    if (group) group.push(entry)
    else groups.set(key(entry), [entry])
  }
  return groups
}
