import type { IncomingHttpHeaders } from 'node:http'
import type { Format } from '../formats/format.ts'
import { Problem } from '../model/problem.ts'
import { elementsOf } from './header-list.ts'

/** One of the types in an Accept header, and how much the client likes it. */
interface Range {
  type: string
  profiles: string[]
  quality: number
}

/**
 * The format that a client wants most, of those offered: named by the path's suffix, or else by Accept.
 * @throws Problem 406 listing what there is when it wants none of them
 */
export function negotiate({ accept }: IncomingHttpHeaders, offered: Format[], suffix?: string): Format {
  if (suffix === undefined && (accept === undefined || accept === '*/*' || accept === 'application/ld+json'))
    return offered[0]
  const named = suffix === undefined ? offered : offered.filter((format) => format.suffix === suffix)
  const chosen = preferred(accept, named) ?? (suffix === undefined ? undefined : named[0])
  if (chosen) return chosen
  const types = new Set(offered.map(({ type }) => type))
  throw new Problem(406, `Nothing here is of the type asked for. Accept one of: ${[...types].join(', ')}.`)
}

/**
 * The format that an Accept header likes best (RFC 9110 §12.5.1): by quality, then the one that it names most precisely,
 * then the first. The negotiator package would put what a client happens to name first before what is best here.
 */
export function preferred(accept: string | undefined, offered: Format[]): Format | undefined {
  const ranges = rangesOf(accept || '*/*', offered)
  let best: { format?: Format; quality: number; precision: number } = { quality: 0, precision: -1 }
  for (const format of offered) {
    const { quality, precision } = judged(format, ranges)
    if (quality > best.quality || (quality === best.quality && quality > 0 && precision > best.precision))
      best = { format, quality, precision }
  }
  return best.format
}

/** The most precise of the ranges that a format falls in tells how much it is liked. */
function judged(format: Format, ranges: Range[]): { quality: number; precision: number } {
  let found = { quality: 0, precision: -1 }
  for (const range of ranges) {
    const precision = precisionOf(format, range)
    if (precision > found.precision) found = { quality: range.quality, precision }
  }
  return found
}

/** How precisely a range names a format; -1 when it does not. What has a profile is only for who asks for that. */
function precisionOf({ type, profile }: Format, range: Range): number {
  if (profile) return type === range.type && range.profiles.includes(profile) ? 3 : -1
  if (type === range.type) return range.profiles.length > 0 ? -1 : 2
  if (range.type === '*/*') return 0
  return range.type === `${type.split('/')[0]}/*` ? 1 : -1
}

/** Profiles that no format has are passed over (RFC 6906), and so are parameters that say nothing of the form. */
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
