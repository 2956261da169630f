import { WallClock } from '../../../entities/wall-clock.ts'

/** Writes values for people: dates with their time zone, numbers and money. */
export interface Formats {
  /** The IANA name of the time zone of date-times. */
  zone: string
  /** The clock of that time zone. */
  clock: WallClock
  /** The locale of the texts (BCP 47). */
  locale: string
  dateTime(iso: string): string
  date(day: string): string
  /** A day of a week. */
  weekday(day: string): string
  month(day: string): string
  /** A period from one day to another. */
  period(from: string, to: string): string
  /** The time of day of a moment. */
  time(instant: number): string
  /** A wall-clock time, as a `datetime-local` field has it; other texts as they are. */
  wallTime(text: string): string
  /** A date-time as the value of a `datetime-local` field in the zone; undefined for other texts. */
  localTime(text: string): string | undefined
  /** The order of two texts in the language. */
  compare(one: string, other: string): number
  number(value: number | string): string
  /** @param amount in units of the currency */
  money(amount: number | string, currency: string): string
  /** An amount in the smallest unit of the currency. */
  minorUnits(amount: number | string, currency: string): string
}

/** The locale of a language of the explorer: English has the dates and hours of Europe. */
export function localeOf(language: string): string {
  return language === 'en' ? 'en-GB' : language
}

/** The most pairs of a language and a zone that are kept. */
const mostFormats = 40

const known = new Map<string, Formats>()

/** The formats of a language and a time zone. Intl's formats are slow to make, so they are kept. */
export function formatsIn(language: string, zone: string): Formats {
  const key = `${language} ${zone}`
  const found = known.get(key)
  if (found) return found
  if (known.size >= mostFormats) known.clear()
  const made = make(language, zone)
  known.set(key, made)
  return made
}

function make(language: string, zone: string): Formats {
  const locale = localeOf(language)
  const clock = new WallClock(zone)
  const dateTimes = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short', timeZone: zone })
  const dates = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeZone: 'UTC' })
  const inUtc = (options: Intl.DateTimeFormatOptions) =>
    new Intl.DateTimeFormat(locale, { ...options, timeZone: 'UTC' })
  const weekdays = inUtc({ weekday: 'short', day: 'numeric', month: 'short' })
  const months = inUtc({ month: 'long', year: 'numeric' })
  const periods = inUtc({ dateStyle: 'long' })
  const times = new Intl.DateTimeFormat(locale, { timeStyle: 'short', timeZone: zone })
  const wallTimes = inUtc({ dateStyle: 'medium', timeStyle: 'short' })
  const numbers = new Intl.NumberFormat(locale, { maximumFractionDigits: 20 })
  const currencies = new Map<string, Intl.NumberFormat>()
  const inCurrency = (code: string): Intl.NumberFormat | undefined => {
    if (!/^[A-Z]{3}$/i.test(code)) return undefined
    const format = currencies.get(code) ?? new Intl.NumberFormat(locale, { style: 'currency', currency: code })
    currencies.set(code, format)
    return format
  }
  const money = (amount: number | string, currency: string) =>
    // A decimal of the database may have more digits than a number can hold; Intl takes its text as it is.
    inCurrency(currency)?.format(amount as number) ?? `${amount} ${currency}`
  const period = keeping((days: string) => {
    const [from, to] = days.split('/', 2)
    return periods.formatRange(midnight(from), midnight(to))
  })
  return {
    zone,
    locale,
    dateTime: keeping((iso: string) => dateTimes.format(new Date(iso))),
    clock,
    date: keeping((day: string) => dates.format(midnight(day))),
    weekday: keeping((day: string) => weekdays.format(midnight(day))),
    month: (day) => months.format(midnight(day)),
    period: (from, to) => period(`${from}/${to}`),
    time: keeping((instant: number) => times.format(instant)),
    wallTime: (text) => (isWallTime.test(text) ? wallTimes.format(new Date(`${text}Z`)) : text),
    localTime: keeping((text: string) => localTimeOf(text, clock)),
    compare: new Intl.Collator(locale).compare,
    number: keeping((value: number | string) => numbers.format(value as number)),
    money,
    minorUnits(amount, currency) {
      const digits = inCurrency(currency)?.resolvedOptions().maximumFractionDigits ?? 2
      return money(shifted(String(amount), digits), currency)
    },
  }
}

/** The most texts that one format keeps. */
const mostTexts = 1000

/** Keeps the texts of recent values: the dates of a page recur on the next one, and Intl is slow. */
function keeping<V, T extends string | undefined>(write: (value: V) => T): (value: V) => T {
  const texts = new Map<V, T>()
  return (value) => {
    let text = texts.get(value)
    if (text === undefined) {
      if (texts.size >= mostTexts) texts.clear()
      text = write(value)
      texts.set(value, text)
    }
    return text as T
  }
}

/** The start of a day in UTC. */
const midnight = (day: string) => new Date(`${day}T00:00:00Z`)

/** A whole number with its last digits behind a point, as a text: a division would round large amounts. */
function shifted(amount: string, digits: number): string {
  if (digits === 0 || !/^-?\d+$/.test(amount)) return amount
  const [sign, number] = amount.startsWith('-') ? ['-', amount.slice(1)] : ['', amount]
  const padded = number.padStart(digits + 1, '0')
  return `${sign}${padded.slice(0, -digits)}.${padded.slice(-digits)}`
}

const isWallTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?$/

function localTimeOf(text: string, clock: WallClock): string | undefined {
  if (text === '' || isWallTime.test(text)) return text
  if (/^\d{4}-\d\d-\d\d$/.test(text)) return `${text}T00:00`
  const instant = /^\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d)$/i.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(instant)) return undefined
  return new Date(clock.wallTimeAt(instant)).toISOString().slice(0, 16)
}
