import type { BoundApi } from '../http/bound-api.ts'
import { inputTypes } from '../http/read-request.ts'
import type { Role } from '../model/caller.ts'
import type { Term } from '../model/context.ts'
import type { Variable } from '../model/filter.ts'
import type { Operation } from '../model/operation.ts'
import type { Resource } from '../model/resource.ts'
import type { Field, Shape } from '../model/shape.ts'
import { isOwnTerm, isWritable, writersOf } from './class-description.ts'
import { classSchema } from './json-schema.ts'
import { inputOf, referenceSentence, statusesOf } from './operation-description.ts'

/** A class as a reference for people shows it. Its labels are in `Labels`. */
export interface ClassReference {
  /** Its name, which is its fragment in the documentation. */
  name: string
  /** The path of its resource; absent for a class that only bodies have. */
  path?: string
  operations: OperationReference[]
  fields: FieldReference[]
  /** The links of its items to operations, by the name of the link. */
  links: { name: string; fragment: string; operations: { fragment: string; method: string; path: string }[] }[]
  filters: FilterReference[]
  /** The properties that its collection can be ordered by. */
  order: string[]
}

export interface OperationReference {
  /** The names of its resource and of itself. */
  resource: string
  name: string
  /** Its fragment in the documentation. */
  fragment: string
  method: string
  path: string
  /** The class that its sentence names. */
  subject: string
  /** The sentence of the API reference. */
  sentence: string
  title: string
  description?: string
  /** The roles that may use it, beside `anonymous` and `guest`. */
  roles: Role[]
  /** Whether it needs no token. */
  isPublic: boolean
  /** Whether callers without a tenant may use it. */
  isForGuests: boolean
  statuses: number[]
  /** The class of its body. */
  input?: string
  /** The media types of its body. */
  bodyTypes: string[]
}

export interface FieldReference {
  name: string
  /** Its fragment in the documentation. */
  fragment: string
  required: boolean
  /** Its type in JSON Schema; absent for free-form JSON. */
  type?: string
  nullable: boolean
  format?: string
  /** The closed set of its values. */
  values?: string[]
  /** The class that it refers to, and whether it refers to several items. */
  target?: string
  isList: boolean
  isWritable: boolean
  /** The roles that may write it. */
  writers: Role[]
}

export interface FilterReference {
  /** The name of the parameter. */
  name: string
  property: string
  /** The comparison: `after`, `gt`, `exists`, `partial`, `q`. Absent where the value is compared as a whole. */
  operator?: string
}

/** Every class of the API, the resources first. */
export function referenceOf(api: BoundApi): ClassReference[] {
  const resources = new Map(api.resources.map((resource) => [resource.entity, resource]))
  const shapes = [...resources.keys()].map((type) => api.shape(type))
  const inputs = api.classes.filter((shape) => !resources.has(shape.class))
  return [...shapes, ...inputs].map((shape) => classReference(api, shape, resources.get(shape.class)))
}

function classReference(api: BoundApi, shape: Shape, resource: Resource | undefined): ClassReference {
  const { properties } = classSchema(api, shape) as { properties: Record<string, Schema> }
  const isListed = resource?.operations.some(({ returns, members }) => returns === 'collection' && !members)
  const search = resource && isListed ? api.of(resource.entity).search : undefined
  return {
    name: shape.name,
    path: resource?.path,
    operations: resource?.operations.map((operation) => operationReference(api, resource, operation)) ?? [],
    fields: shape.fields.map((field) => fieldReference(api, shape, field, resource, properties[field.name])),
    links: [...api.linksOf(shape.class)].map(([name, link]) => ({
      name,
      fragment: fragmentOf(shape, name, shape.links.get(name) as Term),
      operations: link.operations.map(({ method, ...operation }) => ({
        fragment: operation.name + link.resource.name,
        method,
        path: pathOf(link.resource, operation),
      })),
    })),
    filters: search?.variables.map((variable) => filterReference(variable, resource)) ?? [],
    order: search?.sortable ?? [],
  }
}

function operationReference(api: BoundApi, resource: Resource, operation: Operation): OperationReference {
  const { name, method, subject = resource.name, title, description, expects } = operation
  const { anonymous, guest } = api.roles
  return {
    resource: resource.name,
    name,
    fragment: name + resource.name,
    method,
    path: pathOf(resource, operation),
    subject,
    sentence: referenceSentence(operation, subject),
    title: title(resource.name),
    description,
    roles: api.permissions.rolesOf(operation).filter((role) => role !== anonymous && role !== guest),
    isPublic: api.permissions.isPublic(operation),
    isForGuests: api.permissions.isForGuests(operation),
    statuses: statusesOf(api, operation),
    input: inputOf(operation, resource.entity)?.name,
    bodyTypes: expects ? inputTypes(operation) : [],
  }
}

/** The fragment of a property. A term of a public vocabulary is explained below each class that has it. */
function fragmentOf({ name: type }: Shape, name: string, term: Term): string {
  return isOwnTerm(term) ? term.iri : `${type}/${name}`
}

function pathOf(resource: Resource, { path }: Pick<Operation, 'path'>): string {
  return (resource.path + path).replace(':id', '{id}')
}

interface Schema {
  type?: string | string[]
  format?: string
}

function fieldReference(
  api: BoundApi,
  shape: Shape,
  field: Field,
  resource: Resource | undefined,
  { type, format }: Schema,
): FieldReference {
  const { name, required, target, kind, list, values } = field
  const types = [type ?? []].flat()
  return {
    name,
    fragment: fragmentOf(shape, name, field.term),
    required,
    type: types.find((one) => one !== 'null'),
    nullable: types.includes('null'),
    format,
    values,
    target: target?.name,
    isList: kind === 'references' || list,
    isWritable: isWritable(api, shape, field, resource),
    writers: writersOf(api, shape, field, resource),
  }
}

function filterReference({ name, property }: Variable, resource: Resource | undefined): FilterReference {
  const [, comparison] = /\[(\w+)\]$/.exec(name) ?? []
  const isPartial = [resource?.options.filters?.[name]].flat().includes('partial')
  const operator = isPartial ? 'partial' : name === 'q' ? 'q' : comparison
  return { name, property, operator: name.startsWith('exists[') ? 'exists' : operator }
}
