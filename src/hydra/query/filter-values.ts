import type { ApiModel } from '../model/api-model.ts'
import type { Class } from '../model/class.ts'
import { Problem } from '../model/problem.ts'
import { unstorableIn } from '../model/text.ts'

/**
 * Reads a value as its property's type has it.
 * @throws Problem 400, with the form that is accepted
 */
export function readValue(name: string, datatype: string | null, value: string): unknown {
  if (datatype === 'xsd:integer') {
    if (!/^-?\d{1,15}$/.test(value)) throw badFilterValue(name, 'a whole number of at most fifteen digits')
    return Number(value)
  }
  if (datatype === 'xsd:dateTime') return moment(name, value)
  if (datatype === 'xsd:date') return day(name, value)
  if (datatype === 'xsd:decimal') {
    if (!/^-?\d{1,15}(\.\d{1,6})?$/.test(value)) throw badFilterValue(name, 'a number with a dot before its decimals')
    return value
  }
  if ([...value].length > 255 || unstorableIn(value)) throw badFilterValue(name, 'a text of at most 255 characters')
  return value.normalize('NFC')
}

/** A value that has an order, and its place in that. */
export interface Quantity {
  value: unknown
  rank: bigint | string
}

/** Reads a number, a day or a moment; decimals have at most six places, so they are ranked as millionths. */
export function quantity(name: string, datatype: string | null, text: string): Quantity {
  const value = readValue(name, datatype, text)
  if (value instanceof Date) return { value, rank: BigInt(value.getTime()) }
  if (datatype === 'xsd:date') return { value, rank: value as string }
  const [whole, places = ''] = String(value).split('.')
  return { value, rank: BigInt(whole + places.padEnd(6, '0')) }
}

export const least = (quantities: Quantity[]): Quantity => quantities.reduce((a, b) => (b.rank < a.rank ? b : a))

export const greatest = (quantities: Quantity[]): Quantity => quantities.reduce((a, b) => (b.rank > a.rank ? b : a))

/** Reads a text that is short enough to be looked for. */
export function textValue(name: string, value: string): string {
  return readValue(name, 'xsd:string', value) as string
}

export function textValues(name: string, values: string[]): string[] {
  return values.map((value) => textValue(name, value))
}

/** Reads yes or no, in either of the two ways that query strings have for it. */
export function booleanValue(name: string, value: string): boolean {
  if (value === 'true' || value === '1') return true
  if (value === 'false' || value === '0') return false
  throw badFilterValue(name, 'true or false')
}

/** The ids that IRIs, or bare ids, name; Problem 400 for an IRI that can be no item of the class. */
export function idsOf(api: ApiModel, name: string, target: Class, values: string[]): string[] {
  const resource = api.resourceOf(target)
  const store = api.storeOf(target)
  return values.map((value) => {
    const named = api.iris.parse(value)
    const id = named?.resource === resource ? named.id : value.includes('/') ? '' : resource.canonical(value)
    if (!store.accepts(id)) throw badFilterValue(name, `IRIs such as "${api.iris.at(resource.path)}/…"`)
    return id
  })
}

/** The refusal of a parameter, which says what it takes. */
export function badFilterValue(name: string, expected: string): Problem {
  return new Problem(400, `The parameter "${name}" takes ${expected}.`)
}

const rfc3339 = /^\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d))?$/i

/** Digits after the third decimal of a second. */
const beyondMilliseconds = /(?<=\.\d{3})\d+/

/** A date-time with its offset, or a day, which begins at midnight UTC. */
function moment(name: string, value: string): Date {
  const date = new Date(rfc3339.test(value) ? value.replace(beyondMilliseconds, '') : Number.NaN)
  const rolled =
    !Number.isNaN(date.getTime()) &&
    new Date(`${value.slice(0, 10)}T00:00:00Z`).toISOString().slice(0, 10) !== value.slice(0, 10)
  if (Number.isNaN(date.getTime()) || rolled)
    throw badFilterValue(name, 'a day, or a date-time with an offset (RFC 3339; write its "+" as "%2B")')
  return date
}

/** A day; that of a moment is UTC's. */
function day(name: string, value: string): string {
  const [found] = moment(name, value).toISOString().split('T')
  if (found.length > 10 || found < '0001') throw badFilterValue(name, 'a day, such as 2026-03-01')
  return found
}
