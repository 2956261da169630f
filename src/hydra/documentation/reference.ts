import type { BoundApi } from '../http/bound-api.ts'
import { inputTypes } from '../http/read-request.ts'
import type { Term } from '../model/context.ts'
import type { Variable } from '../model/filter.ts'
import type { Operation } from '../model/operation.ts'
import type { Resource } from '../model/resource.ts'
import type { Field, Shape } from '../model/shape.ts'
import { isOwnTerm, isWritable, writersOf } from './class-description.ts'
import type { ClassReference, FieldReference, FilterReference, OperationReference } from './class-reference.ts'
import { documentReference } from './document-reference.ts'
import { classSchema } from './json-schema.ts'
import { inputOf, referenceSentence, statusesOf } from './operation-description.ts'

/** Every class of the API: the resources, then the classes of bodies, then those of other documents. */
export function referenceOf(api: BoundApi): ClassReference[] {
  const resources = new Map(api.resources.map((resource) => [resource.entity, resource]))
  const shapes = [...resources.keys()].map((type) => api.shape(type))
  const inputs = api.classes.filter((shape) => !resources.has(shape.class))
  const described = [...shapes, ...inputs].map((shape) => classReference(api, shape, resources.get(shape.class)))
  return [...described, ...documentReference(api)]
}

function classReference(api: BoundApi, shape: Shape, resource: Resource | undefined): ClassReference {
  const { properties } = classSchema(api, shape) as { properties: Record<string, Schema> }
  const isListed = resource?.operations.some(({ returns, members }) => returns === 'collection' && !members)
  const search = resource && isListed ? api.of(resource.entity).search : undefined
  return {
    name: shape.name,
    kind: resource ? 'resource' : 'input',
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
    textsOf: shape.name,
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
