import type { Api } from './api.ts'
import { readDescriptions, readExamples } from './context.ts'
import { isWritable, writersOf, writtenBy } from './described-class.ts'
import type { Operation } from './operation.ts'
import type { Resource } from './resource.ts'
import type { Field, Rule, Shape } from './shape.ts'

/** The id of the first row of each class in the demo, so that examples can be tried there. */
export const exampleId = '019b8a6c-4000-7000-8000-000000000001'

/** A class as JSON Schema, where nullability and formats can be told. */
export function classSchema(api: Api, shape: Shape): object {
  const { fields } = shape
  const resource = api.resources.find(({ entity }) => entity === shape.class)
  return objectOf(
    fields,
    (field) => {
      const writers = writersOf(shape, field, resource)
      return {
        ...described(api, shape, resource)(field),
        ...(!isWritable(shape, field, resource) && { readOnly: true }),
        ...(writers.length > 0 && { 'x-writable-by': writers }),
      }
    },
    fields.filter((field) => field.required),
  )
}

/** What an operation takes: the properties that it writes, all of them optional in a merge patch. */
export function inputSchema(
  api: Api,
  shape: Shape,
  resource: Resource,
  { method, writes, clears = {} }: Operation,
): object {
  const fields = shape.fields.filter(
    ({ name, writable }) => (writable && (writes === undefined || name in writes)) || name in clears,
  )
  return objectOf(
    fields,
    described(api, shape, resource),
    method === 'PATCH' ? [] : fields.filter(({ required }) => required),
  )
}

/** What every node of JSON-LD says of itself, and what documents are that are of no resource. */
export function commonSchemas(api: Api): Record<string, object> {
  const iri = { type: 'string', format: 'iri-reference', example: '/' }
  const text = { type: 'string' }
  const [[, { name, path }]] = api.listed()
  const node = {
    '@context': { ...iri, example: `/contexts/${name}` },
    '@id': { ...iri, example: `${path}/${exampleId}` },
    '@type': { ...text, example: name },
  }
  const error = api.spell({ title: text, description: text })
  const problem = { ...node, type: iri, status: { type: 'integer' }, detail: text, ...error }
  const coded = { ...problem, code: text }
  const violation = {
    type: 'object',
    properties: { propertyPath: text, message: text, code: text },
    required: ['propertyPath', 'message', 'code'],
  }
  const links = api.spell({ first: iri, last: iri, previous: iri, next: iri })
  return {
    'jsonld.node': { type: 'object', properties: node, required: ['@id', '@type'] },
    'jsonld.view': { type: 'object', properties: { '@id': iri, '@type': text, ...links } },
    'jsonld.entrypoint': {
      type: 'object',
      properties: {
        ...node,
        ...Object.fromEntries(api.listed().map(([key, resource]) => [key, { ...iri, example: resource.path }])),
        collection: { type: 'array', items: ref('jsonld.node') },
      },
    },
    'problem.error': { type: 'object', properties: coded, required: Object.keys(problem) },
    'problem.violations': {
      allOf: [
        ref('problem.error'),
        { type: 'object', properties: { violations: { type: 'array', items: violation } }, required: ['violations'] },
      ],
    },
  }
}

/** An item as it is answered: the node and its properties. */
export function itemSchema(name: string): object {
  return { allOf: [ref('jsonld.node'), ref(name)] }
}

/** A page of a collection, under the names that this API spells Hydra's terms with. */
export function collectionSchema(api: Api, { name }: Resource): object {
  const own = api.spell({
    totalItems: { type: 'integer', minimum: 0 },
    member: { type: 'array', items: itemSchema(name) },
    view: ref('jsonld.view'),
    search: { type: 'object' },
    memberAssertion: { type: 'object' },
  })
  const required = Object.keys(api.spell({ totalItems: 0, member: 0 }))
  return { allOf: [ref('jsonld.node'), { type: 'object', properties: own, required }] }
}

export function ref(name: string): object {
  return { $ref: `#/components/schemas/${name}` }
}

function objectOf(fields: Field[], schemaOf: (field: Field) => object, required: Field[]): object {
  return {
    type: 'object',
    properties: Object.fromEntries(fields.map((field) => [field.name, schemaOf(field)])),
    ...(required.length > 0 && { required: required.map(({ name }) => name) }),
  }
}

function described(api: Api, shape: Shape, resource: Resource | undefined): (field: Field) => object {
  const descriptions = readDescriptions(shape.name)
  const examples = readExamples(shape.name)
  return (field) => {
    const example = examples[field.name] ?? exampleOf(api, field)
    const said = [descriptions[field.name], writtenBy(writersOf(shape, field, resource))]
    const description = said.filter(Boolean).join(' ')
    return {
      ...propertySchema(field),
      ...(description && { description }),
      ...(example !== undefined && { example }),
    }
  }
}

/** The IRI of a row of the demo, of the class that a reference leads to. */
function exampleOf(api: Api, { target, kind, name, term }: Field): unknown {
  if (name === 'id') return exampleId
  if (!target) return term.type === '@id' ? '/' : undefined
  const { resource } = api.of(target)
  const iri = `${resource.path}/${readExamples(resource.name).id ?? exampleId}`
  return kind === 'references' ? [iri] : iri
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
}

function typeSchema({ kind, term, datatype, list, rules, values }: Field): object {
  const iri = { type: 'string', format: 'iri-reference' }
  if (kind === 'references') return { type: 'array', items: iri }
  if (kind === 'reference' || term.type === '@id') return iri
  const bounds = Object.assign({}, ...rules.filter(({ each }) => !each).map(bound))
  const each = Object.assign({}, ...rules.filter((rule) => rule.each).map(bound))
  if (list)
    return {
      type: 'array',
      items: datatype === null ? {} : { type: 'string', ...each, ...(values && { enum: values }) },
      ...bounds,
    }
  if (datatype === null) return {}
  return { ...(types[datatype] ?? { type: 'string' }), ...bounds, ...(values && { enum: values }) }
}

/** What a rule of class-validator says in JSON Schema. */
function bound({ name, arguments: [first, second] }: Rule): object {
  if (name === 'min') return { minimum: first }
  if (name === 'max') return { maximum: first }
  if (name === 'isLength') return { minLength: first, ...(second !== undefined && { maxLength: second }) }
  if (name === 'maxLength') return { maxLength: first }
  if (name === 'arrayMaxSize') return { maxItems: first }
  if (name === 'matches') return { pattern: (first as RegExp).source }
  if (name === 'isEmail')
    return { format: 'email', allOf: [first, second].map((pattern) => ({ pattern: (pattern as RegExp).source })) }
  return {}
}
