import type { BoundApi } from '../http/bound-api.ts'
import { prefixedTerms } from '../model/context.ts'
import { prefixHydraTermsDeep } from '../model/hydra-prefix.ts'
import type { Resource } from '../model/resource.ts'
import { describeClass } from './class-description.ts'
import { describeDocumentClass, documentClasses } from './document-classes.ts'
import { entrypointRead } from './entrypoint-read.ts'
import { languageMaps } from './language-maps.ts'
import { describeOperation, statusNodes } from './operation-description.ts'
import { shaclShapes } from './shacl.ts'
import { describeStream } from './stream-description.ts'

/** The Hydra ApiDocumentation: every class, property and operation (Hydra Core, §4.2). */
export function apiDocumentation(api: BoundApi): object {
  const terms = { ...api.contexts.definitions('Hydra'), ...api.contexts.definitions('ApiDocumentation') }
  const document = {
    '@context': [{ ...terms, ...(api.prefixed && prefixedTerms(terms)) }, base(api)],
    '@id': api.iris.at('/docs.jsonld'),
    '@type': 'ApiDocumentation',
    title: api.info.title,
    description: api.info.description,
    entrypoint: api.iris.at('/'),
    extension: ['http://www.w3.org/ns/shacl#'],
    supportedClass: [
      ...documentClasses(api).map((one) => describeDocumentClass(api, one)),
      ...api.classes.map((shape) => describeClass(api, shape)),
      entrypointClass(api),
    ],
    ...(api.streamed && { seeAlso: [describeStream(api)] }),
    defines: shaclShapes(api),
  }
  return api.prefixed ? (prefixHydraTermsDeep(document) as object) : document
}

/** Relative IRIs are fragments of the documentation, wherever a client has fetched it. */
function base(api: BoundApi): object {
  return {
    '@base': `${api.iris.publicUrl}/docs.jsonld`,
    '@vocab': api.vocabulary,
    domain: { '@id': 'rdfs:domain', '@type': '@id' },
    range: { '@id': 'rdfs:range', '@type': '@id' },
    subClassOf: { '@id': 'rdfs:subClassOf', '@type': '@id' },
    defines: { '@reverse': 'rdfs:isDefinedBy' },
  }
}

function entrypointClass(api: BoundApi): object {
  return {
    '@id': '#Entrypoint',
    '@type': 'Class',
    title: 'Entrypoint',
    description: api.labels.description(api.labels.defaultLanguage, 'Entrypoint'),
    ...languageMaps(api, 'Entrypoint'),
    supportedProperty: api.listed().map(([key, resource]) => describeCollection(api, key, resource)),
    supportedOperation: [
      {
        '@id': '#readEntrypoint',
        '@type': ['Operation', 'schema:FindAction'],
        method: 'GET',
        title: entrypointRead.title,
        description: entrypointRead.description,
        returns: '#Entrypoint',
        possibleStatus: statusNodes(entrypointRead.statuses),
      },
    ],
  }
}

/** A collection's link, both in the form that today's clients read and in that of Hydra's present draft. */
function describeCollection(api: BoundApi, key: string, resource: Resource): object {
  const plurals = api.labels.plurals(resource.name)
  const texts = Object.keys(plurals).length > 0 ? { labels: plurals } : {}
  const operations = resource.operations.filter(({ path }) => path === '')
  return {
    '@type': 'SupportedProperty',
    property: {
      '@id': `#Entrypoint/${key}`,
      '@type': 'Link',
      label: key,
      ...texts,
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
      supportedOperation: operations.map((operation) => describeOperation(api, resource, operation)),
    },
    title: key,
    description: `The collection of ${resource.name} resources`,
    required: false,
    readable: true,
    writeable: false,
    writable: false,
  }
}
