/** Says that clients should stop using an operation. Dates are those of UTC, such as 2027-03-31. */
export interface Deprecation {
  /** The day from which the operation is deprecated; it may lie in the future. */
  since: string
  /** The day from which it may no longer work. */
  sunset?: string
  /** The URL of a page that names the replacement. */
  page: string
}

/** @throws RangeError for a day that does not exist, or a sunset that is not after the deprecation */
export function datesOf({ since, sunset }: Deprecation): { since: Date; sunset: Date | undefined } {
  const dates = { since: dateOf(since), sunset: sunset === undefined ? undefined : dateOf(sunset) }
  if (dates.sunset && dates.sunset <= dates.since) throw new RangeError(`The sunset ${sunset} is not after ${since}.`)
  return dates
}

function dateOf(day: string): Date {
  const date = new Date(`${day}T00:00:00Z`)
  // A day such as 2027-02-30 would become another one.
  if (Number.isNaN(date.getTime()) || !date.toISOString().startsWith(day))
    throw new RangeError(`"${day}" must be a day such as 2027-03-31.`)
  return date
}
