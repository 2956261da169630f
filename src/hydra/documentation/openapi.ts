import type { BoundApi } from '../http/bound-api.ts'
import { collectionSchema, commonSchemas } from './document-schemas.ts'
import { classSchema } from './json-schema.ts'
import { commonParameters } from './openapi-parameters.ts'
import { pathsOf } from './openapi-paths.ts'
import { changeSchema, streamParameters } from './stream-description.ts'

/** The API as OpenAPI 3.1. The schema of a class has the name of the class; derived schemas have a dot in their names. */
export function openapi(api: BoundApi): object {
  const { publicUrl } = api.iris
  const { title, description, license } = api.info
  return {
    openapi: '3.1.0',
    info: {
      title,
      description,
      version: '1',
      ...(license && { license: { name: license, identifier: license } }),
      contact: { name: title, url: `${publicUrl}/docs` },
    },
    servers: [{ url: publicUrl }],
    security: [{ bearer: [] }],
    tags: [
      { name: 'Entrypoint', description: 'The first document, which leads to every collection.' },
      ...(api.streamed ? [{ name: 'Changes', description: 'Events when resources change.' }] : []),
      ...api.resources.map(({ name }) => ({
        name,
        description: api.labels.description(api.labels.defaultLanguage, name),
      })),
    ],
    paths: pathsOf(api),
    components: {
      schemas: {
        ...Object.fromEntries(api.classes.map((shape) => [shape.name, classSchema(api, shape)])),
        ...Object.fromEntries(
          api.resources
            .filter(({ operations }) => operations.some(({ returns }) => returns === 'collection'))
            .map((resource) => [`${resource.name}.collection`, collectionSchema(api, resource)]),
        ),
        ...commonSchemas(api),
        ...(api.streamed && { 'stream.change': changeSchema(api) }),
      },
      parameters: { ...commonParameters, ...(api.streamed && streamParameters) },
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
    },
    externalDocs: { description: 'The same as a Hydra ApiDocumentation', url: `${publicUrl}/docs.jsonld` },
  }
}
