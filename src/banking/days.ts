import type { Integration } from '../../entities/index.ts'

const day = 24 * 60 * 60 * 1000

/** How many days back an import goes: a session by consent sees no more, the first has all there is to see. */
const [reused, first] = [90, 730]

/** Days that an import goes back before the last one, for what banks book late. */
const overlap = 7

/** The day that an import starts from: as wished, as far as the session sees; else shortly before the last. */
export function sinceOf({ since, lastPulledAt, sessions }: Integration): string {
  const floor = ago(sessions > 0 ? reused : first)
  const wished = since ?? (lastPulledAt ? ago(overlap, lastPulledAt.getTime()) : floor)
  return sessions > 0 && wished < floor ? floor : wished
}

function ago(days: number, from = Date.now()): string {
  return new Date(from - days * day).toISOString().slice(0, 10)
}
