import type { Deprecation } from '../../model/operation.ts'

/** The headers of a deprecated operation: Deprecation (RFC 9745), Sunset (RFC 8594), and a link to the page that explains it. */
export function deprecationHeaders(deprecation: Deprecation): Record<string, string> {
  const { since, sunset } = datesOf(deprecation)
  return {
    Deprecation: `@${since.getTime() / 1000}`,
    ...(sunset && { Sunset: sunset.toUTCString() }),
    Link: `<${deprecation.page}>; rel="deprecation"; type="text/html"`,
  }
}

/** @throws RangeError for a day that does not exist, or a sunset that is not after the deprecation */
function datesOf({ since, sunset }: Deprecation): { since: Date; sunset: Date | undefined } {
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
