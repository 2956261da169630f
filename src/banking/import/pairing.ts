interface Dated {
  transactionOn: string
}

/** Gives each eligible imported entry a stored entry with the same key. A stored entry is given once. Indexes are kept. */
export type Pairing = <I extends Dated, S extends Dated>(
  imported: I[],
  stored: S[],
  key: (entry: I | S) => string,
  isEligible: (entry: I) => boolean,
) => (S | undefined)[]

export const sameKey: Pairing = (imported, stored, key, isEligible) => {
  const waiting = groupBy(stored, key)
  return imported.map((entry) => (isEligible(entry) ? waiting.get(key(entry))?.pop() : undefined))
}

/** Pairs entries whose days differ, too. Pairing in the order of days leaves the fewest entries unpaired. */
const within =
  (maxDays: number): Pairing =>
  (imported, stored, key, isEligible) => {
    const matches: ((typeof stored)[number] | undefined)[] = imported.map(() => undefined)
    const waiting = groupBy(stored, key)
    const indexes = imported.flatMap((entry, index) => (isEligible(entry) ? { index, entry, day: dayOf(entry) } : []))
    for (const [name, group] of groupBy(indexes, ({ entry }) => key(entry))) {
      const others = byDay((waiting.get(name) ?? []).map((entry) => ({ entry, day: dayOf(entry) })))
      let next = 0
      for (const { index, day } of byDay(group)) {
        while (next < others.length && others[next].day < day - maxDays) next += 1
        if (next < others.length && others[next].day <= day + maxDays) matches[index] = others[next++].entry
      }
    }
    return matches
  }

/** Banks move a booked line by a week at most. */
export const nearby = within(7)

export const anyDay = within(Number.POSITIVE_INFINITY)

function byDay<T extends { day: number }>(entries: T[]): T[] {
  return entries.sort((one, other) => one.day - other.day)
}

/** Days since 1970. */
function dayOf({ transactionOn }: Dated): number {
  return Date.parse(transactionOn) / 86_400_000
}

function groupBy<T>(entries: T[], key: (entry: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const entry of entries) {
    const name = key(entry)
    const group = groups.get(name)
    if (group) group.push(entry)
    else groups.set(name, [entry])
  }
  return groups
}
