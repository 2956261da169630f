import type { BoundApi } from '../http/bound-api.ts'
import type { Operation } from '../model/operation.ts'
import type { Resource } from '../model/resource.ts'
import type { Rule } from '../model/rules.ts'
import type { Field, Shape } from '../model/shape.ts'
import { isWritable, writersOf, writersSentence } from './class-description.ts'
import { mergeSchemas, nodeSchema, type ObjectSchema } from './document-schemas.ts'
import { patternsOf } from './shacl-constraints.ts'
import { instant } from './shacl-patterns.ts'

/** A class as JSON Schema; the schema of a resource also has the JSON-LD keywords. */
export function classSchema(api: BoundApi, shape: Shape): object {
  const { name, fields } = shape
  const resource = api.resources.find(({ entity }) => entity === shape.class)
  const own = objectOf(
    fields,
    (field) => {
      const writers = writersOf(api, shape, field, resource)
      return {
        ...propertySchemas(api, shape, resource)(field),
        ...(!isWritable(api, shape, field, resource) && { readOnly: true }),
        ...(writers.length > 0 && { 'x-writable-by': writers }),
      }
    },
    fields.filter((field) => field.required),
  )
  Object.assign(own.properties, linkSchemas(api, shape))
  const about = api.labels.description(api.labels.defaultLanguage, name)
  return {
    ...(about && { description: about }),
    ...(resource
      ? mergeSchemas(
          nodeSchema(
            api,
            name,
            resource.options.singleton ? api.iris.at(resource.path) : exampleIri(api, resource),
            name,
          ),
          own,
        )
      : own),
  }
}

/** The links of an item to its operations; an item has a link while its state allows the operation. */
function linkSchemas(api: BoundApi, shape: Shape): Record<string, object> {
  const links = [...api.linksOf(shape.class)].map(([name, { resource, operations }]): [string, object] => {
    const description = operations.map(({ method, title }) => `${method}: ${title(resource.name)}.`).join(' ')
    const example = api.iris.at(resource.path + operations[0].path.replace(':id', api.options.exampleId))
    return [name, { type: 'string', format: 'uri-reference', description, example, readOnly: true }]
  })
  return Object.fromEntries(links)
}

/** The properties that an operation accepts; in a merge patch all of them are optional. */
export function inputSchema(
  api: BoundApi,
  shape: Shape,
  resource: Resource,
  { method, writes, clears = {} }: Operation,
): object {
  const fields = shape.fields.filter(
    ({ name, writable }) => (writable && (writes === undefined || name in writes)) || name in clears,
  )
  const schemaOf = propertySchemas(api, shape, resource)
  return objectOf(
    fields,
    (field) => (field.datatype === 'xsd:dateTime' ? withoutOffset(schemaOf(field)) : schemaOf(field)),
    method === 'PATCH' ? [] : fields.filter(({ required }) => required),
  )
}

/** Input also accepts a date-time without an offset, which the format `date-time` does not allow. */
function withoutOffset({ format, ...schema }: { format?: string }): object {
  return { ...schema, pattern: instant }
}

function objectOf(fields: Field[], schemaOf: (field: Field) => object, required: Field[]): ObjectSchema {
  return {
    type: 'object',
    properties: Object.fromEntries(fields.map((field) => [field.name, schemaOf(field)])),
    ...(required.length > 0 && { required: required.map(({ name }) => name) }),
  }
}

function propertySchemas(api: BoundApi, shape: Shape, resource: Resource | undefined): (field: Field) => object {
  const examples = api.contexts.read(shape.name).example ?? {}
  return (field) => {
    const example = examples[field.name] ?? exampleOf(api, field)
    const sentences = [
      api.labels.description(api.labels.defaultLanguage, shape.name, field.name),
      writersSentence(api, writersOf(api, shape, field, resource)),
    ]
    const description = sentences.filter(Boolean).join(' ')
    return {
      ...propertySchema(field),
      ...(description && { description }),
      ...(example !== undefined && { example }),
    }
  }
}

/** The IRI of a row in the demo data, of the class that a reference leads to. */
export function exampleOf(api: BoundApi, { target, kind, name, term }: Field): unknown {
  if (name === 'id') return api.options.exampleId
  if (!target) return term.type === '@id' ? api.iris.at('/') : undefined
  const example = exampleIri(api, api.of(target).resource)
  return kind === 'references' ? [example] : example
}

/** The IRI of a row in the demo data. */
export function exampleIri(api: BoundApi, { name, path }: Resource): string {
  return `${api.iris.at(path)}/${api.contexts.read(name).example?.id ?? api.options.exampleId}`
}

function propertySchema(field: Field): object {
  const schema = typeSchema(field)
  return {
    ...schema,
    ...('type' in schema && field.nullable && { type: [schema.type, 'null'] }),
    ...('enum' in schema && field.nullable && { enum: [...(schema.enum as unknown[]), null] }),
  }
}

const types: Record<string, object> = {
  'xsd:integer': { type: 'integer' },
  'xsd:boolean': { type: 'boolean' },
  'xsd:dateTime': { type: 'string', format: 'date-time' },
  'xsd:date': { type: 'string', format: 'date' },
  'xsd:decimal': { type: 'string', format: 'decimal' },
  'xsd:anyURI': { type: 'string', format: 'uri-reference' },
}

function typeSchema({ kind, term, datatype, list, rules, values }: Field): object {
  const iri = { type: 'string', format: 'iri-reference' }
  if (kind === 'references') return { type: 'array', items: iri }
  if (kind === 'reference' || term.type === '@id') return iri
  const bounds = Object.assign({}, ...rules.filter(({ each }) => !each).map(ruleSchema))
  const each = Object.assign({}, ...rules.filter((rule) => rule.each).map(ruleSchema))
  if (list)
    return {
      type: 'array',
      items: datatype === null ? {} : { type: 'string', ...each, ...(values && { enum: values }) },
      ...bounds,
    }
  if (datatype === null) return {}
  return { ...(types[datatype] ?? { type: 'string' }), ...bounds, ...(values && { enum: values }) }
}

/** The format of a text that a filter compares as a whole. */
export function formatOf({ datatype, rules }: Field): object {
  if (datatype === 'xsd:anyURI') return { format: 'uri-reference' }
  return rules.some(({ name }) => name === 'isEmail') ? { format: 'email' } : {}
}

/** A class-validator rule in JSON Schema. */
function ruleSchema({ name, arguments: given }: Rule): object {
  const [first, second] = given
  if (name === 'min') return { minimum: first }
  if (name === 'max') return { maximum: first }
  if (name === 'isLength') return { minLength: first, ...(second !== undefined && { maxLength: second }) }
  if (name === 'maxLength') return { maxLength: first }
  if (name === 'arrayMaxSize') return { maxItems: first }
  if (name !== 'isEmail' && name !== 'matches') return {}
  const patterns = patternsOf(given).map(({ source }) => ({ pattern: source }))
  return {
    ...(name === 'isEmail' && { format: 'email' }),
    ...(patterns.length > 1 ? { allOf: patterns } : patterns[0]),
  }
}
