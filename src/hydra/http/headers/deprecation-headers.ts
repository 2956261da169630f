import { type Deprecation, datesOf } from '../../model/deprecation.ts'

/** The headers of a deprecated operation: Deprecation (RFC 9745), Sunset (RFC 8594), and a link to the page that explains it. */
export function deprecationHeaders(deprecation: Deprecation): [name: string, value: string][] {
  const { since, sunset } = datesOf(deprecation)
  return [
    ['Deprecation', `@${since.getTime() / 1000}`],
    ...(sunset ? [['Sunset', sunset.toUTCString()] as [string, string]] : []),
    ['Link', `<${deprecation.page}>; rel="deprecation"; type="text/html"`],
  ]
}
