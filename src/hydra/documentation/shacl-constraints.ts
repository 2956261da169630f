import { documentedIri } from '../model/context.ts'
import type { Rule } from '../model/rules.ts'
import type { Field, Shape } from '../model/shape.ts'
import * as patterns from './shacl-patterns.ts'

type Constraint = Record<string, unknown>

const integers = `integer int long short byte nonNegativeInteger positiveInteger nonPositiveInteger negativeInteger
  unsignedLong unsignedInt unsignedShort unsignedByte decimal`.split(/\s+/)
const typed = (name: string) => ({ 'sh:datatype': name.includes(':') ? name : `xsd:${name}` })

/** The shapes of values that several properties share: a literal is accepted if its JSON form would be. */
export const valueShapes: (Constraint & { '@id': string })[] = [
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

/** The type constraint of a value. A graph cannot know whether a reference leads to an item of the right class. */
export function valueConstraint({ kind, term, datatype }: Field): Constraint {
  if (kind !== 'value') return { 'sh:or': [{ 'sh:nodeKind': 'sh:IRI' }, { 'sh:node': '#Text' }] }
  if (term.type === '@json') return { 'sh:datatype': 'rdf:JSON' }
  if (datatype === 'xsd:boolean') return { 'sh:datatype': datatype }
  if (datatype === 'xsd:integer') return { 'sh:node': '#Whole' }
  if (datatype === 'xsd:dateTime') return { 'sh:node': '#Instant' }
  return { 'sh:node': datatype === 'xsd:date' ? '#Day' : '#Text' }
}

/** The rules that compare a property with others. */
const comparisons = new Set(['above', 'differs', 'withPeer', 'within'])

/** The class-validator rules of one property in SHACL; rules that compare properties are not among them. */
export function ruleConstraints({ datatype, rules }: Field): Constraint[] {
  return datatype === null ? [] : rules.flatMap(constraintsOf)
}

function constraintsOf({ name, arguments: given }: Rule): Constraint[] {
  const [first, second] = given
  if (name === 'min') return [{ 'sh:minInclusive': first }]
  if (name === 'max') return [{ 'sh:maxInclusive': first }]
  if (name === 'isLength')
    return [{ 'sh:minLength': first }, ...(second === undefined ? [] : [{ 'sh:maxLength': second }])]
  if (name === 'maxLength') return [{ 'sh:maxLength': first }]
  if (name === 'isIn') return [{ 'sh:in': first }]
  if (name === 'isNotIn') return [{ 'sh:not': { 'sh:in': first } }]
  // Any other rule with patterns among its arguments means that the value matches them.
  return comparisons.has(name) ? [] : patternsOf(given).map(patternConstraint)
}

/** The patterns among the arguments of a rule; a value must match each of them. */
export function patternsOf(given: unknown[]): RegExp[] {
  return given.filter((one) => one instanceof RegExp)
}

/** The rules that compare a property with others, in SHACL. */
export function comparisonConstraints(shape: Shape, field: Field): Constraint[] {
  const other = (name: unknown) => shape.field.get(name as string) as Field
  return field.rules.flatMap(({ name, arguments: [first, second, exempt] }) => {
    if (name === 'above') return [ordered(other(first), 'sh:lessThan', field)]
    if (name === 'differs') return [either(less(other(first), field), less(field, other(first)))]
    if (name === 'withPeer')
      return [either(propertyShape(field, { 'sh:maxCount': 0 }), propertyShape(other(first), { 'sh:minCount': 1 }))]
    if (name !== 'within') return []
    const exemptions = exempt instanceof RegExp ? [propertyShape(field, patternConstraint(exempt))] : []
    return [
      ordered(other(first), 'sh:lessThanOrEquals', field, ...exemptions),
      ordered(field, 'sh:lessThanOrEquals', other(second), ...exemptions),
    ]
  })
}

/** SHACL compares date-times only when both are typed, and both or neither have an offset; the server compares all. */
function ordered(low: Field, order: string, high: Field, ...exemptions: object[]): Constraint {
  const untyped = { 'sh:not': { 'sh:datatype': 'xsd:dateTime' } }
  const [zoned, local] = [patterns.zoned, patterns.local].map((pattern) => ({ 'sh:pattern': pattern }))
  const incomparable =
    low.datatype === 'xsd:dateTime'
      ? [
          propertyShape(low, untyped),
          propertyShape(high, untyped),
          both(propertyShape(low, zoned), propertyShape(high, local)),
          both(propertyShape(low, local), propertyShape(high, zoned)),
        ]
      : []
  return either(propertyShape(low, { [order]: documentedIri(high.term.iri) }), ...incomparable, ...exemptions)
}

function both(...shapes: object[]): Constraint {
  return { 'sh:and': shapes }
}

/** `sh:disjoint` would compare terms instead of values: 9 and 9.0 are the same hour. */
function less(low: Field, high: Field): object {
  return propertyShape(low, { 'sh:lessThan': documentedIri(high.term.iri) })
}

function either(...shapes: object[]): Constraint {
  return { 'sh:or': shapes }
}

function propertyShape(field: Field, fact: Constraint): object {
  return { 'sh:property': [{ 'sh:path': documentedIri(field.term.iri), ...fact }] }
}

/** XPath has no `\u` escapes, so the characters themselves are written. */
function patternConstraint({ source, flags }: RegExp): Constraint {
  const unescaped = source.replace(/\\u([0-9a-f]{4})/g, (_, digits) => String.fromCharCode(Number.parseInt(digits, 16)))
  return { 'sh:pattern': unescaped, ...(flags && { 'sh:flags': flags }) }
}
