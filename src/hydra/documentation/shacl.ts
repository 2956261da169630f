import type { BoundApi } from '../http/bound-api.ts'
import { documentedIri } from '../model/context.ts'
import type { Field, Shape } from '../model/shape.ts'
import { inputOf } from './operation-description.ts'
import { comparisonConstraints, ruleConstraints, valueConstraint, valueShapes } from './shacl-constraints.ts'

type NamedNode = Record<string, unknown> & { '@id': string }

/**
 * The SHACL shapes of POST bodies. A shape targets the class of the body and ignores unknown properties, as the server does.
 * A merge patch is not a graph, so it has no shape.
 */
export function shaclShapes(api: BoundApi): object[] {
  const expected = api.resources.flatMap(({ entity, operations }) =>
    operations
      .filter(({ method }) => method === 'POST')
      .flatMap((operation) => {
        const input = inputOf(operation, entity)
        return input ? [nodeShape(api.shape(input), operation.writes)] : []
      }),
  )
  return [...valueShapes, ...expected].map(withIris)
}

/** Gives every nested shape an IRI: a graph with many similar blank nodes cannot be canonicalized. */
function withIris(shape: NamedNode): NamedNode {
  const entries = Object.entries(shape).map(([key, value]) => [
    key,
    withIrisInside(`${shape['@id']}/${key.slice(3)}`, value),
  ])
  return Object.fromEntries(entries)
}

function withIrisInside(iri: string, value: unknown): unknown {
  if (Array.isArray(value))
    return value.map((item, index) => withIrisInside(`${iri}/${item['sh:name'] ?? index + 1}`, item))
  return typeof value === 'object' && value !== null ? withIris({ '@id': iri, ...value }) : value
}

function nodeShape(shape: Shape, writes: object | undefined): NamedNode {
  const fields = shape.fields.filter(({ name, writable }) => writable && (!writes || name in writes))
  const compared = fields.flatMap((field) => comparisonConstraints(shape, field))
  return {
    '@id': `#${shape.name}/shape`,
    '@type': 'sh:NodeShape',
    'sh:targetClass': `#${shape.name}`,
    'sh:property': fields.flatMap(propertyShapes),
    ...(compared.length > 0 && { 'sh:and': compared }),
  }
}

/** One shape for each property, and another where two rules need the same constraint. */
function propertyShapes(field: Field): object[] {
  const path = { 'sh:path': documentedIri(field.term.iri) }
  const [first, ...more] = ruleConstraints(field).reduce<Record<string, unknown>[]>(
    (shapes, constraint) => {
      const free = shapes.find((shape) => !Object.keys(constraint).some((key) => key in shape))
      if (free) Object.assign(free, constraint)
      else shapes.push({ ...path, ...constraint })
      return shapes
    },
    [{ ...path, 'sh:name': field.name, ...cardinality(field), ...valueConstraint(field) }],
  )
  return [first, ...more]
}

/** A graph has no null, so a required but nullable property has no minimum count. */
function cardinality({ required, nullable, list, kind, datatype }: Field): object {
  const many = kind === 'references' || (list && datatype !== null)
  return { ...(required && !nullable && { 'sh:minCount': 1 }), ...(!many && { 'sh:maxCount': 1 }) }
}
