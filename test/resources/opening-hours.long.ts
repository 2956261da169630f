import { Location } from '../../entities/index.ts'
import { weekdays } from '../../entities/settings.ts'
import { WallClock } from '../../entities/wall-clock.ts'
import { type Change, offsets } from '../support/zone-transitions.ts'

const hour = 3_600_000
const day = 24 * hour

/** The changes of a third of all zones' clocks until 2037 with those next to them; zones that change alike stand for each other. */
const zones = Intl.supportedValuesOf('timeZone')
  .filter((_, index) => index % 3 === 0)
  .map((zone) => ({ zone, changes: offsets(zone, 1970, 2038) }))
const found = zones.flatMap(({ zone, changes }) =>
  changes.map((change, index) => ({ zone, change, near: changes.slice(Math.max(0, index - 2), index + 3) })),
)
const all = [...new Map(found.map((one) => [JSON.stringify([one.change, one.near]), one])).values()]

// IANA time zone database, RFC 5545 §3.3.5: the first instant at which the clock shows the hour, or the first after a gap.
test('the hours around each change of a zone, and its midnights, begin when the clock first shows them', () => {
  expect(found.length).toBeGreaterThan(4500)
  const wrong: string[] = []
  for (const { zone, change, near } of all) {
    const clock = new WallClock(zone)
    const today = Math.floor((change.at + change.before) / day)
    const shown = Math.floor((change.at + change.before) / hour) * hour
    for (const wanted of [today * day, today * day + day, ...[-2, -1, 0, 1, 2].map((hours) => shown + hours * hour)]) {
      const [found, right] = [clock.firstInstantOf(wanted), first(near, wanted)]
      if (found !== right) wrong.push(`${zone} ${new Date(wanted).toISOString()} ${found - right}`)
    }
  }
  expect(wrong).toEqual([])
})

test('opening hours are right on the days around each change of a zone, across midnight too', () => {
  const wrong: string[] = []
  const hours = [
    [9, 24],
    [22, 6],
  ]
  for (const { zone, change, near } of all) {
    const now = change.at - 6 * hour
    const today = Math.floor((now + change.before) / day)
    for (const [officeOpenHour, officeCloseHour] of hours) {
      const location = Object.assign(new Location(), { officeOpenHour, officeCloseHour })
      const { opensAt, closesAt } = location.findOpening({ timezone: zone, workingDays: weekdays }, new Date(now))
      const periods = [-1, 0, 1, 2, 3].map((days) => [
        first(near, (today + days) * day + officeOpenHour * hour),
        first(near, (today + days + Number(officeCloseHour < officeOpenHour)) * day + officeCloseHour * hour),
      ])
      const right = periods.find(([from, to]) => to > now && to > from)
      if (opensAt?.getTime() !== right?.[0] || closesAt?.getTime() !== right?.[1])
        wrong.push(`${zone} ${new Date(now).toISOString()} ${officeOpenHour}-${officeCloseHour}`)
    }
  }
  expect(wrong).toEqual([])
})

/** The first instant of the first stretch between two changes in which a clock shows this or later. */
function first(changes: Change[], wanted: number): number {
  for (const [index, { at, before, after }] of changes.entries()) {
    if (index === 0 && wanted - before < at) return wanted - before
    const until = changes[index + 1]?.at ?? Number.POSITIVE_INFINITY
    const instant = Math.max(at, wanted - after)
    if (instant < until) return instant
  }
  throw new Error('There is no change of this zone.')
}
