import { Validator } from '@seriousme/openapi-schema-validator'
import { classes, docs, type Operation, openapi, operations, schemas } from '../support/docs.ts'
import { rowsOf } from '../support/rows/sample-rows.ts'
import { openWorld } from '../support/world.ts'
import { endpoints } from './reference.ts'

const { api, as, publicUrl, tenant } = await openWorld()

interface Described {
  operationId: string
  tags: string[]
  summary: string
  description: string
  parameters?: { name?: string; in?: string; required?: boolean; $ref?: string }[]
  requestBody?: { required: boolean; content: Record<string, { schema: { required?: string[]; properties: object } }> }
  responses: Record<string, { description: string; content?: Record<string, { schema: object }> }>
  security?: object[]
}

const paths: Record<string, Record<string, Described>> = openapi.paths
const described = Object.entries(paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
)

function components(reference = ''): { name?: string } {
  return openapi.components.parameters[reference.split('/').at(-1) as string]
}

// biome-ignore lint/suspicious/noExplicitAny: tests read any member of JSON Schema
function resolved(schema: object): { properties: Record<string, any>; required?: string[] } {
  const { $ref } = schema as { $ref?: string }
  return $ref ? openapi.components.schemas[$ref.split('/').at(-1) as string] : (schema as never)
}

test('the document is OpenAPI 3.1 of this server', async () => {
  const { headers } = await as().get('/docs.jsonopenapi')
  expect(headers['content-type']).toBe('application/vnd.openapi+json; charset=utf-8')
  expect(openapi).toMatchObject({ openapi: '3.1.0', servers: [{ url: publicUrl }] })

  const validator = new Validator()
  expect(await validator.validate(structuredClone(openapi))).toEqual({ valid: true })
  expect(() => validator.resolveRefs()).not.toThrow()
})

test('every operation is described as in the Hydra documentation', () => {
  const all: Operation[] = [...operations, ...docs.seeAlso[0].operation]
  const known = new Map(all.map((operation) => [operation['@id'].slice(1), operation]))
  const ids = described.map(({ operation }) => operation.operationId)
  expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([])
  expect([...known.keys()].filter((id) => !ids.includes(id))).toEqual([])
  for (const { method, operation } of described) {
    const { title, description, possibleStatus } = known.get(operation.operationId) ?? {}
    if (!title) continue
    expect(operation).toMatchObject({ summary: title, description })
    expect(Object.keys(operation.responses)).toEqual(possibleStatus?.map(({ statusCode }) => `${statusCode}`))
    expect(known.get(operation.operationId)?.method.toLowerCase()).toBe(method)
  }
})

test.each(endpoints)('$method $path of the reference is documented', ({ method, path }) => {
  expect(paths[path]).toHaveProperty(method.toLowerCase())
})

test('path parameters are documented and required', () => {
  for (const { path, operation } of described) {
    const named = [...path.matchAll(/{(\w+)}/g)].map(([, name]) => name)
    const given = operation.parameters?.filter((parameter) => parameter.in === 'path') ?? []
    expect(given.map(({ name }) => name)).toEqual(named)
    expect(given.every(({ required }) => required)).toBe(true)
  }
})

test('the parameters of a collection are those of its search and its pages', async () => {
  for (const path of ['/meetings', '/locations', '/employees', '/countries']) {
    const { search } = (await api.get(path)).body
    const given = paths[path].get.parameters?.map(({ name, $ref }) => name ?? components($ref).name) ?? []
    const variables: string[] = search.mapping.map(({ variable }: { variable: string }) => decodeURIComponent(variable))
    expect(variables.filter((name) => !given.includes(name))).toEqual([])
    expect(given).toEqual(expect.arrayContaining(['page', 'itemsPerPage', 'properties[]']))
  }
})

const several = (items: object, maxItems = 100) => ({
  style: 'form',
  explode: true,
  schema: { type: 'array', items, maxItems },
})
const iri = { type: 'string', format: 'iri-reference', example: expect.stringMatching(/^\/[a-z-]+\/./) }
const text = { type: 'string', maxLength: 255 }
const local = { pattern: expect.stringMatching(/^\^/) }
const moment = {
  type: 'string',
  anyOf: [{ format: 'date-time' }, { format: 'date' }, local],
  example: '2026-01-05',
}
const whole = { type: 'integer', format: 'int64', minimum: -999_999_999_999_999, maximum: 999_999_999_999_999 }
const money = { type: 'string', format: 'decimal', pattern: '^-?[0-9]{1,15}(\\.[0-9]{1,6})?$' }

test.each<[path: string, name: string, described: object]>([
  ['/meetings', 'id', { schema: iri }],
  ['/meetings', 'id[]', several(iri)],
  ['/meetings', 'employee', { schema: iri }],
  ['/meetings', 'employee[]', several(iri)],
  ['/meetings', 'exists[employee]', { schema: { type: 'boolean' } }],
  ['/meetings', 'dateFrom[after]', { schema: moment }],
  ['/meetings', 'notes', { schema: text, description: 'Finds items with this text in notes, in any case.' }],
  ['/meetings', 'notes[]', several(text, 5)],
  ['/meetings', 'q', { schema: text }],
  ['/meetings', 'order[dateFrom]', { schema: { type: 'string', enum: ['asc', 'desc'] } }],
  ['/employees', 'active', { schema: { type: 'boolean' } }],
  ['/employees', 'active[]', several({ type: 'boolean' })],
  [
    '/employees',
    'email',
    { schema: { ...text, format: 'email' }, description: 'Finds items with this email, in any case.' },
  ],
  ['/locations', 'officeOpenHour[gte]', { schema: whole }],
  [
    '/locations',
    'officeOpenHour[between]',
    { schema: { type: 'string', pattern: '^-?[0-9]{1,15}\\.\\.-?[0-9]{1,15}$' } },
  ],
  ['/bank-transactions', 'bookedOn[before]', { schema: moment }],
  ['/bank-transactions', 'amount[lt]', { schema: money }],
  ['/invoices', 'status[]', several({ type: 'string', enum: ['draft', 'open', 'paid', 'uncollectible', 'void'] })],
  ['/audit-events', 'target', { schema: { ...text, format: 'uri-reference' } }],
])('GET %s describes its parameter %s', (path, name, expected) => {
  const parameter = paths[path].get.parameters?.find((one) => one.name === name)
  expect(parameter).toMatchObject({ in: 'query', description: expect.stringMatching(/^[A-Z].*\.$/), ...expected })
})

interface Parameter {
  format?: string
  type: string
  enum?: string[]
  anyOf?: object[]
  example?: string
  pattern?: string
  items?: Parameter
}

/** A value that the schema of a parameter allows. */
function allowed({ format = '', enum: values, anyOf, type, example }: Parameter): string {
  if (values) return values[0]
  if (anyOf) return '2026-01-05T08:00:00Z'
  const known: Record<string, string> = { email: 'ada@example.com', decimal: '-12.50', boolean: 'true', integer: '2' }
  return example ?? known[format] ?? known[type] ?? 'x'
}

test('the server accepts every documented kind of parameter value', async () => {
  for (const [path, { get }] of Object.entries(paths).filter(([path]) => !path.includes('{')))
    for (const { name, schema } of (get?.parameters ?? []) as { name?: string; schema: Parameter }[]) {
      if (!name) continue
      const value = allowed(schema.items ?? schema)
      if (schema.pattern) expect(value).toMatch(new RegExp(schema.pattern))
      const url = `${path}?${encodeURIComponent(name)}=${encodeURIComponent(value)}`
      const { status, body } = await api.get(url).set('Prefer', 'handling=strict')
      expect([url, status, body.detail]).toEqual([url, 200, undefined])
    }
})

test('a list of values is one repeated parameter', () => {
  expect(openapi.components.parameters.properties).toMatchObject({ style: 'form', explode: true })
  expect(paths['/meetings/{id}'].get.parameters).toContainEqual({ $ref: '#/components/parameters/properties' })
})

test('a decimal is a string, as a double would round it', () => {
  expect(schemas.BankTransaction.properties.amount).toMatchObject({ type: 'string', format: 'decimal' })
})

test('tags have descriptions, and the document has a licence and a contact', () => {
  for (const { name, description } of openapi.tags)
    expect([name, description]).toEqual([name, expect.stringMatching(/^[A-Z].{10,}\.$/)])
  expect(openapi.info).toMatchObject({
    license: { name: 'MIT', identifier: 'MIT' },
    contact: { name: expect.any(String), url: `${publicUrl}/docs` },
  })
})

test('a class has the same description in OpenAPI and in Hydra', () => {
  for (const [name, { description }] of Object.entries(schemas) as [string, { description?: string }][])
    expect([name, description]).toEqual([
      name,
      (classes.get(name) as { description?: string } | undefined)?.description ?? 'no class',
    ])
})

test('a body is described for each accepted media type, and a merge patch requires nothing', () => {
  const { create } = { create: paths['/meetings'].post.requestBody }
  expect(Object.keys(create?.content ?? {})).toEqual(
    expect.arrayContaining(['application/ld+json', 'application/json']),
  )
  expect(create?.content['application/ld+json'].schema.required).toEqual(['employee', 'dateFrom', 'dateTo'])
  for (const { method, operation } of described.filter(({ method }) => method === 'patch')) {
    const types = operation.requestBody?.content ?? {}
    expect([method, Object.keys(types)]).toEqual([
      'patch',
      ['application/merge-patch+json', 'application/json', 'application/ld+json'],
    ])
    for (const { schema } of Object.values(types)) expect(schema).not.toHaveProperty('required')
  }
  expect(Object.keys(paths['/organizations/logo'].post.requestBody?.content ?? {})).toEqual(['multipart/form-data'])
})

test('a body has exactly the properties that the operation writes', () => {
  const properties = (path: string, method: string, type: string) =>
    Object.keys(paths[path][method].requestBody?.content[type].schema.properties ?? {})
  expect(properties('/organizations', 'post', 'application/json')).toEqual(['type', 'name', 'slug'])
  expect(properties('/subscriptions/{id}', 'patch', 'application/merge-patch+json')).toEqual([
    'paymentMethod',
    'seats',
    'modules',
  ])
  expect(Object.keys(schemas.Organization.properties)).toContain('manualBilling')
})

test('every error response is a problem, and 422 has violations', () => {
  for (const { operation } of described)
    for (const [status, { description, content }] of Object.entries(operation.responses)) {
      expect(description).toMatch(/./)
      if (['204', '304'].includes(status)) expect(content).toBeUndefined()
      else if (operation.operationId === 'streamChanges' && status === '200')
        expect(content).toHaveProperty(['text/event-stream', 'schema'])
      else if (Number(status) < 300) expect(content).toHaveProperty(['application/ld+json', 'schema'])
      else {
        const name = status === '422' ? 'violations' : 'error'
        expect(content?.['application/problem+json'].schema).toEqual({ $ref: `#/components/schemas/problem.${name}` })
      }
    }
})

// The OpenAPI parser of api-doc-parser, like many generators, reads the properties of a schema and ignores `allOf`.
test('every JSON response has one flat schema with the properties of an item and its IRI', () => {
  for (const { path, method, operation } of described)
    for (const [status, { content = {} }] of Object.entries(operation.responses)) {
      const types = Object.keys(content).filter((type) => type.endsWith('json'))
      const flat = types.map((type) => resolved(content[type].schema))
      for (const schema of flat)
        expect([method, path, status, schema]).toEqual([
          ...[method, path, status],
          expect.objectContaining({ type: 'object', properties: expect.any(Object) }),
        ])
      if (Number(status) < 300 && flat.length > 0)
        expect(flat[0].required).toEqual(expect.arrayContaining(['@id', '@type']))
    }
  expect(Object.values(openapi.components.schemas).filter((schema) => 'allOf' in (schema as object))).toEqual([])
})

test('an item has the members of its schema, links included', async () => {
  const rows: Record<string, { id: string }> = await rowsOf(tenant)
  const links = new Set<string>()
  for (const [path, { get }] of Object.entries(paths).filter(([path, { get }]) => get && path.endsWith('/{id}'))) {
    const { schema } = get.responses[200].content?.['application/json'] ?? { schema: {} }
    const { properties, required = [] } = resolved(schema)
    const [tag] = get.tags
    const { body } = await api.get(path.replace('{id}', rows[tag]?.id ?? (tag === 'Country' ? 'NL' : 'nl'))).expect(200)
    expect([path, Object.keys(body).filter((name) => !(name in properties))]).toEqual([path, []])
    expect([path, required.filter((name: string) => !(name in body))]).toEqual([path, []])
    expect(properties['@type']).toMatchObject({ const: body['@type'], readOnly: true })
    for (const name of Object.keys(body)) if (/^[A-Z]+: /.test(properties[name].description)) links.add(name)
  }
  expect([...links]).toEqual(expect.arrayContaining(['mailFooter', 'invoices', 'cancel']))
})

test('each schema of the components is used', () => {
  const references = new Set(JSON.stringify(openapi).match(/#\/components\/[\w.]+\/[\w.]+/g))
  const present = ['schemas', 'parameters'].flatMap((kind) =>
    Object.keys(openapi.components[kind]).map((name) => `#/components/${kind}/${name}`),
  )
  expect(present.filter((reference) => !references.has(reference))).toEqual([])
})

test('every operation requires a token except the public ones', () => {
  const open = described.filter(({ operation }) => operation.security?.length === 0).map(({ path }) => path)
  expect(open).toEqual(['/', '/countries', '/countries/{id}'])
  expect(openapi.security).toEqual([{ bearer: [] }])
  expect(openapi.components.securitySchemes.bearer).toMatchObject({ type: 'http', scheme: 'bearer' })
})
