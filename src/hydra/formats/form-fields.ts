import type { ApiModel } from '../model/api-model.ts'
import type { Role } from '../model/caller.ts'
import type { Class } from '../model/class.ts'
import type { Operation } from '../model/operation.ts'
import { type Rule, rulesOf } from '../model/rules.ts'
import type { Field, Shape } from '../model/shape.ts'

/** The control of a field: how a person enters its value, and how the server reads it. */
export type Control =
  | 'text'
  | 'textarea'
  | 'email'
  | 'url'
  | 'number'
  | 'checkbox'
  | 'date'
  | 'date-time'
  /** One of a closed set of values. */
  | 'choice'
  /** Several of a closed set of values. */
  | 'choices'
  /** A list of texts. */
  | 'texts'
  /** The IRI of an item. */
  | 'reference'
  /** The IRIs of several items. */
  | 'references'
  /** A list of objects, each with the fields of a group. */
  | 'groups'
  /** Free-form JSON. A text that is no JSON is a string. */
  | 'json'

/** One field of a form, with the bounds of its rules. */
export interface FormField {
  name: string
  control: Control
  required: boolean
  nullable: boolean
  min?: number
  max?: number
  minLength?: number
  maxLength?: number
  maxItems?: number
  values?: string[]
  /** The class of the items that a reference can name. */
  target?: Class
  /** The fields of each object of a list. */
  group?: FormField[]
}

/** A text that may be longer gets several lines. */
const lineLength = 255

const known = new WeakMap<Operation, Map<string, FormField[]>>()

/** The fields that an operation accepts from a role, in the order of the context. They are found once, as each form needs them. */
export function formFields(
  api: Pick<ApiModel, 'permissions'>,
  shape: Shape,
  operation: Operation,
  role: Role,
): FormField[] {
  const key = `${shape.name} ${role}`
  const own = known.get(operation) ?? new Map<string, FormField[]>()
  known.set(operation, own)
  const fields = own.get(key) ?? findFields(api, shape, operation, role)
  own.set(key, fields)
  return fields
}

function findFields(
  { permissions }: Pick<ApiModel, 'permissions'>,
  { fields }: Shape,
  operation: Operation,
  role: Role,
): FormField[] {
  const { writes, clears = {}, method } = operation
  if (!permissions.rolesOf(operation).includes(role)) return []
  const accepts = (name: string) => writes === undefined || (writes[name] ?? []).includes(role)
  return fields
    .filter(({ name, writable }) => accepts(name) && writable && !(name in clears))
    .map((field) => ({ ...formField(field), required: field.required && method !== 'PATCH' }))
}

function formField({ name, required, nullable, rules, target, values, ...field }: Field): FormField {
  const members = field.members && groupOf(field.members)
  const bounds = Object.assign({}, ...rules.filter(({ each }) => !each).map(boundsOf))
  const control = members ? 'groups' : controlOf({ ...field, rules, values }, bounds)
  return {
    ...{ name, control, required, nullable },
    ...bounds,
    ...(values && { values }),
    ...(target && { target }),
    ...(members && { group: members }),
  }
}

function controlOf(
  {
    kind,
    term,
    datatype,
    list,
    rules,
    values,
  }: Pick<Field, 'kind' | 'term' | 'datatype' | 'list' | 'rules' | 'values'>,
  { maxLength = lineLength + 1 }: { maxLength?: number },
): Control {
  if (kind !== 'value') return kind
  if (list) return values ? 'choices' : datatype === null ? 'json' : 'texts'
  if (datatype === null) return 'json'
  if (values) return 'choice'
  if (datatype === 'xsd:boolean') return 'checkbox'
  if (datatype === 'xsd:integer') return 'number'
  if (datatype === 'xsd:dateTime') return 'date-time'
  if (datatype === 'xsd:date') return 'date'
  if (rules.some(({ name }) => name === 'isEmail')) return 'email'
  if (datatype === 'xsd:anyURI' || term.type === '@id') return 'url'
  return maxLength > lineLength ? 'textarea' : 'text'
}

/** A nested class has no context, so its rules name its properties. */
function groupOf(type: Class): FormField[] {
  return [...rulesOf(type)].map(([name, { list, required, nullable }]) => {
    const bounds = Object.assign({}, ...list.map(boundsOf))
    const { maxLength = lineLength } = bounds as { maxLength?: number }
    return { name, control: maxLength > lineLength ? 'textarea' : 'text', required, nullable, ...bounds }
  })
}

function boundsOf({ name, arguments: [first, second] }: Rule): Partial<FormField> {
  if (name === 'min') return { min: first as number }
  if (name === 'max') return { max: first as number }
  if (name === 'isLength')
    return { minLength: first as number, ...(second !== undefined && { maxLength: second as number }) }
  if (name === 'maxLength') return { maxLength: first as number }
  if (name === 'arrayMaxSize') return { maxItems: first as number }
  return {}
}
