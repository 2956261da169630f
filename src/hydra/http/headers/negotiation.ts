import type { IncomingHttpHeaders } from 'node:http'
import type { Format } from '../../formats/format.ts'
import { Problem } from '../../model/problem.ts'
import { elementsOf } from './header-list.ts'

/** One media range of an Accept header, with its quality. */
interface Range {
  type: string
  profiles: string[]
  quality: number
}

/**
 * Selects a format by the suffix of the path, or else by Accept.
 * @throws Problem 406 with the available types when Accept matches none of them
 */
export function negotiate({ accept }: IncomingHttpHeaders, offered: Format[], suffix?: string): Format {
  if (suffix === undefined && (accept === undefined || accept === '*/*' || accept === 'application/ld+json'))
    return offered[0]
  const named = suffix === undefined ? offered : offered.filter((format) => format.suffix === suffix)
  const chosen = preferred(accept, named) ?? (suffix === undefined ? undefined : named[0])
  if (chosen) return chosen
  const types = new Set(offered.map(({ type }) => type))
  throw new Problem(406, `The requested media type is not available here. Accept one of: ${[...types].join(', ')}.`)
}

/**
 * The preferred format of an Accept header (RFC 9110 §12.5.1): by quality, then by the most precise media range,
 * then by our own order. The negotiator package would follow the order of the header instead.
 */
export function preferred(accept: string | undefined, offered: Format[]): Format | undefined {
  const ranges = rangesOf(accept || '*/*', offered)
  let best: { format?: Format; quality: number; precision: number } = { quality: 0, precision: -1 }
  for (const format of offered) {
    const { quality, precision } = qualityOf(format, ranges)
    if (quality > best.quality || (quality === best.quality && quality > 0 && precision > best.precision))
      best = { format, quality, precision }
  }
  return best.format
}

/** The quality of the most precise media range that matches a format. */
function qualityOf(format: Format, ranges: Range[]): { quality: number; precision: number } {
  let found = { quality: 0, precision: -1 }
  for (const range of ranges) {
    const precision = precisionOf(format, range)
    if (precision > found.precision) found = { quality: range.quality, precision }
  }
  return found
}

/** How precisely a media range matches a format; -1 for no match. A format with a profile matches that profile only. */
function precisionOf({ type, profile }: Format, range: Range): number {
  if (profile) return type === range.type && range.profiles.includes(profile) ? 3 : -1
  if (type === range.type) return range.profiles.length > 0 ? -1 : 2
  if (range.type === '*/*') return 0
  return range.type === `${type.split('/')[0]}/*` ? 1 : -1
}

/** Unknown profiles are ignored (RFC 6906), and so are all other parameters. */
function rangesOf(accept: string, offered: Format[]): Range[] {
  const known = offered.map(({ profile }) => profile)
  return elementsOf(accept).map(({ item, parameters }) => {
    const profiles = parameters.get('profile')?.split(/\s+/) ?? []
    return {
      type: item.toLowerCase(),
      profiles: profiles.filter((profile) => known.includes(profile)),
      quality: Math.max(Number(parameters.get('q') ?? 1), 0),
    }
  })
}
