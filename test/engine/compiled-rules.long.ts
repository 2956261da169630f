import { isDeepStrictEqual } from 'node:util'
import { plainToInstance } from 'class-transformer'
import { validateSync } from 'class-validator'
import fc from 'fast-check'
import { settings } from '../../entities/settings.ts'
import type { Callers } from '../../src/access/callers.ts'
import { apiOptions, api as table } from '../../src/api.ts'
import { Api, createEntity } from '../../src/hydra/index.ts'
import { compiledRules } from '../../src/hydra/input/compiled-rules.ts'
import type { Field, Shape } from '../../src/hydra/model/shape.ts'
import { openWorld } from '../support/world.ts'

type Values = Record<string, unknown>

const { config, database } = await openWorld()

const api = new Api(table({ forget() {} } as Callers, {} as never, {} as never), database, {
  ...apiOptions,
  ...config,
})
const bodies = 10_000
const written = api.classes.filter(({ fields }) => fields.some(({ writable }) => writable))

/** Values that a client may send by mistake or on purpose, whatever the property. */
const odd = fc.oneof(
  fc.constantFrom<unknown>(
    ...[null, true, false, 0, -0, 1, -1, 23, 24, 1.5, 1e300, 100_001, 2 ** 53, '', ' ', 'null', '0', 'true', '[]'],
    ...[
      '\u0000',
      '\u0001',
      'a\nb',
      '\u200b',
      ' Ada ',
      'e\u0301',
      '👩‍👩‍👧'.repeat(60),
      'a'.repeat(256),
      'x'.repeat(70_000),
    ],
    ...[[], [[]], [null], [1, 1], ['a', 'a'], [{}], {}, { a: 1 }, { toString: 1 }, { length: 3 }],
    ...[{ '@id': '/employees/1' }, { name: { name: { name: 1 } } }, '__proto__', 'constructor'],
  ),
  fc.string({ maxLength: 40 }),
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.jsonValue({ maxDepth: 3 }),
)

const instants = fc.oneof(
  fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
  fc.constantFrom(
    ...['2026-03-01T09:00:00Z', '2026-03-01T09:00:00+01:00', '2026-03-01t09:00:00.123456789z', '1970-01-01T10:00:00Z'],
    ...['2026-02-29T09:00:00Z', '2024-02-29T24:00:00Z', '2026-03-01', '2026-03-01T09:00:00', '0000-01-01T00:00:00Z'],
  ),
)

const texts = fc.constantFrom(
  ...[
    'Ada',
    'Ünïcode',
    'ada@example.com',
    '"a b"@example.com',
    '+31 6 12345678',
    'acme-nl',
    '-acme',
    'de',
    'nl-NL',
    'DE-1996',
  ],
  ...[
    'pm_1',
    'cus_1',
    'en-latn-us',
    'xx-yy-zz',
    '<p>Hi</p>',
    'EUR',
    'Europe/Amsterdam',
    'api',
    'name[0]',
    'Utrecht, NL',
  ],
)

/** Most values are near the rules of the property, so that whole bodies are valid often enough. */
function valuesOf({ rules, values = [], datatype, list }: Field): fc.Arbitrary<unknown> {
  const bounds = rules.flatMap(({ arguments: given }) => given.filter((one) => typeof one === 'number') as number[])
  const near = bounds.flatMap((bound) => [
    bound - 1,
    bound,
    bound + 1,
    'n'.repeat(Math.min(Math.max(bound, 0), 11_000)),
  ])
  const typed = [
    ...(values.length > 0 ? [fc.constantFrom<unknown>(...values)] : []),
    ...(datatype === 'xsd:boolean' ? [fc.boolean()] : []),
    ...(datatype === 'xsd:integer' ? [fc.integer({ min: 0, max: 30 })] : []),
    ...(datatype === 'xsd:dateTime' ? [instants] : []),
    ...(datatype === null ? [fc.constantFrom({}, { a: 1 })] : []),
    ...(list ? [fc.array(fc.constantFrom<unknown>(...values, 'a', { name: 'b', value: 'c' }, { name: 1 }, null))] : []),
  ]
  return fc.oneof(
    { weight: 12, arbitrary: fc.oneof(...(typed.length > 0 ? typed : [texts])) },
    { weight: 1, arbitrary: fc.oneof(texts, ...(near.length > 0 ? [fc.constantFrom<unknown>(...near)] : [])) },
    { weight: 1, arbitrary: odd },
  )
}

/** Bodies with any of the writable properties. References hold an entity, as the engine has resolved them. */
function bodiesOf({ fields }: Shape): fc.Arbitrary<Values> {
  const arbitraries = fields
    .filter(({ writable }) => writable)
    .map((field) => [
      field.name,
      field.kind === 'value' ? valuesOf(field) : fc.constantFrom(null, Object.create(field.target?.prototype ?? {})),
    ])
  return fc.record(Object.fromEntries(arbitraries), { requiredKeys: [] })
}

const transformedBy = (type: Shape['class'], values: Values) => {
  const instance = plainToInstance(type as unknown as new () => Values, values)
  return Object.fromEntries(Object.keys(values).map((name) => [name, instance[name]]))
}

/** Compares copies, because objects of shared modules have another prototype than those of this file. */
const areEqual = (one: Values, other: Values) => isDeepStrictEqual(structuredClone(one), structuredClone(other))

/** Properties that no body can set, and that a rule reads. */
const prepared: Record<string, fc.Arbitrary<Values>> = {
  OrganizationConfig: fc.constantFrom(...Object.keys(settings)).map((key) => ({ key })),
}

const isNested = ({ rules }: Field) => rules.some(({ name }) => name === 'nestedValidation')

const options = (partial: boolean) => ({ skipUndefinedProperties: partial, forbidUnknownValues: false })

test.each(written.map((shape) => [shape.name, shape] as const))(
  `the compiled rules of %s agree with class-transformer and class-validator on ${bodies} bodies`,
  (name, shape) => {
    const { transform, holds } = compiledRules(shape)
    const nested = shape.fields.filter(isNested)
    const values = new Set(shape.fields.filter(({ kind }) => kind === 'value').map((field) => field.name))
    let accepted = 0
    const check = (body: Values, partial: boolean, given: Values) => {
      const sent = Object.fromEntries(Object.entries(body).filter(([key]) => values.has(key)))
      const transformed = transform(sent)
      if (!areEqual(transformed, transformedBy(shape.class, sent))) return false
      const draft: Values = Object.assign(createEntity(shape.class), given, body, transformed)
      const isValid = validateSync(draft, options(partial)).length === 0
      if (isValid) accepted++
      // The elements of a list are left to class-validator, which also writes every message.
      return holds(draft, partial) === isValid || (isValid && nested.some((field) => draft[field.name] !== undefined))
    }
    fc.assert(fc.property(bodiesOf(shape), fc.boolean(), prepared[name] ?? fc.constant({}), check), {
      seed: 20260301,
      numRuns: bodies,
    })
    expect(accepted).toBeGreaterThan(bodies / 200)
  },
)
