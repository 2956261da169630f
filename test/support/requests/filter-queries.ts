import type { FilterKind } from '../../../src/hydra/model/filter.ts'
import { openWorld } from '../world.ts'

const { publicUrl } = await openWorld()

/** A query, and whether a row with this value is to be found by it. */
type Query = [query: string, holds: (held: unknown) => boolean]

/** A value in any case, whichever it is stored in. */
const inAnyCase = (name: string, values: unknown[]): Query[] => [
  ...values.flatMap((value) =>
    [String(value), String(value).toUpperCase(), lower(value)].map(
      (text): Query => [`${name}=${encode(text)}`, (held) => held !== null && lower(held) === lower(value)],
    ),
  ),
  [`${name}=nothing+such`, () => false],
  ...repeated(name, values),
]

/** Queries of each kind about values that rows have, each with its meaning. */
export const queriesOf: Record<FilterKind, (name: string, values: unknown[], path: string) => Query[]> = {
  exact: (name, values) => [
    ...values.map((value): Query => [`${name}=${encode(value)}`, (held) => held === value]),
    [`${name}=nothing+such`, () => false],
    ...repeated(name, values),
  ],
  caseless: inAnyCase,
  upper: inAnyCase,
  lower: inAnyCase,
  partial: (name, values) => [
    ...values.map((value): Query => {
      const part = String(value).slice(1, 5)
      return [`${name}=${encode(part.toUpperCase())}`, (held) => lower(held).includes(part.toLowerCase())]
    }),
    ...['%25', '_', '\\', '%5C%25'].map((text): Query => [`${name}=${text}`, () => false]),
    ...repeated(name, values),
  ],
  reference: (name, values, path) => [
    ...['', path, publicUrl + path].map(
      (before): Query => [`${name}=${before}${values[0]}`, (held) => held === values[0]],
    ),
    ...repeated(name, values),
  ],
  date: (name, values) =>
    values.flatMap((value) => [
      compare(`${name}[before]`, value, (held) => held <= numberOf(value)),
      compare(`${name}[strictly_before]`, value, (held) => held < numberOf(value)),
      compare(`${name}[after]`, value, (held) => held >= numberOf(value)),
      compare(`${name}[strictly_after]`, value, (held) => held > numberOf(value)),
    ]),
  boolean: (name) => [
    ...['true', '1'].map((text): Query => [`${name}=${text}`, (held) => held === true]),
    ...['false', '0'].map((text): Query => [`${name}=${text}`, (held) => held === false]),
    [`${name}[]=true&${name}[]=false`, () => true],
  ],
  range: (name, values) => [
    ...values.flatMap((value) => [
      compare(`${name}[gt]`, value, (held) => held > numberOf(value)),
      compare(`${name}[gte]`, value, (held) => held >= numberOf(value)),
      compare(`${name}[lt]`, value, (held) => held < numberOf(value)),
      compare(`${name}[lte]`, value, (held) => held <= numberOf(value)),
    ]),
    [`${name}[between]=-5..${values[0]}`, (held) => held !== null && Number(held) <= Number(values[0])],
    [`${name}[gt]=999999999999999`, () => false],
  ],
  exists: (name) => [
    ...['true', '1', ''].map((text): Query => [`exists[${name}]=${text}`, (held) => held !== null]),
    ...['false', '0'].map((text): Query => [`exists[${name}]=${text}`, (held) => held === null]),
  ],
}

function lower(held: unknown): string {
  return String(held ?? '').toLowerCase()
}

function encode(value: unknown): string {
  return encodeURIComponent(String(value))
}

function compare(variable: string, value: unknown, holds: (held: number) => boolean): Query {
  const text = value instanceof Date ? value.toISOString() : String(value)
  return [`${variable}=${text}`, (held) => held !== null && holds(numberOf(held))]
}

function repeated(name: string, [one, other]: unknown[]): Query[] {
  const either = (held: unknown) => held === one || (other !== undefined && held === other)
  const ways = [
    [name, name],
    [`${name}[]`, `${name}[]`],
    [`${name}[0]`, `${name}[1]`],
  ]
  return ways.map(([first, second]) => [`${first}=${encode(one)}&${second}=${encode(other ?? one)}`, either])
}

/** Days have no number of their own, but an order. */
function numberOf(value: unknown): number {
  return typeof value === 'string' && /^\d{4}-\d\d-\d\d$/.test(value) ? Date.parse(value) : Number(value)
}
