import { STATUS_CODES } from 'node:http'
import type { BoundApi } from '../http/bound-api.ts'
import { schemaRef } from './document-schemas.ts'
import { exampleIri } from './json-schema.ts'

const statuses = [400, 401, 403, 429, 503]

const description =
  `Server-sent events in the manner of the Mercure protocol. The data of an event is JSON of the schema "stream.change".
It names the resource that changed, which a client reads again with its own rights. An interrupted client sends the id of its last
event. It then gets what it missed within the last hour. An event "reload" says that the client must load its pages again.`.replaceAll(
    '\n',
    ' ',
  )

/** The parameters of the stream in OpenAPI; operations refer to them by name. */
export const streamParameters: Record<string, object> = {
  topic: {
    name: 'topic',
    in: 'query',
    required: true,
    description: 'The IRI of an item or of a collection, a URI template such as "/meetings/{id}", or "*" for all.',
    schema: { type: 'array', items: { type: 'string', maxLength: 500 }, minItems: 1, maxItems: 100 },
    style: 'form',
    explode: true,
    example: ['/meetings'],
  },
  lastEventID: {
    name: 'lastEventID',
    in: 'query',
    description: 'The id of the last event that the client has, where it cannot send the header "Last-Event-ID".',
    schema: { type: 'string' },
  },
}

/** The data of an event. */
export function changeSchema(api: BoundApi): object {
  const [resource] = api.resources
  const example = api.iris.at(resource.path)
  return {
    type: 'object',
    properties: {
      '@id': {
        type: 'string',
        format: 'iri-reference',
        description: 'The item, or a collection where many items changed.',
        example: exampleIri(api, resource),
      },
      type: { type: 'string', enum: ['create', 'update', 'delete'] },
      collection: { type: 'string', format: 'iri-reference', example },
      version: { type: 'integer', minimum: 1, description: 'The version of the item, with which its ETag begins.' },
    },
    required: ['@id', 'type', 'collection'],
  }
}

/** The operation that streams changes, in OpenAPI. */
export function streamOperation(api: BoundApi): object {
  const problem = { 'application/problem+json': { schema: schemaRef('problem.error') } }
  return {
    operationId: 'streamChanges',
    tags: ['Changes'],
    summary: 'Stream changes',
    description,
    'x-roles': api.roles.tenant,
    parameters: Object.keys(streamParameters).map((name) => ({ $ref: `#/components/parameters/${name}` })),
    responses: {
      200: {
        description: 'OK',
        content: {
          'text/event-stream': {
            schema: { type: 'string', contentMediaType: 'application/json', contentSchema: schemaRef('stream.change') },
          },
        },
      },
      ...Object.fromEntries(
        statuses.map((status) => [status, { description: STATUS_CODES[status], content: problem }]),
      ),
    },
  }
}
