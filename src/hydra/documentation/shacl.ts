import type { BoundApi } from '../http/bound-api.ts'
import { documentedIri } from '../model/context.ts'
import type { Field, Shape } from '../model/shape.ts'
import { inputOf } from './operation-description.ts'
import { comparisons, facts, kindOf, kinds } from './shacl-constraints.ts'

type Named = Record<string, unknown> & { '@id': string }

/**
 * The SHACL shapes of what is posted. They find a body by its class, and pass over what they do not name, as the server does.
 * A merge patch is no graph, so it has none.
 */
export function shapes(api: BoundApi): object[] {
  const expected = api.resources.flatMap(({ entity, operations }) =>
    operations
      .filter(({ method }) => method === 'POST')
      .flatMap((operation) => {
        const input = inputOf(operation, entity)
        return input ? [nodeShape(api.shape(input), operation.writes)] : []
      }),
  )
  return [...kinds, ...expected].map(named)
}

/** Gives an IRI to every shape within a shape: a graph with many blank nodes that look alike cannot be canonicalised. */
function named(shape: Named): Named {
  const entries = Object.entries(shape).map(([key, value]) => [
    key,
    namedWithin(`${shape['@id']}/${key.slice(3)}`, value),
  ])
  return Object.fromEntries(entries)
}

function namedWithin(iri: string, value: unknown): unknown {
  if (Array.isArray(value))
    return value.map((item, index) => namedWithin(`${iri}/${item['sh:name'] ?? index + 1}`, item))
  return typeof value === 'object' && value !== null ? named({ '@id': iri, ...value }) : value
}

function nodeShape(shape: Shape, writes: object | undefined): Named {
  const fields = shape.fields.filter(({ name, writable }) => writable && (!writes || name in writes))
  const compared = fields.flatMap((field) => comparisons(shape, field))
  return {
    '@id': `#${shape.name}/shape`,
    '@type': 'sh:NodeShape',
    'sh:targetClass': `#${shape.name}`,
    'sh:property': fields.flatMap(propertyShapes),
    ...(compared.length > 0 && { 'sh:and': compared }),
  }
}

/** One for each property, and another where two rules would say the same thing of it. */
function propertyShapes(field: Field): object[] {
  const path = { 'sh:path': documentedIri(field.term.iri) }
  const [first, ...more] = facts(field).reduce<Record<string, unknown>[]>(
    (told, fact) => {
      const free = told.find((shape) => !Object.keys(fact).some((key) => key in shape))
      if (free) Object.assign(free, fact)
      else told.push({ ...path, ...fact })
      return told
    },
    [{ ...path, 'sh:name': field.name, ...counts(field), ...kindOf(field) }],
  )
  return [first, ...more]
}

/** A graph has no null: what must be given but may be null can be left out of it. */
function counts({ required, nullable, list, kind, datatype }: Field): object {
  const many = kind === 'references' || (list && datatype !== null)
  return { ...(required && !nullable && { 'sh:minCount': 1 }), ...(!many && { 'sh:maxCount': 1 }) }
}
