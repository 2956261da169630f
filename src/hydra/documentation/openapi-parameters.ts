import type { BoundApi } from '../http/bound-api.ts'
import type { FilterKind, Variable } from '../model/filter.ts'
import type { Operation } from '../model/operation.ts'
import type { Resource } from '../model/resource.ts'
import type { Field, Shape } from '../model/shape.ts'
import { maxValues } from '../query/filters.ts'
import { maxItemsPerPage } from '../query/pagination.ts'
import { exampleOf, formatOf, iriOf } from './json-schema.ts'
import { instant } from './shacl-patterns.ts'

/** The parameters that many operations take, by the names that they are referred to with. */
export const parameters: Record<string, object> = {
  page: query('page', 'The number of the page, from 1.', { type: 'integer', minimum: 1, default: 1 }),
  itemsPerPage: itemsPerPage(maxItemsPerPage),
  properties: repeated('properties[]', 'The properties to show; all of them by default.', { type: 'string' }),
  ifMatch: header('If-Match', 'The ETag of the state that is meant; 412 when the state is another by now.'),
  ifNoneMatch: header(
    'If-None-Match',
    'ETags of states that are not meant: when the present state is among them, 304 for a GET and 412 for a change.',
  ),
  idempotencyKey: header('Idempotency-Key', 'A key of the client’s own: a repeated key gets the first answer again.'),
}

/** What an operation takes in its path, its query and its headers. */
export function parametersOf(
  api: BoundApi,
  resource: Resource,
  { path, method, returns, members, statuses }: Operation,
): object[] {
  return [
    ...(path.includes(':id') ? [idOf(api, resource)] : []),
    ...(returns === 'collection' ? searchOf(api, members ? api.of(members).resource : resource) : []),
    ...(method === 'GET' ? [common('properties')] : []),
    ...(method === 'GET' || statuses.includes(412) ? ['ifMatch', 'ifNoneMatch'].map(common) : []),
    ...(method === 'POST' ? [common('idempotencyKey')] : []),
  ]
}

function idOf(api: BoundApi, resource: Resource): object {
  const column = api.shape(resource.entity).metadata?.columns.find(({ propertyName }) => propertyName === 'id')
  const schema = { type: 'string', ...(column?.type === 'uuid' && { format: 'uuid' }) }
  const example = iriOf(api, resource).split('/').at(-1)
  return { name: 'id', in: 'path', required: true, description: 'The last segment of its IRI.', schema, example }
}

/** The filters and orders of a collection; a filter that takes several values has a list of them beside it. */
function searchOf(api: BoundApi, { entity, options: { filters = {}, most } }: Resource): object[] {
  const { search, shape } = api.of(entity)
  const isOf = ({ name }: Variable, kinds: FilterKind[]) => [filters[name]].flat().some((kind) => kinds.includes(kind))
  return [
    ...search.variables.flatMap((variable) => {
      const { name, maxValues: most = maxValues } = variable
      const schema = filterSchema(api, shape, variable)
      if (name.includes('[') || name === 'q') return [query(name, narrows(variable), schema)]
      const inAnyCase = isOf(variable, ['partial', 'caseless', 'upper', 'lower']) ? ', in any case' : ''
      const [one, any] = isOf(variable, ['partial'])
        ? [`with this text in ${name}`, `with any of these texts in ${name}`]
        : [`with this ${nameOf(variable)}`, `with any of these values of ${nameOf(variable)}`]
      return [
        query(name, `Finds items ${one}${inAnyCase}.`, schema),
        repeated(`${name}[]`, `Finds items ${any}${inAnyCase}.`, schema, most),
      ]
    }),
    ...search.sortable.map((name) =>
      query(`order[${name}]`, `Orders by ${name}.`, { type: 'string', enum: ['asc', 'desc'] }),
    ),
    common('page'),
    most ? itemsPerPage(most) : common('itemsPerPage'),
  ]
}

function itemsPerPage(most: number): object {
  const schema = { type: 'integer', minimum: 0, maximum: most, default: 30 }
  return query('itemsPerPage', `The number of items a page; more than ${most} is read as ${most}.`, schema)
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
const moment = {
  type: 'string',
  anyOf: [{ format: 'date-time' }, { format: 'date' }, { pattern: instant }],
  example: '2026-01-05',
}
const text = { type: 'string', maxLength: 255 }

const schemas: Record<string, object> = {
  'xsd:integer': { type: 'integer', format: 'int64', minimum: -999_999_999_999_999, maximum: 999_999_999_999_999 },
  'xsd:decimal': { type: 'string', format: 'decimal', pattern: `^${decimal}$` },
  'xsd:boolean': { type: 'boolean' },
  'xsd:dateTime': moment,
  'xsd:date': moment,
}

/** What one value of a filter is; a day does where a date-time does. */
function filterSchema(api: BoundApi, shape: Shape, { name, property }: Variable): object {
  const field = shape.field.get(property)
  if (name === 'id')
    return { type: 'string', format: 'iri-reference', example: iriOf(api, api.of(shape.class).resource) }
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

/** What a filter finds that takes one value, going by how it is written. */
function narrows({ name, property }: Variable): string {
  if (name === 'q') return 'Finds items that have each of these words in their texts.'
  if (name.startsWith('exists[')) return `Finds items that have a value of ${property} (true), or none (false).`
  const [, operator] = /\[(\w+)\]$/.exec(name) ?? []
  return `Finds items whose ${property} ${comparisons[operator as string]}.`
}

const nameOf = ({ name, property }: Variable) => (name === 'id' ? 'IRI or id' : property)

function common(name: string): object {
  return { $ref: `#/components/parameters/${name}` }
}

function query(name: string, description: string, schema: object): object {
  return { name, in: 'query', description, schema }
}

/** A list of values is its parameter repeated, with the brackets that PHP and its clients write. */
function repeated(name: string, description: string, items: object, maxItems?: number): object {
  const schema = { type: 'array', items, ...(maxItems !== undefined && { maxItems }) }
  return { name, in: 'query', description, style: 'form', explode: true, schema }
}

function header(name: string, description: string): object {
  return { name, in: 'header', description, schema: { type: 'string' } }
}
