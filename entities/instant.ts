import type { TransformFnParams } from 'class-transformer'

const rfc3339 = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.\d+)?(?:Z|[+-](\d\d):(\d\d))$/i

/** The decimals of a second after the third. */
const beyondMilliseconds = /(?<=\.\d{3})\d+/

/**
 * Parses a date-time of RFC 3339, with an offset and a year from 0001 to 9999, without a leap second. It is cut to milliseconds.
 * Any other value is returned unchanged, and `@IsDate()` refuses it.
 */
export function parseInstant({ value }: Pick<TransformFnParams, 'value'>): unknown {
  const parts = typeof value === 'string' ? rfc3339.exec(value) : null
  if (!parts) return value
  const [year, month, day, hour, minute, second, offsetHour = 0, offsetMinute = 0] = parts
    .slice(1)
    .map((part) => Number(part ?? 0))
  const exists =
    year >= 1 &&
    month >= 1 &&
    month <= 12 &&
    day >= 1 &&
    day <= daysIn(year, month) &&
    hour <= 23 &&
    minute <= 59 &&
    second <= 59 &&
    offsetHour <= 23 &&
    offsetMinute <= 59
  if (!exists) return value
  const date = new Date(value.toUpperCase().replace(beyondMilliseconds, ''))
  return date.getUTCFullYear() >= 1 && date.getUTCFullYear() <= 9999 ? date : value
}

/** A time of day without a date, stored as that time on 1 January 1970 in UTC. */
export class ClockTime extends Date {}

/** Parses a date-time. One on 1 January 1970 is a clock time: its offset is ignored. */
export function parseInstantOrClockTime(given: Pick<TransformFnParams, 'value'>): unknown {
  const date = parseInstant(given)
  if (!(date instanceof Date) || !(given.value as string).startsWith?.('1970-01-01')) return date
  return new ClockTime(`${(given.value as string).slice(0, 19)}Z`)
}

function daysIn(year: number, month: number): number {
  const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0
  return month === 2 ? (leap ? 29 : 28) : [4, 6, 9, 11].includes(month) ? 30 : 31
}
