import { STATUS_CODES } from 'node:http'
import type { BoundApi } from '../http/bound-api.ts'
import { streamPath } from '../http/streams/stream-routes.ts'
import { schemaRef } from './document-schemas.ts'
import { exampleIri } from './json-schema.ts'
import { joinRoles, statusNodes } from './operation-description.ts'

const description =
  `Server-sent events in the manner of the Mercure protocol. The parameter "topic" is required, and may be repeated: the IRI of an
item or of a collection, a URI template such as "/meetings/{id}", or "*" for all. An interrupted client sends the id of its last event
in the header "Last-Event-ID", or in the parameter "lastEventID". It then gets what it missed within the last hour. An event "reload"
says that the client must load its pages again.`.replaceAll('\n', ' ')

/** The operation that streams changes, as every documentation describes it. */
export const streamOperation = {
  name: 'stream',
  fragment: 'streamChanges',
  path: streamPath,
  title: 'Stream changes',
  sentence: 'Streams the changes of resources.',
  description,
  statuses: [200, 400, 401, 403, 429, 503],
}

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
  lastEventIdHeader: {
    name: 'Last-Event-ID',
    in: 'header',
    description: 'The id of the last event that the client has. Browsers send it when they connect again.',
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

/** The stream in the Hydra documentation: a resource with one operation. */
export function describeStream(api: BoundApi): object {
  const { fragment, path, title, sentence, statuses } = streamOperation
  return {
    '@id': api.iris.at(path),
    '@type': 'Resource',
    title: 'Changes',
    description: sentence,
    operation: [
      {
        '@id': `#${fragment}`,
        '@type': ['Operation', 'schema:FindAction'],
        method: 'GET',
        roles: api.roles.tenant,
        title,
        description: fullDescription(api),
        expectsHeader: [{ headerName: 'Last-Event-ID' }],
        returns: '#Change',
        possibleStatus: statusNodes(statuses),
      },
    ],
  }
}

function fullDescription(api: BoundApi): string {
  return `${streamOperation.sentence} ${description} For ${joinRoles(api, api.roles.tenant)}.`
}

/** The operation that streams changes, in OpenAPI. */
export function streamPathItem(api: BoundApi): object {
  const { fragment, title, statuses } = streamOperation
  const problem = { 'application/problem+json': { schema: schemaRef('problem.error') } }
  const [, ...failures] = statuses
  return {
    operationId: fragment,
    tags: ['Changes'],
    summary: title,
    description: fullDescription(api),
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
        failures.map((status) => [status, { description: STATUS_CODES[status], content: problem }]),
      ),
    },
  }
}
