import type { Api } from './api.ts'
import { collectionSchema, commonSchemas } from './document-schemas.ts'
import { classSchema } from './json-schema.ts'
import { parameters, pathsOf } from './openapi-paths.ts'

/** The API for clients that speak OpenAPI 3.1; classes have plain names among its schemas, what is made of them a dot. */
export function openapi(api: Api): object {
  const { publicUrl } = api.settings
  return {
    openapi: '3.1.0',
    info: {
      title: 'Organization API',
      description: 'Organizations of service companies: their configuration, people, meetings and billing.',
      version: '1',
    },
    servers: [{ url: publicUrl }],
    security: [{ bearer: [] }],
    tags: ['Entrypoint', ...api.resources.map(({ name }) => name)].map((name) => ({ name })),
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
      },
      parameters,
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
    },
    externalDocs: { description: 'The same as a Hydra ApiDocumentation', url: `${publicUrl}/docs.jsonld` },
  }
}
