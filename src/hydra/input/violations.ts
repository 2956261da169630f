import type { ValidationError } from 'class-validator'
import type { Class } from '../model/class.ts'
import type { Violation } from '../model/problem.ts'
import type { Field, Shape } from '../model/shape.ts'
import { unstorableIn } from '../model/text.ts'

type Values = Record<string, unknown>

type IsA = (type: unknown, of: Class) => boolean

/** The parts of a body that decide which of its members are unexpected. */
interface Body {
  shape: Shape
  body: Values
  isA: IsA
  misnamed: Violation[]
}

/** Texts that Postgres cannot store, such as those with a NUL character. */
export function unstorableTexts(sent: Field[], body: Values): Violation[] {
  return sent.flatMap(({ name }) => {
    const reason = unstorableIn(body[name])
    return reason ? [{ propertyPath: name, message: `${name} ${reason}.`, code: 'isStorable' }] : []
  })
}

/** A list that is too long is refused first: later rules read every element, and some compare each with all others. */
export function tooManyElements(sent: Field[], body: Values): Violation[] {
  return sent.flatMap(({ name, rules }) => {
    const [most] = rules.find((rule) => rule.name === 'arrayMaxSize')?.arguments ?? []
    const value = body[name]
    if (typeof most !== 'number' || !Array.isArray(value) || value.length <= most) return []
    return [
      { propertyPath: name, message: `${name} must contain no more than ${most} elements.`, code: 'arrayMaxSize' },
    ]
  })
}

/** Counts length in characters, as SHACL and JSON Schema do. class-validator counts some pairs of characters as one. */
export function tooLongTexts(sent: Field[], body: Values): Violation[] {
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

/** Members that the class does not have or that cannot be written, and nodes of a wrong `@type`. */
export function unexpectedMembers(reading: Body, sent: string[]): Violation[] {
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

/** A node may omit `@type`; otherwise one of its types must be the class. */
function mistyped(propertyPath: string, node: Values, type: Class, isA: IsA): Violation[] {
  const types = [node['@type'] ?? []].flat()
  if (types.length === 0 || types.some((one) => isA(one, type))) return []
  return [{ propertyPath, message: `@type must be "${type.name}", or be left out.`, code: 'isClass' }]
}

/** A referenced node may carry its IRI and its type; its properties cannot be written here. */
function nodeFaults({ shape, body, isA }: Body, sent: string[]): Violation[] {
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

const ruleMessages: Record<string, (name: string) => string> = {
  isDate: (name) => `${name} must be a date-time with an offset (RFC 3339), such as 2026-03-01T09:00:00+01:00`,
  isNotEmpty: (name) => `${name} must be given`,
}

/**
 * Rules that check the type. The other violations of a value with a wrong type say nothing new, so they are left out.
 * An application marks a rule of its own with the context `{ checksType: true }`.
 */
const typeRules = ['isString', 'isInt', 'isBoolean', 'isDate', 'isArray', 'isObject', 'isNotEmpty']

/** The violations of class-validator's rules, by the path of the property. */
export function ruleViolations(
  { property, constraints = {}, contexts = {}, children = [] }: ValidationError,
  path = '',
): Violation[] {
  const propertyPath = path === '' ? property : /^\d+$/.test(property) ? `${path}[${property}]` : `${path}.${property}`
  const type = [...typeRules, ...Object.keys(contexts).filter((code) => contexts[code].checksType)].find(
    (code) => code in constraints,
  )
  const codes = type ? [type] : Object.keys(constraints)
  return [
    ...codes.map((code) => ({
      propertyPath,
      message: `${ruleMessages[code]?.(property) ?? constraints[code]}.`,
      code,
    })),
    ...(type ? [] : children.flatMap((child) => ruleViolations(child, propertyPath))),
  ]
}
