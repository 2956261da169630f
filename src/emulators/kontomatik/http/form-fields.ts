import { type Ask, Refusal } from './response.ts'

interface Rules {
  required?: string[]
  optional?: string[]
}

/** The fields of a form, each at most once, none missing and none unknown. */
export function formOf({ body, type }: Ask, rules: Rules): Record<string, string> {
  if (!/^application\/x-www-form-urlencoded(;|$)/.test(type)) throw wrong('A form is expected, not', type || 'nothing')
  return fieldsOf(new URLSearchParams(body), rules)
}

export function fieldsOf(given: URLSearchParams, { required = [], optional = [] }: Rules): Record<string, string> {
  const names = [...given.keys()]
  for (const name of names) {
    if (![...required, ...optional].includes(name)) throw wrong('Nobody knows the parameter', name)
    if (given.getAll(name).length > 1) throw wrong('There is more than one', name)
  }
  for (const name of required) if (!given.get(name)) throw wrong('There is no', name)
  return Object.fromEntries(given)
}

/** An object in JSON; what its fields hold is for the caller to check. */
export function objectOf({ body, type }: Ask, known: string[]): Record<string, unknown> {
  if (!/^application\/json(;|$)/.test(type)) throw wrong('JSON is expected, not', type || 'nothing')
  const object = parsed(body)
  for (const name of Object.keys(object)) if (!known.includes(name)) throw wrong('Nobody knows the parameter', name)
  return object
}

function parsed(body: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(body)
    if (value instanceof Object && !Array.isArray(value)) return { ...value }
  } catch {}
  throw wrong('This is no object in JSON:', body)
}

function wrong(message: string, name: string): Refusal {
  return new Refusal('InvalidParameter', `${message} ${name.slice(0, 60)}.`)
}
