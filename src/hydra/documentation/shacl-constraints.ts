import { documentedIri } from '../model/context.ts'
import type { Field, Rule, Shape } from '../model/shape.ts'
import * as patterns from './shacl-patterns.ts'

type Fact = Record<string, unknown>

const integers = `integer int long short byte nonNegativeInteger positiveInteger nonPositiveInteger negativeInteger
  unsignedLong unsignedInt unsignedShort unsignedByte decimal`.split(/\s+/)
const typed = (name: string) => ({ 'sh:datatype': name.includes(':') ? name : `xsd:${name}` })

/** Kinds of value that several properties share, read from a literal as JSON would say it. */
export const kinds: (Fact & { '@id': string })[] = [
  {
    '@id': '#Text',
    '@type': 'sh:NodeShape',
    'sh:nodeKind': 'sh:IRIOrLiteral',
    'sh:not': { 'sh:or': [...integers, 'double', 'float', 'boolean', 'rdf:JSON'].map(typed) },
  },
  { '@id': '#Whole', '@type': 'sh:NodeShape', 'sh:or': integers.map(typed), 'sh:pattern': patterns.whole },
  { '@id': '#Instant', '@type': 'sh:NodeShape', 'sh:node': '#Text', 'sh:pattern': patterns.instant },
  { '@id': '#Day', '@type': 'sh:NodeShape', 'sh:node': '#Text', 'sh:pattern': patterns.day },
]

/** What a value must be. Whether a reference leads to something of its class is not for a graph to know. */
export function kindOf({ kind, term, datatype }: Field): Fact {
  if (kind !== 'value') return { 'sh:or': [{ 'sh:nodeKind': 'sh:IRI' }, { 'sh:node': '#Text' }] }
  if (term.type === '@json') return { 'sh:datatype': 'rdf:JSON' }
  if (datatype === 'xsd:boolean') return { 'sh:datatype': datatype }
  if (datatype === 'xsd:integer') return { 'sh:node': '#Whole' }
  if (datatype === 'xsd:dateTime') return { 'sh:node': '#Instant' }
  return { 'sh:node': datatype === 'xsd:date' ? '#Day' : '#Text' }
}

/** What the rules of class-validator say of a property alone, each in SHACL. */
export function facts({ datatype, rules }: Field): Fact[] {
  return datatype === null ? [] : rules.flatMap(factsOf)
}

function factsOf({ name, arguments: given }: Rule): Fact[] {
  const [first, second] = given
  if (name === 'min') return [{ 'sh:minInclusive': first }]
  if (name === 'max') return [{ 'sh:maxInclusive': first }]
  if (name === 'isLength')
    return [{ 'sh:minLength': first }, ...(second === undefined ? [] : [{ 'sh:maxLength': second }])]
  if (name === 'maxLength') return [{ 'sh:maxLength': first }]
  if (name === 'isIn') return [{ 'sh:in': first }]
  if (name === 'isNotIn') return [{ 'sh:not': { 'sh:in': first } }]
  if (name === 'languageTag') return [{ 'sh:pattern': patterns.languageTag }]
  if (name === 'isEmail' || name === 'matches') return patternsOf(given).map(matching)
  return []
}

/** The patterns among the arguments of a rule, each of which holds. */
export function patternsOf(given: unknown[]): RegExp[] {
  return given.filter((one) => one instanceof RegExp)
}

/** What the rules say of a property beside others. */
export function comparisons(shape: Shape, field: Field): Fact[] {
  const other = (name: unknown) => shape.field.get(name as string) as Field
  return field.rules.flatMap(({ name, arguments: [first, second, exempt] }) => {
    if (name === 'above') return [ordered(other(first), 'sh:lessThan', field)]
    if (name === 'differs') return [either(less(other(first), field), less(field, other(first)))]
    if (name === 'withPeer')
      return [either(about(field, { 'sh:maxCount': 0 }), about(other(first), { 'sh:minCount': 1 }))]
    if (name !== 'within') return []
    const spared = exempt instanceof RegExp ? [about(field, matching(exempt))] : []
    return [
      ordered(other(first), 'sh:lessThanOrEquals', field, ...spared),
      ordered(field, 'sh:lessThanOrEquals', other(second), ...spared),
    ]
  })
}

/** SHACL orders date-times only where both are typed as such, and have an offset or have none; the server orders all of them. */
function ordered(low: Field, order: string, high: Field, ...spared: object[]): Fact {
  const untyped = { 'sh:not': { 'sh:datatype': 'xsd:dateTime' } }
  const [zoned, local] = [patterns.zoned, patterns.local].map((pattern) => ({ 'sh:pattern': pattern }))
  const plain =
    low.datatype === 'xsd:dateTime'
      ? [
          about(low, untyped),
          about(high, untyped),
          both(about(low, zoned), about(high, local)),
          both(about(low, local), about(high, zoned)),
        ]
      : []
  return either(about(low, { [order]: documentedIri(high.term.iri) }), ...plain, ...spared)
}

function both(...shapes: object[]): Fact {
  return { 'sh:and': shapes }
}

/** `sh:disjoint` compares terms and not values: 9 and 9.0 are the same hour. */
function less(low: Field, high: Field): object {
  return about(low, { 'sh:lessThan': documentedIri(high.term.iri) })
}

function either(...shapes: object[]): Fact {
  return { 'sh:or': shapes }
}

function about(field: Field, fact: Fact): object {
  return { 'sh:property': [{ 'sh:path': documentedIri(field.term.iri), ...fact }] }
}

/** XPath has no escapes for characters, so they stand as they are. */
function matching({ source, flags }: RegExp): Fact {
  const plain = source.replace(/\\u([0-9a-f]{4})/g, (_, digits) => String.fromCharCode(Number.parseInt(digits, 16)))
  return { 'sh:pattern': plain, ...(flags && { 'sh:flags': flags }) }
}
