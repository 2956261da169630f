import { plainToInstance } from 'class-transformer'
import { type ValidationError, validateSync } from 'class-validator'
import type { Class } from '../model/class.ts'
import { copyEntity } from '../model/entity.ts'
import { ConstraintViolation, type Violation } from '../model/problem.ts'
import type { Field, Shape } from '../model/shape.ts'
import { normalizeText, unstorableIn } from '../model/text.ts'
import type { Resolved } from './references.ts'

type Values = Record<string, unknown>

export interface DeserializeOptions<E extends object> {
  shape: Shape
  /** The entity as it stands: new, or the one that a PATCH is for. */
  entity: E
  body: Values
  /** What of the body has another name. */
  misnamed: Violation[]
  /** Which properties this caller may write here. */
  writes(name: string): boolean
  /** The properties that null empties, each with what else to do about it. */
  clears?: Record<string, string>
  /** Names unknown and read-only properties instead of passing over them (RFC 7240 §4.4). */
  strict: boolean
  /** Whether a type that the body names is a class. */
  isA(type: unknown, of: Class): boolean
  /** Only what is sent changes (RFC 7396). */
  partial: boolean
  resolve(references: [field: Field, value: unknown][]): Promise<Resolved>
  /** What the entity does with what was sent, before its rules are judged; gives back what is wrong beyond them. */
  prepare?(draft: E): Promise<Violation[]> | Violation[]
}

/**
 * Reads a body into an entity, which is given back as a new one with the old one untouched.
 * @throws ConstraintViolation with every fault of the body at once
 */
export async function deserialize<E extends object>(reading: DeserializeOptions<E>): Promise<E> {
  const { shape, entity, body, writes, partial } = reading
  const given = shape.fields.filter(({ name, writable }) => writable && writes(name) && Object.hasOwn(body, name))
  const unfit = [...textFaults(given, body), ...overfull(given, body)]
  const cleared = Object.entries(reading.clears ?? {}).filter(([name]) => writes(name) && Object.hasOwn(body, name))
  const known = [...given.map(({ name }) => name), ...cleared.map(([name]) => name)]
  const violations = [...reading.misnamed, ...(reading.strict ? refused(reading, known) : []), ...unfit]
  for (const [name, remedy] of cleared)
    if (body[name] !== null && body[name] !== (entity as Values)[name])
      violations.push({ propertyPath: name, message: `${name} ${remedy}.`, code: 'isNull' })
  const sent = given.filter(({ name }) => !unfit.some(({ propertyPath }) => propertyPath === name))
  const references = sent.filter(({ kind }) => kind !== 'value')
  const resolved = await reading.resolve(references.map((field) => [field, body[field.name]]))
  violations.push(...resolved.violations)

  const draft = copyEntity(entity as E & Values)
  Object.assign(draft, scalars(shape, entity as Values, body, sent, partial), resolved.values)
  for (const [name] of cleared) if (body[name] === null) Object.assign(draft, { [`${name}Id`]: null })
  for (const { name, key } of references)
    if (key && name in resolved.values) Object.assign(draft, { [key]: resolved.values[name]?.id ?? null })
  const broken = new Set(violations.map(({ propertyPath }) => propertyPath))
  if (broken.size === 0 && reading.prepare) violations.push(...(await reading.prepare(draft)))
  const judged = validateSync(draft, { skipUndefinedProperties: partial, forbidUnknownValues: false })
  // A stored address may be older than the rule for addresses; a PATCH of another property leaves it.
  const isOld = ({ propertyPath, code }: Violation) =>
    code === 'isEmail' && partial && !Object.hasOwn(body, propertyPath)
  violations.push(
    ...judged.flatMap((error) => faults(error)).filter((one) => !broken.has(one.propertyPath) && !isOld(one)),
  )
  violations.push(
    ...overlong(sent, body).filter(({ propertyPath: name }) => !violations.some((one) => one.propertyPath === name)),
  )
  if (violations.length > 0) throw new ConstraintViolation(violations)
  return draft
}

/** RFC 7396: objects are merged to any depth, null removes, everything else replaces. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch
  const merged: Values = typeof target === 'object' && target !== null && !Array.isArray(target) ? { ...target } : {}
  for (const [name, value] of Object.entries(patch))
    if (value === null) delete merged[name]
    else
      Object.defineProperty(merged, name, {
        value: mergePatch(merged[name], value),
        enumerable: true,
        configurable: true,
        writable: true,
      })
  return merged
}

function scalars(shape: Shape, entity: Values, body: Values, sent: Field[], partial: boolean): Values {
  const values = sent.filter(({ kind }) => kind === 'value')
  const plain = Object.fromEntries(
    values.map((field) => {
      const { name, datatype } = field
      if (isScalar(field)) return [name, normalizeText(withoutElements(body[name]))]
      const value = normalizeText(body[name])
      return [name, partial && datatype === null ? mergePatch(entity[name], value) : value]
    }),
  )
  const stored = shape.fields.filter(
    ({ name, rules }) => partial && !(name in plain) && rules.some((rule) => rule.name === 'nestedValidation'),
  )
  for (const { name } of stored) plain[name] = entity[name]
  const instance = plainToInstance(shape.class as unknown as new () => Values, plain)
  return Object.fromEntries(Object.keys(plain).map((name) => [name, instance[name]]))
}

/** Whether no rule of the property is about a list or an object. */
const isScalar = ({ datatype, rules }: Field) =>
  datatype !== null && !rules.some(({ name }) => /^(array|isArray|isObject|nestedValidation)/.test(name))

/** A list or an object where a scalar belongs is refused whatever is in it, so its elements are not transformed. */
function withoutElements(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  return Array.isArray(value) ? [] : {}
}

function textFaults(sent: Field[], body: Values): Violation[] {
  return sent.flatMap(({ name }) => {
    const reason = unstorableIn(body[name])
    return reason ? [{ propertyPath: name, message: `${name} ${reason}.`, code: 'isStorable' }] : []
  })
}

/** A list that is too long is refused before anything looks at its elements, or compares each with all others. */
function overfull(sent: Field[], body: Values): Violation[] {
  return sent.flatMap(({ name, rules }) => {
    const [most] = rules.find((rule) => rule.name === 'arrayMaxSize')?.arguments ?? []
    const value = body[name]
    if (typeof most !== 'number' || !Array.isArray(value) || value.length <= most) return []
    return [
      { propertyPath: name, message: `${name} must contain no more than ${most} elements.`, code: 'arrayMaxSize' },
    ]
  })
}

/** Length is counted in characters, as SHACL and JSON Schema do; class-validator counts some pairs of them as one. */
function overlong(sent: Field[], body: Values): Violation[] {
  return sent.flatMap(({ name, rules }) =>
    rules.flatMap(({ name: code, arguments: [first, second] }) => {
      const most = code === 'isLength' ? second : code === 'maxLength' ? first : undefined
      const value = body[name]
      if (typeof most !== 'number' || typeof value !== 'string' || value.length <= most || [...value].length <= most)
        return []
      return [{ propertyPath: name, message: `${name} must be at most ${most} characters long.`, code }]
    }),
  )
}

function refused(reading: DeserializeOptions<object>, sent: string[]): Violation[] {
  const { shape, body, isA, misnamed } = reading
  const taken = new Set(['@context', '@id', '@type', ...sent, ...misnamed.map(({ propertyPath }) => propertyPath)])
  const unknown = Object.keys(body)
    .filter((name) => !taken.has(name))
    .map((name) =>
      shape.field.has(name)
        ? { propertyPath: name, message: `${name} cannot be written here.`, code: 'isReadOnly' }
        : { propertyPath: name, message: `${shape.name} has no property "${name}".`, code: 'isUnknown' },
    )
  return [...mistyped('@type', body, shape.class, isA), ...unknown, ...nodeFaults(reading, sent)]
}

/** A node that says what it is, and not that it is of the class. */
function mistyped(
  propertyPath: string,
  node: Values,
  type: Class,
  isA: DeserializeOptions<object>['isA'],
): Violation[] {
  const types = [node['@type'] ?? []].flat()
  if (types.length === 0 || types.some((one) => isA(one, type))) return []
  return [{ propertyPath, message: `@type must be "${type.name}", or be left out.`, code: 'isClass' }]
}

/** A node that is referred to has an IRI, and nothing of it can be written. */
function nodeFaults({ shape, body, isA }: DeserializeOptions<object>, sent: string[]): Violation[] {
  return shape.fields.flatMap(({ name, target }) => {
    const node = body[name] as Values
    if (!target || !sent.includes(name) || typeof node !== 'object' || node === null || Array.isArray(node)) return []
    const others = Object.keys(node).filter((key) => key[0] !== '@')
    return [
      ...mistyped(`${name}.@type`, node, target, isA),
      ...others.map((key) => ({
        propertyPath: `${name}.${key}`,
        message: `${name} takes an IRI: ${key} cannot be written here.`,
        code: 'isUnknown',
      })),
    ]
  })
}

const sayings: Record<string, (name: string) => string> = {
  isDate: (name) => `${name} must be a date-time with an offset (RFC 3339), such as 2026-03-01T09:00:00+01:00`,
  isNotEmpty: (name) => `${name} must be given`,
}

/**
 * Rules that check the type. The other violations of a value with a wrong type say nothing new, so they are left out.
 * An application marks a rule of its own with the context `{ checksType: true }`.
 */
const typeRules = ['isString', 'isInt', 'isBoolean', 'isDate', 'isArray', 'isObject', 'isNotEmpty']

function faults({ property, constraints = {}, contexts = {}, children = [] }: ValidationError, path = ''): Violation[] {
  const propertyPath = path === '' ? property : /^\d+$/.test(property) ? `${path}[${property}]` : `${path}.${property}`
  const type = [...typeRules, ...Object.keys(contexts).filter((code) => contexts[code].checksType)].find(
    (code) => code in constraints,
  )
  const codes = type ? [type] : Object.keys(constraints)
  return [
    ...codes.map((code) => ({ propertyPath, message: `${sayings[code]?.(property) ?? constraints[code]}.`, code })),
    ...(type ? [] : children.flatMap((child) => faults(child, propertyPath))),
  ]
}
