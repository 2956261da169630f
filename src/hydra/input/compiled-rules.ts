import { plainToInstance, TransformationType } from 'class-transformer'
import { defaultMetadataStorage } from 'class-transformer/cjs/storage.js'
import { getMetadataStorage, type ValidationArguments } from 'class-validator'
import type { ValidationMetadata } from 'class-validator/types/metadata/ValidationMetadata.js'
import type { Class } from '../model/class.ts'
import type { Field, Shape } from '../model/shape.ts'

type Values = Record<string, unknown>

/**
 * The decorators of a class as functions. class-transformer and class-validator look their metadata up again for each object,
 * which costs more than the rules themselves.
 */
export interface CompiledRules {
  /** Transforms the values of a body. A list, an object, or a property with `@Type()` is left to class-transformer. */
  transform(values: Values): Values
  /** Whether every rule holds. False also where only class-validator can tell; it writes the messages, too. */
  holds(draft: object, isPartial: boolean): boolean
  /** The properties without a rule about a list or an object. */
  scalars: Set<Field>
  /** The properties whose values have rules of their own. */
  nested: Field[]
}

const compiled = new WeakMap<Shape, CompiledRules>()

/** The compiled rules of a class; they are compiled once. */
export function compiledRules(shape: Shape): CompiledRules {
  const known = compiled.get(shape)
  if (known) return known
  const made = compileRules(shape)
  compiled.set(shape, made)
  return made
}

function compileRules({ class: type, fields }: Shape): CompiledRules {
  const has = ({ rules }: Field, pattern: RegExp) => rules.some(({ name }) => pattern.test(name))
  return {
    transform: compileTransforms(type, fields),
    holds: compileChecks(type),
    scalars: new Set(
      fields.filter((field) => field.datatype !== null && !has(field, /^(array|isArray|isObject|nestedValidation)/)),
    ),
    nested: fields.filter((field) => has(field, /^nestedValidation$/)),
  }
}

type Transform = (value: unknown, values: Values) => unknown

function compileTransforms(type: Class, fields: Field[]): CompiledRules['transform'] {
  const transforms = new Map(fields.map(({ name }) => [name, transformOf(type, name)]))
  return (values) => {
    const transformed: Values = {}
    for (const name in values) {
      const transform = transforms.get(name)
      const value = values[name]
      if (!transform || (typeof value === 'object' && value !== null)) return transformWhole(type, values)
      transformed[name] = transform(value, values)
    }
    return transformed
  }
}

function transformWhole(type: Class, values: Values): Values {
  const instance = plainToInstance(type as unknown as new () => Values, values)
  return Object.fromEntries(Object.keys(values).map((name) => [name, instance[name]]))
}

/** The transformation of one property that holds no object; undefined where another decorator than `@Transform()` matters. */
function transformOf(type: Class, name: string): Transform | undefined {
  const storage = defaultMetadataStorage
  const isSelective = storage.getExposedMetadatas(type).length + storage.getExcludedMetadatas(type).length > 0
  const isTyped = storage.findTypeMetadata(type, name) !== undefined
  if (isSelective || storage.getStrategy(type) !== 'none' || isTyped || name in type.prototype) return undefined
  const functions = storage
    .findTransformMetadatas(type, name, TransformationType.PLAIN_TO_CLASS)
    .filter(({ options }) => !options?.groups?.length)
    .map(({ transformFn }) => transformFn)
  if (functions.length === 0) return (value) => value
  return (value, obj) => {
    let current = value
    for (const transform of functions)
      current = transform({ value: current, key: name, obj, type: TransformationType.PLAIN_TO_CLASS, options: {} })
    return current
  }
}

type Check = (draft: object, value: unknown) => boolean

/** The rules of one property. */
interface PropertyChecks {
  name: string
  conditions: Check[]
  checks: Check[]
  /** Whether its value has rules of its own. Only an empty list is checked here. */
  nested: boolean
}

const kinds = {
  condition: 'conditionalValidation',
  rule: 'customValidation',
  nested: 'nestedValidation',
}

function compileChecks(type: Class): CompiledRules['holds'] {
  const storage = getMetadataStorage()
  const metadata = storage.getTargetValidationMetadatas(type, '', false, false)
  if (!metadata.every(isCompilable)) return () => false
  const properties = Object.entries(storage.groupByPropertyName(metadata)).map(([name, rules]) => ({
    name,
    conditions: rules.filter((rule) => rule.type === kinds.condition).map(({ constraints: [condition] }) => condition),
    checks: rules.filter((rule) => rule.type === kinds.rule).flatMap((rule) => checksOf(type, rule)),
    nested: rules.some((rule) => rule.type === kinds.nested),
  }))
  return (draft, isPartial) => {
    for (const property of properties) if (!holdsFor(property, draft, isPartial)) return false
    return true
  }
}

function isCompilable({ type, constraintCls }: ValidationMetadata): boolean {
  if (!Object.values(kinds).includes(type)) return false
  return getMetadataStorage()
    .getTargetValidatorConstraints(constraintCls)
    .every(({ async }) => !async)
}

function holdsFor({ name, conditions, checks, nested }: PropertyChecks, draft: object, isPartial: boolean): boolean {
  const value = (draft as Values)[name]
  for (const condition of conditions) if (!condition(draft, value)) return true
  if (value === undefined && isPartial) return true
  for (const check of checks) if (!check(draft, value)) return false
  return !nested || value === undefined || (Array.isArray(value) && value.length === 0)
}

function checksOf({ name: targetName }: Class, rule: ValidationMetadata): Check[] {
  const { propertyName: property, constraints, constraintCls, each, validateIf } = rule
  return getMetadataStorage()
    .getTargetValidatorConstraints(constraintCls)
    .map(({ instance }) => {
      const check: Check = (object, value) => {
        const given: ValidationArguments = { targetName, property, object, value, constraints }
        if (!each) return Boolean(instance.validate(value, given))
        if (Array.isArray(value)) return value.every((element) => instance.validate(element, given))
        return !isCollection(value) && Boolean(instance.validate(value, given))
      }
      return validateIf ? (object, value) => !validateIf(object, value) || check(object, value) : check
    })
}

/** class-validator checks the elements of a Set or a Map as those of a list. */
function isCollection(value: unknown): boolean {
  return value instanceof Set || value instanceof Map
}
