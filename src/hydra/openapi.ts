import type { Api } from './api.ts'
import { isWritable } from './documentation.ts'
import type { Resource } from './resource.ts'
import type { Field, Rule, Shape } from './shape.ts'

/** The schemas of every class in OpenAPI 3.1, where nullability and formats can be told. */
export function openapi(api: Api): object {
  return {
    openapi: '3.1.0',
    info: { title: 'Organization API', version: '1' },
    servers: [{ url: api.settings.publicUrl }],
    paths: {},
    components: { schemas: Object.fromEntries(api.classes.map((shape) => [shape.name, schemaOf(api, shape)])) },
  }
}

function schemaOf(api: Api, shape: Shape): object {
  const { fields } = shape
  const resource = api.resources.find(({ entity }) => entity === shape.class)
  const required = fields.filter((field) => field.required).map(({ name }) => name)
  return {
    type: 'object',
    properties: Object.fromEntries(fields.map((field) => [field.name, propertySchema(shape, field, resource)])),
    ...(required.length > 0 && { required }),
  }
}

function propertySchema(shape: Shape, field: Field, resource: Resource | undefined): object {
  const schema = typeSchema(field)
  return {
    ...schema,
    ...('type' in schema && field.nullable && { type: [schema.type, 'null'] }),
    ...('enum' in schema && field.nullable && { enum: [...(schema.enum as unknown[]), null] }),
    ...(!isWritable(shape, field, resource) && { readOnly: true }),
  }
}

const types: Record<string, object> = {
  'xsd:integer': { type: 'integer' },
  'xsd:boolean': { type: 'boolean' },
  'xsd:dateTime': { type: 'string', format: 'date-time' },
  'xsd:date': { type: 'string', format: 'date' },
}

function typeSchema({ kind, term, datatype, list, rules }: Field): object {
  const iri = { type: 'string', format: 'iri-reference' }
  if (kind === 'references') return { type: 'array', items: iri }
  if (kind === 'reference' || term.type === '@id') return iri
  const bounds = Object.assign({}, ...rules.filter(({ each }) => !each).map(bound))
  const each = Object.assign({}, ...rules.filter((rule) => rule.each).map(bound))
  if (list) return { type: 'array', items: datatype === null ? {} : { type: 'string', ...each }, ...bounds }
  if (datatype === null) return {}
  return { ...(types[datatype] ?? { type: 'string' }), ...bounds }
}

/** What a rule of class-validator says in JSON Schema. */
function bound({ name, arguments: [first, second] }: Rule): object {
  if (name === 'min') return { minimum: first }
  if (name === 'max') return { maximum: first }
  if (name === 'isLength') return { minLength: first, ...(second !== undefined && { maxLength: second }) }
  if (name === 'maxLength') return { maxLength: first }
  if (name === 'arrayMaxSize') return { maxItems: first }
  if (name === 'isIn') return { enum: first }
  if (name === 'matches') return { pattern: (first as RegExp).source }
  if (name === 'isEmail') return { format: 'email' }
  return {}
}
