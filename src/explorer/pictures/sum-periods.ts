import { type Drawing, firstPage, withParameters } from '../drawing.ts'
import type { Collection } from '../engine.ts'
import type { Sums } from './pictures.ts'

/** One sum of a period in a currency. */
export type Sum = Awaited<ReturnType<NonNullable<Collection['sums']>>>[number]

/** The sums of one currency, the latest period first. */
export interface CurrencySums {
  currency: string | null
  periods: (Sum & { period: string })[]
  /** The rows without a date. */
  undated?: Sum
}

/** The most sums of a page. */
const mostSums = 100

const dayMs = 86_400_000

/** Reads the sums of a picture: one more than are drawn, which tells that there are more. */
export function readSums(collection: Collection | undefined, picture: Sums, zone: string): Promise<Sum[]> | undefined {
  const { amount, currency, date, by } = picture
  const names = { amount: amount.name, currency: currency.name, date: date.name }
  return collection?.sums?.({ ...names, by, zone, size: mostSums + 1 })
}

/** The sums that are drawn, and whether earlier ones are left out. A period is drawn with all its currencies, or left out. */
export function drawnSums(sums: Sum[]): { drawn: Sum[]; isCut: boolean } {
  if (sums.length <= mostSums) return { drawn: sums, isCut: false }
  const { period } = sums[mostSums]
  return { drawn: sums.filter((sum) => sum.period !== period), isCut: true }
}

/** Sums by currency, in the order of its code; those without one come last. */
export function byCurrency(sums: Sum[]): CurrencySums[] {
  const found = new Map<string | null, CurrencySums>()
  for (const sum of sums) {
    const { currency, period } = sum
    const own = found.get(currency) ?? { currency, periods: [] }
    found.set(currency, own)
    if (period === null) own.undated = sum
    else own.periods.push({ ...sum, period })
  }
  const named = [...found.values()].filter(({ currency }) => currency !== null)
  const unnamed = found.get(null)
  named.sort((one, other) => String(one.currency).localeCompare(String(other.currency)))
  return unnamed ? [...named, unnamed] : named
}

/** The first day after a period. */
function endOf(day: string, by: Sums['by']): string {
  const [year, month, date] = day.split('-').map(Number)
  const end = by === 'day' ? Date.UTC(year, month - 1, date + 1) : Date.UTC(year, month, 1)
  return new Date(end).toISOString().slice(0, 10)
}

/** The address of the rows of a sum as a table. Bounds that the address has already hold too. */
export function tableOf(drawing: Drawing, { date, by, currency }: Sums, day: string, code: string | null): string {
  const variables = drawing.view.content?.collection?.search.variables ?? []
  const isFilter = code !== null && variables.some(({ name }) => name === currency.name)
  return withParameters(drawing, {
    ...firstPage,
    view: [],
    ...(isFilter && { [currency.name]: [code] }),
    ...boundFrom(drawing, date, day),
    ...boundTo(drawing, date, endOf(day, by)),
  })
}

/** The address of the sums before a period. */
export function earlierThan(drawing: Drawing, { date }: Sums, day: string): string {
  return withParameters(drawing, boundTo(drawing, date, day))
}

type DateField = Sums['date']

/** A bound by the parameter that the address does not have yet: two different ones hold together. */
function boundFrom(drawing: Drawing, date: DateField, day: string): Record<string, string[]> {
  const name = `${date.name}[after]`
  if (!drawing.view.request.query.has(name)) return { [name]: [boundOf(drawing, date, day, 0)] }
  return { [`${date.name}[strictly_after]`]: [boundOf(drawing, date, day, -1)] }
}

function boundTo(drawing: Drawing, date: DateField, day: string): Record<string, string[]> {
  const name = `${date.name}[strictly_before]`
  if (!drawing.view.request.query.has(name)) return { [name]: [boundOf(drawing, date, day, 0)] }
  return { [`${date.name}[before]`]: [boundOf(drawing, date, day, -1)] }
}

/** A day, or the moment at which it begins in the time zone; or the last value before it. */
function boundOf({ formats }: Drawing, { datatype }: DateField, day: string, step: 0 | -1): string {
  const midnight = Date.parse(`${day}T00:00:00Z`)
  if (datatype === 'xsd:date') return new Date(midnight + step * dayMs).toISOString().slice(0, 10)
  return new Date(formats.clock.firstInstantOf(midnight) + step).toISOString()
}
