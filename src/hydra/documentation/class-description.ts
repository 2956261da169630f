import type { BoundApi } from '../http/bound-api.ts'
import type { LinkedOperations } from '../model/api-model.ts'
import type { Role } from '../model/caller.ts'
import { documentedIri, type Term } from '../model/context.ts'
import type { Operation } from '../model/operation.ts'
import type { Resource } from '../model/resource.ts'
import type { Field, Shape } from '../model/shape.ts'
import { languageMaps } from './language-maps.ts'
import { describeOperation, joinRoles } from './operation-description.ts'

/** A class in the Hydra documentation: its properties, links and operations (Hydra Core, §4.2). */
export function describeClass(api: BoundApi, shape: Shape): object {
  const resource = api.resources.find(({ entity }) => entity === shape.class)
  const { subClassOf, range: ranges = {} } = api.contexts.read(shape.name)
  const about = api.labels.description(api.labels.defaultLanguage, shape.name)
  return {
    '@id': `#${shape.name}`,
    '@type': 'Class',
    title: shape.name,
    ...(about && { description: about }),
    ...languageMaps(api, shape.name),
    ...(subClassOf && { subClassOf }),
    supportedProperty: [
      ...shape.fields.map((field) => describeField(api, shape, field, resource, ranges[field.name])),
      ...[...api.linksOf(shape.class)].map(([name, link]) => describeLink(api, shape, name, link)),
    ],
    supportedOperation: resource
      ? itemOperations(resource).map((operation) => describeOperation(api, resource, operation))
      : [],
  }
}

/** The operations of an item's own path; those of its links are described with the links. */
function itemOperations(resource: Resource): Operation[] {
  const item = resource.options.singleton ? '' : '/:id'
  return resource.operations.filter(({ path, method }) => path === item && method !== 'POST')
}

function describeField(
  api: BoundApi,
  shape: Shape,
  field: Field,
  resource: Resource | undefined,
  range?: string,
): object {
  const writable = isWritable(api, shape, field, resource)
  const writers = writersOf(api, shape, field, resource)
  const description = api.labels.description(api.labels.defaultLanguage, shape.name, field.name)
  const texts = languageMaps(api, shape.name, field.name)
  const fullDescription = [description, writersSentence(api, writers)].filter(Boolean).join(' ')
  return {
    '@type': 'SupportedProperty',
    property: {
      '@id': documentedIri(field.term.iri),
      '@type': field.target ? 'Link' : 'rdf:Property',
      label: field.name,
      ...(isOwnTerm(field.term) && texts),
      domain: `#${shape.name}`,
      ...(range ? { range } : rangeOf(field)),
      ...(field.kind === 'reference' && { 'owl:maxCardinality': 1 }),
    },
    title: field.name,
    ...texts,
    ...(fullDescription && { description: fullDescription }),
    required: field.required,
    readable: resource !== undefined,
    writeable: writable,
    writable,
    ...(writers.length > 0 && { writableBy: writers }),
    ...(field.values && { 'sh:path': documentedIri(field.term.iri), 'sh:in': field.values }),
  }
}

/** Whether some operation accepts the property from a role of a tenant: the same documentation is for all roles. */
export function isWritable(api: BoundApi, shape: Shape, field: Field, resource: Resource | undefined): boolean {
  if (!resource) return field.writable
  return field.writable && writersOf(api, shape, field, resource).some((role) => api.roles.tenant.includes(role))
}

/** The roles that may write a property with some operation. */
export function writersOf(
  api: BoundApi,
  { class: type }: Shape,
  { name, writable }: Field,
  resource: Resource | undefined,
): Role[] {
  const writers = (resource?.operations ?? []).flatMap((operation) => {
    const { writes, clears = {}, expects } = operation
    if (expects !== 'self' && expects !== type) return []
    if (!writable && !(name in clears)) return []
    return api.permissions.rolesOf(operation).filter((role) => writes === undefined || writes[name]?.includes(role))
  })
  return api.roles.all.filter((role) => writers.includes(role))
}

/** A sentence with the roles that may write a property; undefined when every member may. */
export function writersSentence(api: BoundApi, writers: Role[]): string | undefined {
  return writers.length > 0 && !api.roles.tenant.every((role) => writers.includes(role))
    ? `Written by ${joinRoles(api, writers)}.`
    : undefined
}

function describeLink(api: BoundApi, shape: Shape, name: string, { resource, operations }: LinkedOperations): object {
  const get = operations.find(({ method }) => method === 'GET')
  const term = shape.links.get(name) as Term
  const texts = languageMaps(api, shape.name, name)
  const description = api.labels.description(api.labels.defaultLanguage, shape.name, name)
  return {
    '@type': 'SupportedProperty',
    property: {
      '@id': documentedIri(term.iri),
      '@type': 'Link',
      label: name,
      ...(isOwnTerm(term) && texts),
      domain: `#${shape.name}`,
      ...(get && { range: get.returns === 'collection' ? 'hydra:Collection' : `#${resource.name}` }),
      'owl:maxCardinality': 1,
      supportedOperation: operations.map((operation) => describeOperation(api, resource, operation)),
    },
    title: name,
    ...texts,
    ...(description && { description }),
    required: false,
    readable: get !== undefined,
    writeable: false,
    writable: false,
  }
}

/** Whether a term is of this API. A term of a public vocabulary has different labels in different classes. */
export function isOwnTerm({ iri }: Term): boolean {
  return !iri.includes(':')
}

function rangeOf({ target, datatype, term, list }: Field): object {
  if (target) return { range: `#${target.name}` }
  if (list) return { range: 'xsd:array' }
  if (term.type === '@id') return { range: 'rdfs:Resource' }
  return { range: datatype ?? 'rdf:JSON' }
}
