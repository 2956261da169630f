import type { WallClock } from '../../../entities/wall-clock.ts'
import { type Drawing, firstPage, shownFilters, withParameters } from '../drawing.ts'
import type { PageView } from '../engine.ts'
import type { Calendar } from './pictures.ts'

/** The days that a calendar shows. A day of a clock change has 23 or 25 hours. */
export interface Period {
  /** Days as `2026-03-29`. */
  days: string[]
  /** The instants at which the days begin, and the one at which the last day ends. */
  bounds: number[]
}

const minuteMs = 60_000
const dayMs = 86_400_000
export const daysOfWeek = 7

/** The most rows of a calendar, where a page may have so many. */
const mostRows = 100

/** Days are numbered from 1 January 1970, a Thursday. */
const dayAt = (clock: WallClock, instant: number) => Math.floor(clock.wallTimeAt(instant) / dayMs)

function periodFrom(clock: WallClock, first: number, count: number): Period {
  const days = Array.from({ length: count }, (_, index) => first + index)
  return {
    days: days.map((day) => new Date(day * dayMs).toISOString().slice(0, 10)),
    bounds: [...days, first + count].map((day) => clock.firstInstantOf(day * dayMs)),
  }
}

/** The present minute: the clock keeps its offset, and no day begins within it. */
export function presentMinute(): number {
  return Math.floor(Date.now() / minuteMs) * minuteMs
}

/** The week of an instant. It begins on Monday (ISO 8601). */
export function weekAt(clock: WallClock, instant: number): Period {
  const day = dayAt(clock, instant)
  return periodFrom(clock, day - ((((day + 3) % daysOfWeek) + daysOfWeek) % daysOfWeek), daysOfWeek)
}

/** The day of an instant where another period is one day; otherwise the week of the instant. */
export function periodAt(clock: WallClock, instant: number, { days }: Period): Period {
  return days.length === 1 ? periodFrom(clock, dayAt(clock, instant), 1) : weekAt(clock, instant)
}

/** The period before or after another one, of the same length. */
export function adjacentPeriod(clock: WallClock, { days, bounds }: Period, step: -1 | 1): Period {
  return periodFrom(clock, dayAt(clock, bounds[0]) + step * days.length, days.length)
}

/** One day of a period. */
export function dayOf({ days, bounds }: Period, index: number): Period {
  return { days: [days[index]], bounds: bounds.slice(index, index + 2) }
}

/** The filters of a period: rows that end after its start, and start before its end. */
const startOf = ({ end }: Calendar) => `${end.name}[strictly_after]`
const endOf = ({ start }: Calendar) => `${start.name}[strictly_before]`

/** Whether a parameter narrows the period of a calendar. */
export function isOfPeriod({ start, end }: Calendar, name: string): boolean {
  return name.startsWith(`${start.name}[`) || name.startsWith(`${end.name}[`)
}

const periods = new WeakMap<PageView, Period | undefined>()

/** The period that the address asks for: one to seven whole days; undefined for all others. */
export function periodIn(drawing: Pick<Drawing, 'view' | 'formats'>, calendar: Calendar): Period | undefined {
  const { view } = drawing
  if (!periods.has(view)) periods.set(view, readPeriod(drawing, calendar))
  return periods.get(view)
}

function readPeriod(drawing: Pick<Drawing, 'view' | 'formats'>, calendar: Calendar): Period | undefined {
  const { clock } = drawing.formats
  const [from, to] = [startOf(calendar), endOf(calendar)].map((name) => instantIn(drawing, name))
  if (from === undefined || to === undefined) return undefined
  const first = dayAt(clock, from)
  const period = periodFrom(clock, first, Math.min(Math.max(dayAt(clock, to) - first, 1), daysOfWeek))
  return period.bounds[0] === from && period.bounds.at(-1) === to ? period : undefined
}

/** The week that the address is about: that of its first bound, or the present one. */
export function nearestWeek(drawing: Pick<Drawing, 'view' | 'formats'>, calendar: Calendar): Period {
  const { clock } = drawing.formats
  const names = [...drawing.view.request.query.keys()].filter((name) => isOfPeriod(calendar, name))
  const after = names.find((name) => name.endsWith('after]')) ?? names[0]
  return weekAt(clock, (after ? instantIn(drawing, after) : undefined) ?? presentMinute())
}

/** The instant that a parameter names, as the filter reads it. A day begins at midnight UTC; a local time is of the zone. */
function instantIn({ view, formats }: Pick<Drawing, 'view' | 'formats'>, name: string): number | undefined {
  const [value = '', ...others] = view.request.query.getAll(name)
  const isLocal = /^\d{4}-\d\d-\d\dT[\d:.]+$/i.test(value)
  const instant = isLocal ? formats.clock.intendedInstant(Date.parse(`${value}Z`)) : Date.parse(value)
  return others.length > 0 || Number.isNaN(instant) ? undefined : instant
}

type AddressOf = (period: Period) => string

const addresses = new WeakMap<PageView, AddressOf>()

/** The addresses of periods in the calendar of a page. They have all of its other filters. */
export function addressesOf(drawing: Pick<Drawing, 'api' | 'view'>, calendar: Calendar): AddressOf {
  const known = addresses.get(drawing.view) ?? makeAddresses(drawing, calendar)
  addresses.set(drawing.view, known)
  return known
}

function makeAddresses(drawing: Pick<Drawing, 'api' | 'view'>, calendar: Calendar): AddressOf {
  const { query } = drawing.view.request
  const others = [...query.keys()].filter((name) => isOfPeriod(calendar, name) || name.startsWith('order['))
  const most = drawing.view.content?.resource.options.most ?? mostRows
  const before = withParameters(drawing, {
    ...firstPage,
    ...Object.fromEntries(others.map((name) => [name, [] as string[]])),
    view: [calendar.name, ...shownFilters(drawing)],
    itemsPerPage: [],
  })
  const after = new URLSearchParams({
    [`order[${calendar.start.name}]`]: 'asc',
    itemsPerPage: String(Math.min(most, mostRows)),
  })
  const [from, to] = [startOf(calendar), endOf(calendar)].map(encodeURIComponent)
  const boundAt = (instant: number) => encodeURIComponent(new Date(instant).toISOString())
  return ({ bounds }) => `${before}&${from}=${boundAt(bounds[0])}&${to}=${boundAt(bounds.at(-1) as number)}&${after}`
}
