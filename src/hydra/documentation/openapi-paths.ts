import { STATUS_CODES } from 'node:http'
import { formatsOf } from '../formats/format.ts'
import type { BoundApi } from '../http/bound-api.ts'
import { inputTypes } from '../http/read-request.ts'
import { streamPath } from '../http/streams/stream-routes.ts'
import type { Operation } from '../model/operation.ts'
import type { Resource } from '../model/resource.ts'
import { schemaRef } from './document-schemas.ts'
import { entrypointRead } from './entrypoint-read.ts'
import { inputSchema } from './json-schema.ts'
import { parametersOf } from './openapi-parameters.ts'
import { inputOf, operationTexts, statusesOf } from './operation-description.ts'
import { streamPathItem } from './stream-description.ts'

/** The paths of the entrypoint and of every resource, with their operations. */
export function pathsOf(api: BoundApi): Record<string, object> {
  const paths: Record<string, Record<string, object>> = {
    '/': { get: entrypointOperation(api) },
    ...(api.streamed && { [streamPath]: { get: streamPathItem(api) } }),
  }
  for (const resource of api.resources)
    for (const operation of resource.operations) {
      const path = (resource.path + operation.path).replace(':id', '{id}')
      paths[path] = { ...paths[path], [operation.method.toLowerCase()]: operationObject(api, resource, operation) }
    }
  return paths
}

function operationObject(api: BoundApi, resource: Resource, operation: Operation): object {
  const { name, expects } = operation
  const { title, description } = operationTexts(api, resource, operation)
  const parameters = parametersOf(api, resource, operation)
  return {
    operationId: name + resource.name,
    tags: [resource.name],
    summary: title,
    description,
    ...(operation.deprecated && { deprecated: true }),
    'x-roles': api.permissions.rolesOf(operation),
    ...(parameters.length > 0 && { parameters }),
    ...(expects && { requestBody: requestBody(api, resource, operation) }),
    responses: Object.fromEntries(
      statusesOf(api, operation).map((status) => [status, responseObject(api, resource, operation, status)]),
    ),
    ...(api.permissions.isPublic(operation) && { security: [] }),
  }
}

function requestBody(api: BoundApi, resource: Resource, operation: Operation): object {
  const input = inputOf(operation, resource.entity)
  const file = { type: 'object', properties: { file: { type: 'string', format: 'binary' } }, required: ['file'] }
  const isOwn = operation.expects === 'self'
  const schema = input && (isOwn ? inputSchema(api, api.shape(input), resource, operation) : schemaRef(input.name))
  const encoding = operation.file && { encoding: { file: { contentType: operation.file.types.join(', ') } } }
  return {
    required: api.needsBody(operation, api.shape(resource.entity)),
    content: Object.fromEntries(
      inputTypes(operation).map((type) => [
        type,
        { schema: type === 'text/turtle' ? { type: 'string' } : (schema ?? file), ...encoding },
      ]),
    ),
  }
}

function responseObject(api: BoundApi, resource: Resource, operation: Operation, status: number): object {
  const description = STATUS_CODES[status]
  if (status === 204 || status === 304) return { description }
  if (status >= 300)
    return problemResponse(description, status === 422 ? schemaRef('problem.violations') : schemaRef('problem.error'))
  const { name } = operation.members ? api.of(operation.members).resource : resource
  const many = operation.returns === 'collection'
  return documentResponse(api, description, schemaRef(many ? `${name}.collection` : name), many)
}

function entrypointOperation(api: BoundApi): object {
  return {
    operationId: entrypointRead.fragment,
    tags: ['Entrypoint'],
    summary: entrypointRead.title,
    description: entrypointRead.description,
    responses: {
      200: documentResponse(api, 'OK', schemaRef('jsonld.entrypoint')),
      304: { description: 'Not Modified' },
      ...Object.fromEntries(
        entrypointRead.statuses
          .slice(2)
          .map((status) => [status, problemResponse(STATUS_CODES[status], schemaRef('problem.error'))]),
      ),
    },
    security: [],
  }
}

/** A document in each of its formats; a format that is not JSON has no schema. */
function documentResponse(api: BoundApi, description: string | undefined, schema: object, tabular = false): object {
  const types = formatsOf(api, { tabular }).map(({ type }) => type)
  return {
    description,
    content: Object.fromEntries(
      types.map((type) => [type, { schema: type.endsWith('json') ? schema : { type: 'string' } }]),
    ),
  }
}

function problemResponse(description: string | undefined, schema: object): object {
  return { description, content: { 'application/problem+json': { schema } } }
}
