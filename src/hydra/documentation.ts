import type { Api, LinkedOperations } from './api.ts'
import { documentedIri, prefixedTerms, readDefinitions, readParent, readRanges } from './context.ts'
import { describeOperation, describeStatuses, inputOf } from './described-operation.ts'
import type { Class, Operation } from './operation.ts'
import type { Resource } from './resource.ts'
import type { Field, Shape } from './shape.ts'
import { shapes } from './shapes.ts'
import { prefixDeeply } from './spelling.ts'

/** The Hydra ApiDocumentation: every class, property and operation there is (Hydra Core, §4.2). */
export function documentation(api: Api): object {
  const terms = { ...readDefinitions('Hydra'), ...readDefinitions('ApiDocumentation') }
  const document = {
    '@context': [{ ...terms, ...(api.settings.prefix && prefixedTerms(terms)) }, base(api)],
    '@id': '/docs.jsonld',
    '@type': 'ApiDocumentation',
    title: 'Organization API',
    description: 'Organizations of service companies: their configuration, people, meetings and billing.',
    entrypoint: '/',
    extension: ['http://www.w3.org/ns/shacl#'],
    supportedClass: [...errorClasses(), ...api.classes.map((shape) => describeClass(api, shape)), entrypointClass(api)],
    defines: shapes(api),
  }
  return api.settings.prefix ? (prefixDeeply(document) as object) : document
}

/** Relative IRIs are fragments of the documentation, from wherever it was fetched. */
function base(api: Api): object {
  return {
    '@base': `${api.settings.publicUrl}/docs.jsonld`,
    '@vocab': api.vocabulary,
    domain: { '@id': 'rdfs:domain', '@type': '@id' },
    range: { '@id': 'rdfs:range', '@type': '@id' },
    subClassOf: { '@id': 'rdfs:subClassOf', '@type': '@id' },
    defines: { '@reverse': 'rdfs:isDefinedBy' },
  }
}

function describeClass(api: Api, shape: Shape): object {
  const resource = api.resources.find(({ entity }) => entity === shape.class)
  const parent = readParent(shape.name)
  const ranges = readRanges(shape.name)
  return {
    '@id': `#${shape.name}`,
    '@type': 'Class',
    title: shape.name,
    ...(parent && { subClassOf: parent }),
    supportedProperty: [
      ...shape.fields.map((field) => describeField(shape, field, resource, ranges[field.name])),
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

function entrypointClass(api: Api): object {
  return {
    '@id': '#Entrypoint',
    '@type': 'Class',
    title: 'Entrypoint',
    supportedProperty: api.listed().map(([key, resource]) => describeCollection(key, resource)),
    supportedOperation: [
      {
        '@id': '#readEntrypoint',
        '@type': ['Operation', 'schema:FindAction'],
        method: 'GET',
        title: 'Shows where everything starts',
        description: 'The API Entrypoint.',
        returns: '#Entrypoint',
        possibleStatus: describeStatuses([200, 304, 406, 429, 503]),
      },
    ],
  }
}

/** A collection, in the form that today's clients look for and in the one that Hydra's draft has now. */
function describeCollection(key: string, resource: Resource): object {
  const operations = resource.operations.filter(({ path }) => path === '')
  return {
    '@type': 'SupportedProperty',
    property: {
      '@id': `#Entrypoint/${key}`,
      '@type': 'Link',
      label: key,
      domain: '#Entrypoint',
      'owl:maxCardinality': 1,
      range: [
        { '@id': 'hydra:Collection' },
        {
          'owl:equivalentClass': {
            'owl:onProperty': { '@id': 'hydra:member' },
            'owl:allValuesFrom': { '@id': `#${resource.name}` },
          },
        },
      ],
      memberAssertion: { property: { '@id': 'rdf:type' }, object: { '@id': `#${resource.name}` } },
      supportedOperation: operations.map((operation) => describeOperation(resource, operation)),
    },
    title: key,
    description: `The collection of ${resource.name} resources`,
    required: false,
    readable: true,
    writeable: false,
    writable: false,
  }
}

function errorClasses(): object[] {
  const error = [
    ['type', '#Error/type', 'xsd:anyURI'],
    ['title', 'hydra:title', 'xsd:string'],
    ['status', '#Error/status', 'xsd:integer'],
    ['detail', '#Error/detail', 'xsd:string'],
    ['description', 'hydra:description', 'xsd:string'],
    ['code', '#code', 'xsd:string'],
  ]
  const violation = [
    ['propertyPath', '#propertyPath', 'xsd:string'],
    ['message', '#message', 'xsd:string'],
    ['code', '#code', 'xsd:string'],
  ]
  return [
    errorClass('Error', 'hydra:Error', error),
    errorClass('ConstraintViolation', '#Error', [...error, ['violations', '#violations', 'xsd:array']]),
    errorClass('Violation', undefined, violation),
  ]
}

function errorClass(name: string, parent: string | undefined, properties: string[][]): object {
  return {
    '@id': `#${name}`,
    '@type': 'Class',
    title: name,
    ...(parent && { subClassOf: parent }),
    supportedProperty: properties.map(([title, iri, range]) => ({
      '@type': 'SupportedProperty',
      property: { '@id': iri, '@type': 'rdf:Property', label: title, domain: `#${name}`, range },
      title,
      required: false,
      readable: true,
      writeable: false,
      writable: false,
    })),
    supportedOperation: [],
  }
}
