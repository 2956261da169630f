import type { Api, LinkedOperations } from './api.ts'
import { documentedIri, readDescriptions, readParent, readRanges } from './context.ts'
import { describeOperation, inputOf } from './described-operation.ts'
import type { Class, Operation } from './operation.ts'
import type { Resource } from './resource.ts'
import type { Field, Shape } from './shape.ts'

/** A class as Hydra speaks of it: what its items have, what they link to, and what they can be asked (Hydra Core, §4.2). */
export function describeClass(api: Api, shape: Shape): object {
  const resource = api.resources.find(({ entity }) => entity === shape.class)
  const parent = readParent(shape.name)
  const ranges = readRanges(shape.name)
  const descriptions = readDescriptions(shape.name)
  return {
    '@id': `#${shape.name}`,
    '@type': 'Class',
    title: shape.name,
    ...(parent && { subClassOf: parent }),
    supportedProperty: [
      ...shape.fields.map((field) => ({
        ...describeField(shape, field, resource, ranges[field.name]),
        ...(descriptions[field.name] && { description: descriptions[field.name] }),
      })),
      ...[...api.linksOf(shape.class)].map(([name, link]) => describeLink(shape, name, link)),
    ],
    supportedOperation: resource
      ? itemOperations(resource).map((operation) => describeOperation(resource, operation))
      : [],
  }
}

/** What an item itself can be asked; its actions hang on its links. */
function itemOperations(resource: Resource): Operation[] {
  const item = resource.options.singleton ? '' : '/:id'
  return resource.operations.filter(({ path, method }) => path === item && method !== 'POST')
}

function describeField(shape: Shape, field: Field, resource: Resource | undefined, range?: string): object {
  const writable = isWritable(shape, field, resource)
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
    required: field.required,
    readable: resource !== undefined,
    writeable: writable,
    writable,
  }
}

/** Whether a property has a rule, and some operation takes it. */
export function isWritable(shape: Shape, field: Field, resource: Resource | undefined): boolean {
  const operations = resource?.operations ?? []
  return field.writable && (!resource || operations.some((operation) => writes(operation, field, shape.class)))
}

function writes(operation: Operation, { name }: Field, type: Class): boolean {
  return inputOf(operation, type) === type && (operation.writes === undefined || name in operation.writes)
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
