import { KontomatikError, type KontomatikRequest } from './response.ts'

interface FieldNames {
  required?: string[]
  optional?: string[]
}

/** The fields of a form, each at most once, none missing and none unknown. */
export function readForm({ body, type }: KontomatikRequest, rules: FieldNames): Record<string, string> {
  if (!/^application\/x-www-form-urlencoded(;|$)/.test(type))
    throw invalidParameter('A form is expected, not', type || 'nothing')
  return readFields(new URLSearchParams(body), rules)
}

export function readFields(
  given: URLSearchParams,
  { required = [], optional = [] }: FieldNames,
): Record<string, string> {
  const names = [...given.keys()]
  for (const name of names) {
    if (![...required, ...optional].includes(name)) throw invalidParameter('Unknown parameter', name)
    if (given.getAll(name).length > 1) throw invalidParameter('There is more than one', name)
  }
  for (const name of required) if (!given.get(name)) throw invalidParameter('There is no', name)
  return Object.fromEntries(given)
}

/** An object in JSON. The caller checks its fields. */
export function readJsonObject({ body, type }: KontomatikRequest, known: string[]): Record<string, unknown> {
  if (!/^application\/json(;|$)/.test(type)) throw invalidParameter('JSON is expected, not', type || 'nothing')
  const object = parseObject(body)
  for (const name of Object.keys(object)) if (!known.includes(name)) throw invalidParameter('Unknown parameter', name)
  return object
}

function parseObject(body: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(body)
    if (value instanceof Object && !Array.isArray(value)) return { ...value }
  } catch {}
  throw invalidParameter('This is no object in JSON:', body)
}

function invalidParameter(message: string, name: string): KontomatikError {
  return new KontomatikError('InvalidParameter', `${message} ${name.slice(0, 60)}.`)
}
