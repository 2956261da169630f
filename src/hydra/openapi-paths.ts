import { STATUS_CODES } from 'node:http'
import type { Api } from './api.ts'
import { readExamples } from './context.ts'
import { inputOf, sayings, statusesOf } from './described-operation.ts'
import { ref } from './document-schemas.ts'
import { inputTypes } from './endpoint.ts'
import { formats } from './formats.ts'
import { exampleId, inputSchema } from './json-schema.ts'
import { type Operation, tenantRoles } from './operation.ts'
import type { Resource } from './resource.ts'
import type { Field } from './shape.ts'

/** Every path of the table and of the entrypoint, with what each can be asked. */
export function pathsOf(api: Api): Record<string, object> {
  const paths: Record<string, Record<string, object>> = { '/': { get: readEntrypoint() } }
  for (const resource of api.resources)
    for (const operation of resource.operations) {
      const path = (resource.path + operation.path).replace(':id', '{id}')
      paths[path] = { ...paths[path], [operation.method.toLowerCase()]: operationObject(api, resource, operation) }
    }
  return paths
}

/** The parameters that many operations take, by the names that they are referred to with. */
export const parameters: Record<string, object> = {
  page: query('page', 'Which page, from 1.', { type: 'integer', minimum: 1, default: 1 }),
  itemsPerPage: query('itemsPerPage', 'How many a page; more than 100 is read as 100.', {
    type: 'integer',
    minimum: 0,
    maximum: 100,
    default: 30,
  }),
  properties: query('properties[]', 'Which properties to show; all unless said.', {
    type: 'array',
    items: { type: 'string' },
  }),
  ifMatch: header('If-Match', 'The ETag of the state that is meant; 412 where it is another by now.'),
  ifNoneMatch: header(
    'If-None-Match',
    'ETags of states that are not meant: where the present one is among them, 304 for a GET and 412 for a change.',
  ),
  idempotencyKey: header('Idempotency-Key', 'A key of the client’s own: sent again, it gets the same answer again.'),
}

function operationObject(api: Api, resource: Resource, operation: Operation): object {
  const { name, may, expects } = operation
  const { title, description } = sayings(resource, operation)
  const taken = parametersOf(api, resource, operation)
  return {
    operationId: name + resource.name,
    tags: [resource.name],
    summary: title,
    description,
    'x-roles': may ?? tenantRoles,
    ...(taken.length > 0 && { parameters: taken }),
    ...(expects && { requestBody: requestBody(api, resource, operation) }),
    responses: Object.fromEntries(
      statusesOf(operation).map((status) => [status, response(api, resource, operation, status)]),
    ),
    ...(may?.includes('anonymous') && { security: [] }),
  }
}

function parametersOf(api: Api, resource: Resource, { path, method, returns, members, statuses }: Operation): object[] {
  return [
    ...(path.includes(':id') ? [idOf(api, resource)] : []),
    ...(returns === 'collection' ? searchOf(api, members ? api.of(members).resource : resource) : []),
    ...(method === 'GET' || statuses.includes(412)
      ? ['ifMatch', 'ifNoneMatch'].map((name) => ({ $ref: `#/components/parameters/${name}` }))
      : []),
    ...(method === 'POST' ? [{ $ref: '#/components/parameters/idempotencyKey' }] : []),
  ]
}

function idOf(api: Api, { entity }: Resource): object {
  const column = api.shape(entity).metadata?.columns.find(({ propertyName }) => propertyName === 'id')
  const schema = { type: 'string', ...(column?.type === 'uuid' && { format: 'uuid' }) }
  const example = readExamples(entity.name).id ?? exampleId
  return { name: 'id', in: 'path', required: true, description: 'The last segment of its IRI.', schema, example }
}

/** What a collection can be narrowed and ordered by, as its own search has it. */
function searchOf(api: Api, { entity }: Resource): object[] {
  const { search, shape } = api.of(entity)
  const { variables, sortable } = search
  return [
    ...variables.map(({ name, property }) => {
      return query(name, narrows(name, property), filterSchema(name, shape.field.get(property)))
    }),
    ...sortable.map((name) => query(`order[${name}]`, `Orders by ${name}.`, { type: 'string', enum: ['asc', 'desc'] })),
    ...['page', 'itemsPerPage', 'properties'].map((name) => ({ $ref: `#/components/parameters/${name}` })),
  ]
}

const comparisons: Record<string, string> = {
  before: 'is at this time or earlier',
  strictly_before: 'is earlier than this time',
  after: 'is at this time or later',
  strictly_after: 'is later than this time',
  gt: 'is greater than this',
  gte: 'is this or greater',
  lt: 'is less than this',
  lte: 'is this or less',
  between: 'lies between two numbers, such as 1..9, both included',
}

/** What a filter takes; a day does where a date-time does. */
function filterSchema(name: string, field: Field | undefined): object {
  if (name.startsWith('exists[') || field?.datatype === 'xsd:boolean') return { type: 'boolean' }
  if (name.endsWith('[between]')) return { type: 'string', pattern: '^-?[0-9.]+\\.\\.-?[0-9.]+$', example: '1..9' }
  if (field?.datatype === 'xsd:integer') return { type: 'integer' }
  if (field?.datatype === 'xsd:dateTime' || field?.datatype === 'xsd:date')
    return { type: 'string', example: '2026-01-05' }
  const values = name === field?.name ? field.values : undefined
  return { type: 'string', ...(values && { enum: values }) }
}

/** What a filter finds, going by how it is written. */
function narrows(name: string, property: string): string {
  if (name === 'q') return 'Finds what has this text.'
  if (name.startsWith('exists[')) return `Finds what has a value of ${property} (true), or none (false).`
  const [, operator] = /\[(\w+)\]$/.exec(name) ?? []
  if (operator) return `Finds what has a ${property} that ${comparisons[operator]}.`
  return `Finds what has this ${property === 'schema:identifier' ? 'IRI' : property}; repeated as ${name}[] it finds any of them.`
}

function requestBody(api: Api, resource: Resource, operation: Operation): object {
  const input = inputOf(operation, resource.entity)
  const file = { type: 'object', properties: { file: { type: 'string', format: 'binary' } }, required: ['file'] }
  const isOwn = operation.expects === 'self'
  const schema = input && (isOwn ? inputSchema(api, api.shape(input), resource, operation) : ref(input.name))
  const encoding = operation.file && { encoding: { file: { contentType: operation.file.types.join(', ') } } }
  return {
    required: api.needsBody(operation, api.of(resource.entity)),
    content: Object.fromEntries(
      inputTypes(operation).map((type) => [
        type,
        { schema: type === 'text/turtle' ? { type: 'string' } : (schema ?? file), ...encoding },
      ]),
    ),
  }
}

function response(api: Api, resource: Resource, operation: Operation, status: number): object {
  const description = STATUS_CODES[status]
  if (status === 204 || status === 304) return { description }
  if (status >= 300) return problem(description, status === 422 ? ref('problem.violations') : ref('problem.error'))
  const { name } = operation.members ? api.of(operation.members).resource : resource
  const many = operation.returns === 'collection'
  return document(description, ref(many ? `${name}.collection` : name), many)
}

function readEntrypoint(): object {
  return {
    operationId: 'readEntrypoint',
    tags: ['Entrypoint'],
    summary: 'Shows where everything starts',
    description: 'The API Entrypoint.',
    responses: {
      200: document('OK', ref('jsonld.entrypoint')),
      304: { description: 'Not Modified' },
      ...Object.fromEntries(
        [406, 429, 503].map((status) => [status, problem(STATUS_CODES[status], ref('problem.error'))]),
      ),
    },
    security: [],
  }
}

/** In every format that documents are written in; what is no JSON has no schema to keep to. */
function document(description: string | undefined, schema: object, isTable = false): object {
  const types = formats.filter(({ tabular }) => isTable || !tabular).map(({ type }) => type)
  return {
    description,
    content: Object.fromEntries(
      types.map((type) => [type, { schema: type.endsWith('json') ? schema : { type: 'string' } }]),
    ),
  }
}

function problem(description: string | undefined, schema: object): object {
  return { description, content: { 'application/problem+json': { schema } } }
}

function query(name: string, description: string, schema: object): object {
  return { name, in: 'query', description, schema }
}

function header(name: string, description: string): object {
  return { name, in: 'header', description, schema: { type: 'string' } }
}
