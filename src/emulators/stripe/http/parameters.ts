import { readFileSync } from 'node:fs'
import { type ErrorResponse, errorResponse } from './api-error.ts'
import type published from './parameters.json'

/** The values that a parameter accepts; '' means that it can be unset, a list that any member is accepted. */
export type Shape = Kind | Kind[]
export type Kind = Scalar | { enum: string[] } | { array: Shape } | { map: Shape } | Fields
export type Scalar = '' | 'string' | 'integer' | 'number' | 'boolean'

/** `customer|customer_account` is required in that one of the two must come. */
export interface Fields {
  object: Record<string, Shape>
  required?: string[]
}

/** A shape compiled for checking: texts, lists and hashes are each checked by their own members of the rule. */
interface Rule {
  empty: boolean
  text?: Scalar | Set<string>
  texts: ((text: string) => boolean)[]
  each?: Rule
  values?: Rule
  fields?: Map<string, Rule>
  required: string[][]
}

/** Read rather than imported, as not every loader keeps `with`; its type is imported, so the build copies it. */
const shapes: Record<keyof typeof published, Fields> = JSON.parse(
  readFileSync(new URL('./parameters.json', import.meta.url), 'utf8'),
)
const rules = new Map<string, Rule>()

/**
 * The first error that Stripe would find in the parameters of a request, if any. A route is a template, and the names
 * of its placeholders do not matter. The known routes are those of `parameters.json`, which
 * `npx tsx test/emulators/stripe/publish-parameters.ts` generates from the client's own declarations.
 */
export function parameterError(
  method: string,
  route: string,
  params: Record<string, unknown>,
): ErrorResponse | undefined {
  const rule = ruleFor(`${method} ${route}`)
  return rule && (unknownError(params, rule) ?? valueError(params, rule, ''))
}

function ruleFor(asked: string): Rule | undefined {
  const known = rules.get(asked)
  if (known) return known
  const endpoint = asked.replace(/\{\w+\}/g, '{id}')
  if (!isPublished(endpoint)) return undefined
  const rule = compile(shapes[endpoint])
  rule.fields?.set('expand', compile({ array: 'string' }))
  rules.set(asked, rule)
  return rule
}

function isPublished(endpoint: string): endpoint is keyof typeof shapes {
  return Object.hasOwn(shapes, endpoint)
}

function compile(shape: Shape): Rule {
  const rule: Rule = { empty: false, texts: [], required: [] }
  for (const kind of Array.isArray(shape) ? shape : [shape]) {
    if (kind === '') rule.empty = true
    else if (typeof kind === 'string') addTextRule(rule, kind, spelling[kind])
    else if ('enum' in kind) {
      const literals = new Set(kind.enum)
      addTextRule(rule, literals, (text) => literals.has(text))
    } else if ('array' in kind) rule.each = compile(kind.array)
    else if ('map' in kind) rule.values = compile(kind.map)
    else {
      rule.fields = new Map(Object.entries(kind.object).map(([name, inner]) => [name, compile(inner)]))
      rule.required = (kind.required ?? []).map((oneOf) => oneOf.split('|'))
    }
  }
  return rule
}

const spelling: Record<Exclude<Scalar, ''>, (text: string) => boolean> = {
  string: () => true,
  integer: (text) => /^-?\d+$/.test(text),
  number: (text) => /^-?\d+(\.\d+)?$/.test(text),
  boolean: (text) => text === 'true' || text === 'false',
}

function addTextRule(rule: Rule, text: Scalar | Set<string>, takes: (text: string) => boolean): void {
  rule.text ??= text
  rule.texts.push(takes)
}

/** Stripe names all that it does not know at once, however deep. */
function unknownError(params: Record<string, unknown>, rule: Rule): ErrorResponse | undefined {
  const [first, ...others] = unknownNames(params, rule, '')
  if (!first) return undefined
  const plural = others.length ? 's' : ''
  const message = `Received unknown parameter${plural}: ${[first, ...others].join(', ')}`
  return errorResponse(400, message, { code: 'parameter_unknown', param: first })
}

function unknownNames(value: unknown, rule: Rule, at: string): string[] {
  const { each, fields, values } = rule
  if (Array.isArray(value) && each) return value.flatMap((one, place) => unknownNames(one, each, `${at}[${place}]`))
  if (!isHash(value)) return []
  return Object.entries(value).flatMap(([name, one]) => {
    const inner = fields ? fields.get(name) : values
    if (inner) return unknownNames(one, inner, inside(at, name))
    return fields ? [inside(at, name)] : []
  })
}

function valueError(value: unknown, rule: Rule, at: string): ErrorResponse | undefined {
  if (Array.isArray(value) && rule.each) return firstError(Object.entries(value), rule.each, at)
  if (typeof value === 'object' && value !== null && rule.values)
    return firstError(Object.entries(value), rule.values, at)
  if (isHash(value) && rule.fields) return hashError(value, rule, at)
  if (typeof value === 'object' && value !== null) return structureError(value, rule, at)
  return textError(String(value ?? ''), rule, at)
}

function firstError(entries: [string, unknown][], rule: Rule, at: string): ErrorResponse | undefined {
  for (const [name, value] of entries) {
    const fault = valueError(value, rule, inside(at, name))
    if (fault) return fault
  }
}

function hashError(hash: Record<string, unknown>, { fields, required }: Rule, at: string): ErrorResponse | undefined {
  const lacking = required.find((oneOf) => !oneOf.some((name) => Object.hasOwn(hash, name)))
  if (lacking) {
    const param = inside(at, lacking[0])
    return errorResponse(400, `Missing required param: ${param}.`, { code: 'parameter_missing', param })
  }
  for (const [name, value] of Object.entries(hash)) {
    const rule = fields?.get(name)
    const fault = rule && valueError(value, rule, inside(at, name))
    if (fault) return fault
  }
}

function structureError(value: object, { each, fields, text }: Rule, param: string): ErrorResponse {
  if (fields) return errorResponse(400, 'Invalid object', { param })
  if (each) return errorResponse(400, 'Invalid array', { param })
  const kind = typeof text === 'string' ? text : 'string'
  return errorResponse(400, `Invalid ${kind}: ${JSON.stringify(value)}`, { param })
}

function textError(value: string, rule: Rule, param: string): ErrorResponse | undefined {
  if (value === '') return rule.empty ? undefined : emptyError(param)
  if (rule.texts.some((takes) => takes(value))) return undefined
  if (rule.text instanceof Set)
    return errorResponse(400, `Invalid ${param}: must be one of ${listed([...rule.text])}`, { param })
  if (rule.text === 'integer')
    return errorResponse(400, `Invalid integer: ${value}`, { code: 'parameter_invalid_integer', param })
  if (rule.text)
    return errorResponse(400, `Invalid ${rule.text === 'number' ? 'decimal' : rule.text}: ${value}`, { param })
  return errorResponse(400, rule.each ? 'Invalid array' : 'Invalid object', { param })
}

function emptyError(param: string): ErrorResponse {
  const message =
    `You passed an empty string for '${param}'. We assume empty values are an attempt to unset a parameter; ` +
    `however '${param}' cannot be unset. You should remove '${param}' from your request or supply a non-empty value.`
  return errorResponse(400, message, { code: 'parameter_invalid_empty', param })
}

function listed(words: string[]): string {
  if (words.length < 3) return words.join(' or ')
  return `${words.slice(0, -1).join(', ')}, or ${words.at(-1)}`
}

function inside(at: string, name: string): string {
  return at ? `${at}[${name}]` : name
}

function isHash(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
