import { validateSync } from 'class-validator'
import type { Class } from '../model/class.ts'
import { copyEntity } from '../model/entity.ts'
import { ConstraintViolation, type Violation } from '../model/problem.ts'
import type { Field, Shape } from '../model/shape.ts'
import { normalizeText } from '../model/text.ts'
import { compiledRules } from './compiled-rules.ts'
import type { Resolved } from './references.ts'
import { ruleViolations, tooLongTexts, tooManyElements, unexpectedMembers, unstorableTexts } from './violations.ts'

type Values = Record<string, unknown>

export interface DeserializeOptions<E extends object> {
  shape: Shape
  /** The entity before the request: a new one, or the stored one that a PATCH changes. It is never modified. */
  entity: E
  body: Values
  /** Violations for members whose key is an IRI, although the body is read by term. */
  misnamed: Violation[]
  /** Which properties this caller may write here. */
  writes(name: string): boolean
  /** Properties that null clears, each with the remedy that the violation of another new value states. */
  clears?: Record<string, string>
  /** Reports unknown and read-only properties as violations instead of ignoring them (RFC 7240 §4.4). */
  strict: boolean
  /** Whether an `@type` in the body names the class. */
  isA(type: unknown, of: Class): boolean
  /** Properties that the body omits keep their values (RFC 7396). */
  partial: boolean
  resolve(references: [field: Field, value: unknown][]): Promise<Resolved>
  /** Prepares the draft before its rules are checked, and returns further violations. Skipped after any earlier violation. */
  prepare?(draft: E): Promise<Violation[]> | Violation[]
}

/**
 * Reads a body into a copy of the entity and returns the copy.
 * @throws ConstraintViolation with every violation of the body at once
 */
export async function deserialize<E extends object>(reading: DeserializeOptions<E>): Promise<E> {
  const { shape, entity, body, writes, partial } = reading
  const given = shape.fields.filter(({ name, writable }) => writable && writes(name) && Object.hasOwn(body, name))
  const unfit = [...unstorableTexts(given, body), ...tooManyElements(given, body)]
  const cleared = Object.entries(reading.clears ?? {}).filter(([name]) => writes(name) && Object.hasOwn(body, name))
  const known = [...given.map(({ name }) => name), ...cleared.map(([name]) => name)]
  const violations = [...reading.misnamed, ...(reading.strict ? unexpectedMembers(reading, known) : []), ...unfit]
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
  const judged = compiledRules(shape).holds(draft, partial)
    ? []
    : validateSync(draft, { skipUndefinedProperties: partial, forbidUnknownValues: false })
  // A stored e-mail address may predate the current rule, so a PATCH of other properties does not check it.
  const isOld = ({ propertyPath, code }: Violation) =>
    code === 'isEmail' && partial && !Object.hasOwn(body, propertyPath)
  violations.push(
    ...judged.flatMap((error) => ruleViolations(error)).filter((one) => !broken.has(one.propertyPath) && !isOld(one)),
  )
  violations.push(
    ...tooLongTexts(sent, body).filter(
      ({ propertyPath: name }) => !violations.some((one) => one.propertyPath === name),
    ),
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
  const { transform, scalars, nested } = compiledRules(shape)
  const plain: Values = {}
  for (const field of sent) {
    const { name, kind, datatype } = field
    if (kind !== 'value') continue
    if (scalars.has(field)) plain[name] = normalizeText(withoutElements(body[name]))
    else {
      const value = normalizeText(body[name])
      plain[name] = partial && datatype === null ? mergePatch(entity[name], value) : value
    }
  }
  if (partial) for (const { name } of nested) if (!(name in plain)) plain[name] = entity[name]
  return transform(plain)
}

/** A list or an object in place of a scalar is always a violation, so its elements are not transformed. */
function withoutElements(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  return Array.isArray(value) ? [] : {}
}
