const minute = 60_000
const day = 1440 * minute

/** A change of a zone's offset from UTC, all in milliseconds. */
export interface Change {
  at: number
  before: number
  after: number
}

/** Every change of a zone's clocks between two years, found by asking Intl alone. */
export function offsets(timeZone: string, from: number, until: number): Change[] {
  const offset = offsetIn(timeZone)
  const changes: Change[] = []
  const end = Date.UTC(until, 0, 1)
  let before = offset(Date.UTC(from, 0, 1))
  for (let at = Date.UTC(from, 0, 1) + day; at <= end; at += day) {
    const after = offset(at)
    if (after === before) continue
    let [low, high] = [at - day, at]
    while (high - low > minute / 60) {
      const middle = low + Math.floor((high - low) / 2000) * 1000
      if (offset(middle) === before) low = middle
      else high = middle
    }
    changes.push({ at: high, before, after: offset(high) })
    before = after
  }
  return changes
}

function offsetIn(timeZone: string): (instant: number) => number {
  const format = new Intl.DateTimeFormat('en', {
    timeZone,
    hourCycle: 'h23',
    ...{ year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric' },
  })
  return (instant) => {
    const [month, dayOfMonth, year, hour, minutes, second] = (format.format(instant).match(/\d+/g) as string[]).map(
      Number,
    )
    return Date.UTC(year, month - 1, dayOfMonth, hour, minutes, second) - instant
  }
}
