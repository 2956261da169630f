import { compact, compactTurtle, isForeign } from '../formats/jsonld-pool.ts'
import { withHttpsSchemaOrg } from '../formats/schema-org.ts'
import type { ApiModel } from '../model/api-model.ts'
import type { FairShare } from '../model/fair-share.ts'
import { isLocal, type LocalTime } from '../model/local-time.ts'
import type { Operation } from '../model/operation.ts'
import { Problem, type Violation } from '../model/problem.ts'
import type { Field, Shape } from '../model/shape.ts'
import { decodeText, parseBody } from './json-body.ts'

type Body = Record<string, unknown>

/** The request that a body belongs to. */
export interface BodyRequest {
  api: ApiModel
  operation: Operation
  resource: { shape: Shape }
  request: { bytes: Buffer | undefined; path: string; share: FairShare; header(name: string): string | undefined }
  localTime(): Promise<LocalTime | undefined>
}

/**
 * Reads a body of JSON, JSON-LD or Turtle into an object whose keys are the terms of the class.
 * @throws Problem 400 when the body is malformed
 */
export async function readBody(call: BodyRequest, shape: Shape, partial: boolean): Promise<Body> {
  const { api, operation, request } = call
  const { bytes, path } = request
  if (!bytes?.length && !api.needsBody(operation, call.resource.shape)) return {}
  const { name } = shape
  const { publicUrl } = api.iris
  const context = api.context(name)?.['@context'] as Body
  if (/^\s*text\/turtle\b/i.test(request.header('content-type') ?? ''))
    return completed(await compactTurtle(decodeText(bytes), context, publicUrl + path, request.share), shape)
  const body = parseBody(bytes)
  const own = api.iris.at(`/contexts/${name}`)
  const ours = (context: unknown) => context === own || context === api.iris.origin + own
  const linked = isLinked(call)
  if (isForeign(linked ? body : withoutIris(body), ours) || (linked && hasLinkedValues(body, shape))) {
    if (partial) throw new Problem(400, `A PATCH is read by name: leave out @context, or give "${own}".`)
    return completed(await compact(body, context, `${publicUrl}/`, { ours, share: request.share }), shape)
  }
  if (Array.isArray(body)) throw new Problem(400, 'The body must be a JSON object.')
  return withOffsets(call, shape, body)
}

/** Adds the offset of the local time zone to date-times that have none. */
async function withOffsets(call: BodyRequest, { fields }: Shape, body: Body): Promise<Body> {
  const given = fields.filter(({ name, datatype }) => datatype === 'xsd:dateTime' && isLocal(body[name]))
  const read = given.length > 0 ? await call.localTime() : undefined
  return read ? { ...body, ...Object.fromEntries(given.map(({ name }) => [name, read(body[name] as string)])) } : body
}

/** RDF has no null, so a required nullable property that the graph lacks is set to null. */
function completed(body: Body, { fields }: Shape): Body {
  const absent = fields.filter(({ required, nullable }) => required && nullable).map((field) => [field.name, null])
  return { ...Object.fromEntries(absent), ...body }
}

/** Whether the body is read as JSON-LD, where keys may be IRIs and values may be value objects. Plain JSON and PATCH are not. */
function isLinked({ operation, request }: BodyRequest): boolean {
  return operation.method !== 'PATCH' && !/^\s*application\/json\b/i.test(request.header('content-type') ?? '')
}

/** Violations for keys that are IRIs of terms, although the body is read by term. Each message says which term to send. */
export function misnamedMembers(call: BodyRequest, shape: Shape, body: Body): Violation[] {
  const keys = isLinked(call) ? [] : Object.keys(body).filter(isIri)
  if (keys.length === 0) return []
  const context = call.api.context(shape.name)?.['@context'] as Record<string, unknown>
  const absolute = (iri: string) => {
    const [prefix] = iri.split(':', 1)
    const known = Object.hasOwn(context, prefix) ? context[prefix] : undefined
    const whole = typeof known === 'string' ? known + iri.slice(prefix.length + 1) : iri
    return whole.includes(':') ? withHttpsSchemaOrg(whole) : call.api.vocabulary + whole
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

/** Whether the body has a key that is an IRI, or a value object. Free-form JSON is not searched for value objects. */
function hasLinkedValues(body: Body | unknown[], { field }: Shape): boolean {
  if (Array.isArray(body)) return false
  return Object.entries(body).some(
    ([key, value]) =>
      isIri(key) || (typeof value === 'object' && !isFreeForm(field.get(key)) && [value].flat().some(isValueObject)),
  )
}

const isFreeForm = (field?: Field) => field?.kind === 'value' && field.datatype === null

const isValueObject = (value: unknown) =>
  typeof value === 'object' && value !== null && ['@value', '@list', '@set'].some((key) => Object.hasOwn(value, key))
