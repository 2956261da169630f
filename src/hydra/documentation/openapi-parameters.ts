import type { BoundApi } from '../http/bound-api.ts'
import type { FilterKind, Variable } from '../model/filter.ts'
import type { Operation } from '../model/operation.ts'
import type { Resource } from '../model/resource.ts'
import type { Field, Shape } from '../model/shape.ts'
import { maxValues } from '../query/filters.ts'
import { maxItemsPerPage } from '../query/pagination.ts'
import { exampleIri, exampleOf, formatOf } from './json-schema.ts'
import { instant } from './shacl-patterns.ts'

/** The parameters that many operations share, by component name. */
export const commonParameters: Record<string, object> = {
  page: queryParameter('page', 'The page number, from 1.', { type: 'integer', minimum: 1, default: 1 }),
  itemsPerPage: itemsPerPage(maxItemsPerPage),
  properties: listParameter('properties[]', 'The properties to return; all by default.', { type: 'string' }),
  ifMatch: headerParameter('If-Match', 'The ETag of the expected state; 412 when the state has changed.'),
  ifNoneMatch: headerParameter(
    'If-None-Match',
    'ETags of known states. When the present state is one of them, a GET returns 304 and a change returns 412.',
  ),
  idempotencyKey: headerParameter(
    'Idempotency-Key',
    'A unique key that the client chooses; a repeated request with the same key gets the first response again.',
  ),
}

/** The path, query and header parameters of an operation. */
export function parametersOf(
  api: BoundApi,
  resource: Resource,
  { path, method, returns, members, statuses }: Operation,
): object[] {
  return [
    ...(path.includes(':id') ? [idOf(api, resource)] : []),
    ...(returns === 'collection' ? searchParameters(api, members ? api.of(members).resource : resource) : []),
    ...(method === 'GET' ? [parameterRef('properties')] : []),
    ...(method === 'GET' || statuses.includes(412) ? ['ifMatch', 'ifNoneMatch'].map(parameterRef) : []),
    ...(method === 'POST' ? [parameterRef('idempotencyKey')] : []),
  ]
}

function idOf(api: BoundApi, resource: Resource): object {
  const column = api.shape(resource.entity).metadata?.columns.find(({ propertyName }) => propertyName === 'id')
  const schema = { type: 'string', ...(column?.type === 'uuid' && { format: 'uuid' }) }
  const example = exampleIri(api, resource).split('/').at(-1)
  return { name: 'id', in: 'path', required: true, description: 'The last segment of the item’s IRI.', schema, example }
}

/** The filters and orders of a collection; a filter that accepts several values also has a list parameter. */
function searchParameters(api: BoundApi, { entity, options: { filters = {}, most } }: Resource): object[] {
  const { search, shape } = api.of(entity)
  const isOf = ({ name }: Variable, kinds: FilterKind[]) => [filters[name]].flat().some((kind) => kinds.includes(kind))
  return [
    ...search.variables.flatMap((variable) => {
      const { name, maxValues: most = maxValues } = variable
      const schema = filterSchema(api, shape, variable)
      if (name.includes('[') || name === 'q') return [queryParameter(name, filterDescription(variable), schema)]
      const inAnyCase = isOf(variable, ['partial', 'caseless', 'upper', 'lower']) ? ', in any case' : ''
      const [withOne, withAny] = isOf(variable, ['partial'])
        ? [`with this text in ${name}`, `with any of these texts in ${name}`]
        : [`with this ${nameOf(variable)}`, `with any of these values of ${nameOf(variable)}`]
      return [
        queryParameter(name, `Finds items ${withOne}${inAnyCase}.`, schema),
        listParameter(`${name}[]`, `Finds items ${withAny}${inAnyCase}.`, schema, most),
      ]
    }),
    ...search.sortable.map((name) =>
      queryParameter(`order[${name}]`, `Orders by ${name}.`, { type: 'string', enum: ['asc', 'desc'] }),
    ),
    parameterRef('page'),
    most ? itemsPerPage(most) : parameterRef('itemsPerPage'),
  ]
}

function itemsPerPage(most: number): object {
  const schema = { type: 'integer', minimum: 0, maximum: most, default: 30 }
  return queryParameter(
    'itemsPerPage',
    `The number of items per page; a number above ${most} counts as ${most}.`,
    schema,
  )
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

const integer = '-?[0-9]{1,15}'
const decimal = `${integer}(\\.[0-9]{1,6})?`
const dateOrDateTime = {
  type: 'string',
  anyOf: [{ format: 'date-time' }, { format: 'date' }, { pattern: instant }],
  example: '2026-01-05',
}
const text = { type: 'string', maxLength: 255 }

const schemas: Record<string, object> = {
  'xsd:integer': { type: 'integer', format: 'int64', minimum: -999_999_999_999_999, maximum: 999_999_999_999_999 },
  'xsd:decimal': { type: 'string', format: 'decimal', pattern: `^${decimal}$` },
  'xsd:boolean': { type: 'boolean' },
  'xsd:dateTime': dateOrDateTime,
  'xsd:date': dateOrDateTime,
}

/** The schema of one filter value; a date is accepted wherever a date-time is. */
function filterSchema(api: BoundApi, shape: Shape, { name, property }: Variable): object {
  const field = shape.field.get(property)
  if (name === 'id')
    return { type: 'string', format: 'iri-reference', example: exampleIri(api, api.of(shape.class).resource) }
  if (name.startsWith('exists[')) return { type: 'boolean' }
  if (name.endsWith('[between]')) return interval(field)
  if (field?.target) return { type: 'string', format: 'iri-reference', example: exampleOf(api, field) }
  const values = field?.values && { type: 'string', enum: field.values }
  return values ?? schemas[field?.datatype ?? ''] ?? { ...text, ...(field && formatOf(field)) }
}

function interval(field: Field | undefined): object {
  const number = field?.datatype === 'xsd:integer' ? integer : decimal
  return { type: 'string', pattern: `^${number}\\.\\.${number}$`, example: '1..9' }
}

/** The description of a filter with a single value, by the form of its name. */
function filterDescription({ name, property }: Variable): string {
  if (name === 'q') return 'Finds items whose texts contain each of these words.'
  if (name.startsWith('exists[')) return `Finds items that have a value of ${property} (true), or none (false).`
  const [, operator] = /\[(\w+)\]$/.exec(name) ?? []
  return `Finds items whose ${property} ${comparisons[operator as string]}.`
}

const nameOf = ({ name, property }: Variable) => (name === 'id' ? 'IRI or id' : property)

function parameterRef(name: string): object {
  return { $ref: `#/components/parameters/${name}` }
}

function queryParameter(name: string, description: string, schema: object): object {
  return { name, in: 'query', description, schema }
}

/** A list parameter repeats its name with brackets, as PHP and its clients write it. */
function listParameter(name: string, description: string, items: object, maxItems?: number): object {
  const schema = { type: 'array', items, ...(maxItems !== undefined && { maxItems }) }
  return { name, in: 'query', description, style: 'form', explode: true, schema }
}

function headerParameter(name: string, description: string): object {
  return { name, in: 'header', description, schema: { type: 'string' } }
}
