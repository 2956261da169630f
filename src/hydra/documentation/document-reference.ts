import type { BoundApi } from '../http/bound-api.ts'
import type { ClassReference, FieldReference, OperationReference } from './class-reference.ts'
import { type DocumentClass, type DocumentProperty, documentClasses } from './document-classes.ts'
import { entrypointRead } from './entrypoint-read.ts'
import { streamOperation } from './stream-description.ts'

/** The classes of documents that belong to no resource, as a reference for people shows them. */
export function documentReference(api: BoundApi): ClassReference[] {
  const fragments = new Set<string>()
  const fieldsOf = ({ name: type, properties }: DocumentClass) =>
    properties.map((property) => {
      const field = fieldReference(type, property, fragments)
      fragments.add(field.fragment)
      return field
    })
  return [
    { ...empty, name: 'Entrypoint', operations: [readReference(api)], links: collectionLinks(api) },
    ...documentClasses(api).map((one) => ({
      ...empty,
      name: one.name,
      fields: fieldsOf(one),
      operations: one.name === 'Change' ? [streamReference(api)] : [],
    })),
  ]
}

const empty = { kind: 'document' as const, fields: [], links: [], filters: [], order: [] }

/** The types of JSON Schema, by the range of a property. */
const types: Record<string, { type: string; format?: string }> = {
  'xsd:string': { type: 'string' },
  'xsd:anyURI': { type: 'string', format: 'iri-reference' },
  'xsd:integer': { type: 'integer' },
  'xsd:array': { type: 'array' },
}

/** A property of several classes has its own fragment in the first of them. */
function fieldReference(
  type: string,
  { name, iri, range, of, values }: DocumentProperty,
  fragments: Set<string>,
): FieldReference {
  const own = iri.startsWith('#') ? iri.slice(1) : undefined
  return {
    ...{ name, values, ...types[range] },
    fragment: own !== undefined && !fragments.has(own) ? own : `${type}/${name}`,
    textsOf: of,
    required: false,
    nullable: false,
    target: name === 'violations' ? 'Violation' : undefined,
    isList: range === 'xsd:array',
    isWritable: false,
    writers: [],
  }
}

function collectionLinks(api: BoundApi): ClassReference['links'] {
  return api.listed().map(([key, resource]) => ({
    name: key,
    fragment: `Entrypoint/${key}`,
    collectionOf: resource.name,
    operations: resource.operations
      .filter(({ path }) => path === '')
      .map(({ name, method }) => ({ fragment: name + resource.name, method, path: resource.path })),
  }))
}

const documentOperation = { method: 'GET', bodyTypes: [], isForGuests: false }

function readReference({ roles }: BoundApi): OperationReference {
  const { description: sentence, ...operation } = entrypointRead
  const about = { resource: 'Entrypoint', subject: 'Entrypoint', sentence }
  return { ...documentOperation, ...operation, ...about, roles: roles.tenant, isPublic: true }
}

function streamReference({ roles }: BoundApi): OperationReference {
  const about = { resource: 'Change', subject: 'Change' }
  return { ...documentOperation, ...streamOperation, ...about, roles: roles.tenant, isPublic: false }
}
