import type { BoundApi } from '../http/bound-api.ts'
import type { LinkedOperations } from '../model/api-model.ts'
import { type Role, roles } from '../model/caller.ts'
import { documentedIri, readAbout, readDescriptions, readParent, readRanges } from '../model/context.ts'
import { type Operation, tenantRoles } from '../model/operation.ts'
import type { Resource } from '../model/resource.ts'
import type { Field, Shape } from '../model/shape.ts'
import { describeOperation, joinRoles } from './operation-description.ts'

/** A class in the Hydra documentation: its properties, links and operations (Hydra Core, §4.2). */
export function describeClass(api: BoundApi, shape: Shape): object {
  const resource = api.resources.find(({ entity }) => entity === shape.class)
  const about = readAbout(shape.name)
  const parent = readParent(shape.name)
  const ranges = readRanges(shape.name)
  const descriptions = readDescriptions(shape.name)
  return {
    '@id': `#${shape.name}`,
    '@type': 'Class',
    title: shape.name,
    ...(about && { description: about }),
    ...(parent && { subClassOf: parent }),
    supportedProperty: [
      ...shape.fields.map((field) =>
        describeField(shape, field, resource, { range: ranges[field.name], description: descriptions[field.name] }),
      ),
      ...[...api.linksOf(shape.class)].map(([name, link]) => describeLink(shape, name, link)),
    ],
    supportedOperation: resource
      ? itemOperations(resource).map((operation) => describeOperation(resource, operation))
      : [],
  }
}

/** The operations of an item's own path; those of its links are described with the links. */
function itemOperations(resource: Resource): Operation[] {
  const item = resource.options.singleton ? '' : '/:id'
  return resource.operations.filter(({ path, method }) => path === item && method !== 'POST')
}

function describeField(
  shape: Shape,
  field: Field,
  resource: Resource | undefined,
  { range, description }: { range?: string; description?: string },
): object {
  const writable = isWritable(shape, field, resource)
  const writers = writersOf(shape, field, resource)
  const fullDescription = [description, writersSentence(writers)].filter(Boolean).join(' ')
  return {
    '@type': 'SupportedProperty',
    property: {
      '@id': documentedIri(field.term.iri),
      '@type': field.target ? 'Link' : 'rdf:Property',
      label: field.name,
      domain: `#${shape.name}`,
      ...(range ? { range } : rangeOf(field)),
      ...(field.kind === 'reference' && { 'owl:maxCardinality': 1 }),
    },
    title: field.name,
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
export function isWritable(shape: Shape, field: Field, resource: Resource | undefined): boolean {
  if (!resource) return field.writable
  return field.writable && writersOf(shape, field, resource).some((role) => role !== 'operator')
}

/** The roles that may write a property with some operation. */
export function writersOf({ class: type }: Shape, { name, writable }: Field, resource: Resource | undefined): Role[] {
  const writers = (resource?.operations ?? []).flatMap(({ writes, clears = {}, may = tenantRoles, expects }) => {
    if (expects !== 'self' && expects !== type) return []
    if (!writable && !(name in clears)) return []
    return may.filter((role) => writes === undefined || writes[name]?.includes(role))
  })
  return roles.filter((role) => writers.includes(role))
}

/** A sentence with the roles that may write a property; undefined when every member may. */
export function writersSentence(writers: Role[]): string | undefined {
  return writers.length > 0 && !writers.includes('member') ? `Written by ${joinRoles(writers)}.` : undefined
}

function describeLink(shape: Shape, name: string, { resource, operations }: LinkedOperations): object {
  const get = operations.find(({ method }) => method === 'GET')
  return {
    '@type': 'SupportedProperty',
    property: {
      '@id': documentedIri(shape.links.get(name)?.iri as string),
      '@type': 'Link',
      label: name,
      domain: `#${shape.name}`,
      ...(get && { range: get.returns === 'collection' ? 'hydra:Collection' : `#${resource.name}` }),
      'owl:maxCardinality': 1,
      supportedOperation: operations.map((operation) => describeOperation(resource, operation)),
    },
    title: name,
    required: false,
    readable: get !== undefined,
    writeable: false,
    writable: false,
  }
}

function rangeOf({ target, datatype, term, list }: Field): object {
  if (target) return { range: `#${target.name}` }
  if (list) return { range: 'xsd:array' }
  if (term.type === '@id') return { range: 'rdfs:Resource' }
  return { range: datatype ?? 'rdf:JSON' }
}
