import type { ListedAccount } from './listed-account.ts'

/** A line of a stored account, with the values that help to identify the account. */
export interface KnownLine {
  transactionOn: string
  bookedOn: string | null
  amount: string
  party: string | null
  title: string | null
}

/** A stored account. */
export interface KnownAccount {
  id: string
  isCard: boolean
  /** The account number or the id of the card; null where the bank gives neither. */
  key: string | null
  name: string
  /** Null for accounts that were stored before this column existed. */
  bankName: string | null
  currency: string | null
  balance: string | null
  isClosed: boolean
  /** Whether the same bank lists it. Card ids are unique within one bank only. */
  isSameBank: boolean
  /** Whether another integration still imports it. */
  isElsewhere: boolean
  /** The lines within the period of the import. */
  lines: KnownLine[]
}

type Fits = (listed: ListedAccount, known: KnownAccount) => boolean

/**
 * Finds the stored account of each listed account. Without a number or an id, the lines identify an account. Then its
 * balance and the bank's name for it do, and last its position in the list. The name that its owner gave it does not count.
 * @param known in the order in which equal candidates are chosen
 */
export function matchAccounts<K extends KnownAccount>(listed: ListedAccount[], known: K[]): Map<ListedAccount, K> {
  const matches = new Map<ListedAccount, K>()
  const taken = new Set<K>()
  const openListed = () => listed.filter((one) => !matches.has(one))
  const openKnown = () => known.filter((one) => !taken.has(one))
  const take = (one: ListedAccount, other: K) => {
    if (matches.has(one) || taken.has(other)) return
    matches.set(one, other)
    taken.add(other)
  }
  const takeFirst = (fits: Fits) => {
    for (const one of openListed()) {
      const other = openKnown().find((each) => fits(one, each))
      if (other) take(one, other)
    }
  }

  takeFirst((one, other) => isSameKey(one, other) && one.currency === other.currency)
  for (const one of openListed()) {
    const found = openKnown().filter((other) => isSameNumber(one, other) && isCompatible(one, other))
    if (found.length === 1) take(one, found[0])
  }
  for (const { one, other } of pairsByLines(openListed(), openKnown())) take(one, other)
  const unkeyed: Fits = (one, other) => isCandidate(one, other) && !one.key && !other.key && !contradicts(one, other)
  takeFirst(
    (one, other) =>
      unkeyed(one, other) && isSameName(one, other) && one.balance !== null && one.balance === other.balance,
  )
  takeFirst((one, other) => unkeyed(one, other) && isSameName(one, other))
  const countLike = (all: { isCard: boolean; currency: string | null; key: string | null }[], of: ListedAccount) =>
    all.filter(({ isCard, currency, key }) => !key && isCard === of.isCard && currency === of.currency).length
  const waiting: KnownAccount[] = openKnown().filter((other) => isNear(other) && !other.isClosed)
  const counted = openListed().filter((one) => countLike(openListed(), one) === countLike(waiting, one))
  takeFirst((one, other) => counted.includes(one) && waiting.includes(other) && unkeyed(one, other))
  return matches
}

/** Whether more than the key may identify it: it belongs to this integration, or to an ended one with the same bank. */
export function isNear({ isSameBank, isElsewhere }: KnownAccount): boolean {
  return isSameBank && !isElsewhere
}

/** Pairs that share lines, those with the most shared lines first. */
function pairsByLines<K extends KnownAccount>(listed: ListedAccount[], known: K[]) {
  const pairs = listed.flatMap((one, place) =>
    known.flatMap((other, rank) => {
      if (!isCandidate(one, other) || contradicts(one, other)) return []
      const exact = countShared(one.transactions, other.lines, exactKey)
      const loose = countShared(
        one.transactions,
        other.lines,
        ({ transactionOn, amount }) => `${transactionOn} ${amount}`,
      )
      const named = isSameName(one, other) ? 1 : 0
      return loose > 0 ? { one, other, order: [exact, loose, named, -Math.abs(place - rank)] } : []
    }),
  )
  return pairs.sort((first, second) => {
    const differing = first.order.findIndex((value, index) => value !== second.order[index])
    return differing < 0 ? 0 : second.order[differing] - first.order[differing]
  })
}

/** Whether a listed account can be a stored one, where at least one of them has no key. */
function isCandidate(one: ListedAccount, other: KnownAccount): boolean {
  return isNear(other) && one.isCard === other.isCard && !(one.key && other.key) && isCompatible(one, other)
}

function isCompatible(one: { currency: string | null }, other: { currency: string | null }): boolean {
  return one.currency === other.currency || one.currency === null || other.currency === null
}

/** A bank lists every booked line, so an account that lacks most of them is another account. */
function contradicts({ isPartial, transactions }: ListedAccount, { lines }: KnownAccount): boolean {
  const booked = lines.filter(({ bookedOn }) => bookedOn !== null)
  return !isPartial && 2 * countShared(transactions, booked, ({ amount }) => amount) < booked.length
}

function isSameName(one: ListedAccount, other: KnownAccount): boolean {
  if (other.bankName !== null) return (one.bankName ?? '') === other.bankName
  return one.bankName === other.name || one.name === other.name
}

function isSameKey(one: ListedAccount, other: KnownAccount): boolean {
  return one.key !== null && one.key === other.key && one.isCard === other.isCard && (other.isSameBank || !other.isCard)
}

/** Some banks give the national account number, which is the end of the IBAN. */
function isSameNumber(one: ListedAccount, other: KnownAccount): boolean {
  if (isSameKey(one, other)) return true
  if (!one.key || !other.key || one.isCard || other.isCard) return false
  const [short, long] = [one.key, other.key].sort((first, second) => first.length - second.length)
  return /^\d{10,}$/.test(short) && /^[A-Z]{2}\d{2}/.test(long) && [long.slice(2), long.slice(4)].includes(short)
}

function exactKey({ transactionOn, bookedOn, amount, party, title }: KnownLine): string {
  return JSON.stringify([transactionOn, bookedOn, amount, party, title])
}

/** How many lines two accounts share. Equal lines count as often as both accounts have them. */
function countShared(some: KnownLine[], others: KnownLine[], key: (line: KnownLine) => string): number {
  const counts = new Map<string, number>()
  for (const line of others) counts.set(key(line), (counts.get(key(line)) ?? 0) + 1)
  return some.filter((line) => {
    const count = counts.get(key(line)) ?? 0
    counts.set(key(line), count - 1)
    return count > 0
  }).length
}
