import { compact, compactTurtle, isForeign } from '../formats/jsonld-pool.ts'
import { schemaOrgIris } from '../formats/schema-org.ts'
import type { Call } from '../http/request-call.ts'
import { withOffsets } from '../model/local-time.ts'
import { Problem, type Violation } from '../model/problem.ts'
import type { Field, Shape } from '../model/shape.ts'
import { decodeText, parseBody } from './json-body.ts'

type Body = Record<string, unknown>

/** Reads a body by the names of our terms, in whichever form of RDF or JSON it was sent; Problem 400 when it is none. */
export async function readBody(call: Call, shape: Shape, partial: boolean): Promise<Body> {
  const { api, bound, operation, request, share } = call
  const { bytes, path } = request
  if (!bytes?.length && !api.needsBody(operation, bound)) return {}
  const { name } = shape
  const { publicUrl } = api.settings
  const context = api.context(name)?.['@context'] as Body
  if (/^\s*text\/turtle\b/i.test(request.header('content-type') ?? ''))
    return completed(await compactTurtle(decodeText(bytes), context, publicUrl + path, share), shape)
  const body = parseBody(bytes)
  const own = api.at(`/contexts/${name}`)
  const ours = (context: unknown) => context === own || context === api.origin + own
  const linked = isLinked(call)
  if (isForeign(linked ? body : withoutIris(body), ours) || (linked && hasLinkedValues(body, shape))) {
    if (partial) throw new Problem(400, `A PATCH is read by name: leave out @context, or give "${own}".`)
    return completed(await compact(body, context, `${publicUrl}/`, { ours, share }), shape)
  }
  if (Array.isArray(body)) throw new Problem(400, 'The body must be a JSON object.')
  return withOffsets(call, shape, body)
}

/** A graph has no null, so what must be given but may be null is null when a graph lacks it. */
function completed(body: Body, { fields }: Shape): Body {
  const absent = fields.filter(({ required, nullable }) => required && nullable).map((field) => [field.name, null])
  return { ...Object.fromEntries(absent), ...body }
}

/** Whether IRIs as keys and value objects in the body mean what they do in JSON-LD: in plain JSON and in a PATCH they do not. */
function isLinked({ operation, request }: Call): boolean {
  return operation.method !== 'PATCH' && !/^\s*application\/json\b/i.test(request.header('content-type') ?? '')
}

/** The keys of a body that are IRIs of our terms where it is read by name, each with the term to send instead. */
export function misnamedMembers(call: Call, shape: Shape, body: Body): Violation[] {
  const keys = isLinked(call) ? [] : Object.keys(body).filter(isIri)
  if (keys.length === 0) return []
  const context = call.api.context(shape.name)?.['@context'] as Record<string, unknown>
  const absolute = (iri: string) => {
    const [prefix] = iri.split(':', 1)
    const known = Object.hasOwn(context, prefix) ? context[prefix] : undefined
    const whole = typeof known === 'string' ? known + iri.slice(prefix.length + 1) : iri
    return whole.includes(':') ? schemaOrgIris(whole) : call.api.vocabulary + whole
  }
  const names = new Map(shape.fields.map(({ name, term }) => [absolute(term.iri), name]))
  return keys.flatMap((key) => {
    const name = names.get(absolute(key))
    const message = `"${key}" is an IRI, and this body is read by name. Send "${name}" instead.`
    return name ? [{ propertyPath: key, message, code: 'isTerm' }] : []
  })
}

const isIri = (key: string) => key.includes(':')

function withoutIris(body: Body | unknown[]): Body | unknown[] {
  if (Array.isArray(body)) return body
  return Object.fromEntries(Object.entries(body).filter(([key]) => !isIri(key)))
}

/** Whether a body says something by a compact IRI, or as a value object; free-form JSON means what it is. */
function hasLinkedValues(body: Body | unknown[], { field }: Shape): boolean {
  if (Array.isArray(body)) return false
  return Object.entries(body).some(
    ([key, value]) => isIri(key) || (!isFreeForm(field.get(key)) && [value].flat().some(isValueObject)),
  )
}

const isFreeForm = (field?: Field) => field?.kind === 'value' && field.datatype === null

const isValueObject = (value: unknown) =>
  typeof value === 'object' && value !== null && ['@value', '@list', '@set'].some((key) => Object.hasOwn(value, key))
