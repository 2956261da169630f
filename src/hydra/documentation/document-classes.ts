import type { BoundApi } from '../http/bound-api.ts'
import { languageMaps } from './language-maps.ts'

/** A class of documents that belong to no resource. */
export interface DocumentClass {
  name: string
  parent?: string
  properties: DocumentProperty[]
}

export interface DocumentProperty {
  name: string
  /** Its IRI as the documentation writes it. */
  iri: string
  range: string
  /** The class that has its label and its description. */
  of: string
  /** The closed set of its values. */
  values?: string[]
}

/** The members of RFC 9457, and Hydra's terms beside them. */
const error = propertiesOf('Error', [
  ['type', '#Error/type', 'xsd:anyURI'],
  ['title', 'hydra:title', 'xsd:string'],
  ['status', '#Error/status', 'xsd:integer'],
  ['detail', '#Error/detail', 'xsd:string'],
  ['description', 'hydra:description', 'xsd:string'],
  ['code', '#Error/code', 'xsd:string'],
])

const violations = propertiesOf('ConstraintViolation', [['violations', '#violations', 'xsd:array']])

const errorClasses: DocumentClass[] = [
  { name: 'Error', parent: 'hydra:Error', properties: error },
  { name: 'ConstraintViolation', parent: '#Error', properties: [...error, ...violations] },
  {
    name: 'Violation',
    properties: propertiesOf('Violation', [
      ['propertyPath', '#propertyPath', 'xsd:string'],
      ['message', '#message', 'xsd:string'],
      ['code', '#code', 'xsd:string'],
    ]),
  },
]

/** The data of an event of the stream. */
const change: DocumentClass = {
  name: 'Change',
  properties: [
    { name: 'type', iri: '#Change/type', range: 'xsd:string', of: 'Change', values: ['create', 'update', 'delete'] },
    ...propertiesOf('Change', [
      ['collection', '#Change/collection', 'xsd:anyURI'],
      ['version', '#Change/version', 'xsd:integer'],
    ]),
  ],
}

/** The classes of errors, and of the stream's events where changes are streamed. */
export function documentClasses({ streamed }: Pick<BoundApi, 'streamed'>): DocumentClass[] {
  return streamed ? [...errorClasses, change] : errorClasses
}

/** A class of documents in the Hydra documentation. */
export function describeDocumentClass(api: BoundApi, { name, parent, properties }: DocumentClass): object {
  return {
    '@id': `#${name}`,
    '@type': 'Class',
    title: name,
    description: api.labels.description(api.labels.defaultLanguage, name),
    ...languageMaps(api, name),
    ...(parent && { subClassOf: parent }),
    supportedProperty: properties.map((property) => describeProperty(api, name, property)),
    supportedOperation: [],
  }
}

function describeProperty(api: BoundApi, type: string, { name, iri, range, of, values }: DocumentProperty): object {
  const texts = languageMaps(api, of, name)
  const isOwn = iri.startsWith('#') && of === type
  return {
    '@type': 'SupportedProperty',
    property: { '@id': iri, '@type': 'rdf:Property', label: name, ...(isOwn && texts), domain: `#${type}`, range },
    title: name,
    ...texts,
    description: api.labels.description(api.labels.defaultLanguage, of, name),
    required: false,
    readable: true,
    writeable: false,
    writable: false,
    ...(values && { 'sh:path': iri, 'sh:in': values }),
  }
}

function propertiesOf(of: string, properties: [name: string, iri: string, range: string][]): DocumentProperty[] {
  return properties.map(([name, iri, range]) => ({ name, iri, range, of }))
}
