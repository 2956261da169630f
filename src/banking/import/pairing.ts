interface Dated {
  transactionOn: string
}

/** Gives each eligible imported entry, at its index, a stored entry with the same key that no other has. */
export type Pairing = <I extends Dated, S extends Dated>(
  imported: I[],
  stored: S[],
  key: (entry: I | S) => string,
  isEligible: (entry: I) => boolean,
) => (S | undefined)[]

export const sameKey: Pairing = (imported, stored, key, isEligible) => {
  const waiting = grouped(stored, key)
  return imported.map((entry) => (isEligible(entry) ? waiting.get(key(entry))?.pop() : undefined))
}

/** Pairs entries of different days too, in the order of their days, which leaves the fewest alone. */
const within =
  (drift: number): Pairing =>
  (imported, stored, key, isEligible) => {
    const matches: ((typeof stored)[number] | undefined)[] = imported.map(() => undefined)
    const waiting = grouped(stored, key)
    const indexes = imported.flatMap((entry, index) => (isEligible(entry) ? { index, entry, day: dayOf(entry) } : []))
    for (const [name, group] of grouped(indexes, ({ entry }) => key(entry))) {
      const others = byDay((waiting.get(name) ?? []).map((entry) => ({ entry, day: dayOf(entry) })))
      let next = 0
      for (const { index, day } of byDay(group)) {
        while (next < others.length && others[next].day < day - drift) next += 1
        if (next < others.length && others[next].day <= day + drift) matches[index] = others[next++].entry
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

function grouped<T>(entries: T[], key: (entry: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const entry of entries) {
    const name = key(entry)
    const group = groups.get(name)
    if (group) group.push(entry)
    else groups.set(name, [entry])
  }
  return groups
}
