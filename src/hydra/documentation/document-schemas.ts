import type { BoundApi } from '../http/bound-api.ts'
import type { Resource } from '../model/resource.ts'

const iri = { type: 'string', format: 'iri-reference', example: '/' }
const text = { type: 'string' }

/** The schemas of documents that belong to no resource. */
export function commonSchemas(api: BoundApi): Record<string, object> {
  const entrypoint = Object.fromEntries(
    api.listed().map(([key, resource]) => [key, { ...iri, example: api.iris.at(resource.path) }]),
  )
  const error: ObjectSchema = {
    type: 'object',
    properties: {
      ...nodeSchema(api, 'Error', api.iris.at('/errors/404')).properties,
      ...{ type: iri, status: { type: 'integer' }, detail: text },
      ...api.spell({ title: text, description: text }),
      code: text,
    },
    required: [
      '@context',
      '@id',
      '@type',
      'type',
      'status',
      'detail',
      ...Object.keys(api.spell({ title: 0, description: 0 })),
    ],
  }
  const violation = {
    type: 'object',
    properties: { propertyPath: text, message: text, code: text },
    required: ['propertyPath', 'message', 'code'],
  }
  const collectionItem = {
    type: 'object',
    properties: { '@id': iri, '@type': text, ...api.spell({ memberAssertion: { type: 'object' } }) },
    required: ['@id', '@type'],
  }
  return {
    'jsonld.view': viewSchema(api),
    'jsonld.entrypoint': mergeSchemas(nodeSchema(api, 'Entrypoint', api.iris.at('/')), {
      properties: {
        '@type': { type: 'array', items: text, readOnly: true },
        ...entrypoint,
        ...api.spell({ collection: { type: 'array', items: collectionItem } }),
      },
      required: Object.keys(entrypoint),
    }),
    'problem.error': error,
    'problem.violations': mergeSchemas(error, {
      properties: { violations: { type: 'array', items: violation } },
      required: ['violations'],
    }),
  }
}

/** The schema of a collection's page; Hydra's terms are spelled as this API spells them. */
export function collectionSchema(api: BoundApi, { name, path }: Resource): object {
  const type = api.spell({ '@type': 'Collection' })['@type']
  const properties = api.spell({
    totalItems: { type: 'integer', minimum: 0 },
    member: { type: 'array', items: schemaRef(name) },
    view: schemaRef('jsonld.view'),
    search: { type: 'object' },
    memberAssertion: { type: 'object' },
  })
  return mergeSchemas(nodeSchema(api, name, api.iris.at(path), type), {
    properties,
    required: Object.keys(api.spell({ totalItems: 0, member: 0 })),
  })
}

function viewSchema(api: BoundApi): object {
  const links = api.spell({ first: iri, last: iri, previous: iri, next: iri })
  return { type: 'object', properties: { '@id': iri, '@type': text, ...links }, required: ['@id', '@type'] }
}

export interface ObjectSchema {
  type: 'object'
  properties: object
  required?: string[]
}

/** The keywords of a JSON-LD document. */
export function nodeSchema(api: BoundApi, context: string, id: string, type?: string): ObjectSchema {
  return {
    type: 'object',
    properties: {
      '@context': { ...iri, example: api.iris.at(`/contexts/${context}`), readOnly: true },
      '@id': { ...iri, example: id, readOnly: true },
      '@type': { ...text, ...(type && { const: type }), readOnly: true },
    },
    required: ['@id', '@type'],
  }
}

/** Merges two object schemas into one: many generators and parsers do not support `allOf`. */
export function mergeSchemas(one: ObjectSchema, other: Omit<ObjectSchema, 'type'>): ObjectSchema {
  return {
    type: 'object',
    properties: { ...one.properties, ...other.properties },
    required: [...new Set([...(one.required ?? []), ...(other.required ?? [])])],
  }
}

export function schemaRef(name: string): object {
  return { $ref: `#/components/schemas/${name}` }
}
