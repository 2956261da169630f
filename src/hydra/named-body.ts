import { parseBody, textOf } from './body.ts'
import type { Call } from './call.ts'
import { compact, compactTurtle, isForeign } from './jsonld.ts'
import { Problem } from './problem.ts'
import type { Shape } from './shape.ts'

type Body = Record<string, unknown>

/** Reads a body by the names of our terms, in whichever form of RDF or JSON it was sent; Problem 400 when it is none. */
export async function namedBody(call: Call, shape: Shape, partial: boolean): Promise<Body> {
  const { api, bound, operation, question, share } = call
  const { bytes, path } = question
  if (!bytes?.length && !api.needsBody(operation, bound)) return {}
  const { name } = shape
  const { publicUrl } = api.settings
  const context = api.context(name)?.['@context'] as Body
  if (/^\s*text\/turtle\b/i.test(question.header('content-type') ?? ''))
    return completed(await compactTurtle(textOf(bytes), context, publicUrl + path, share), shape)
  const body = parseBody(bytes)
  const ours = (context: unknown) => context === `/contexts/${name}` || context === `${publicUrl}/contexts/${name}`
  if (isForeign(body, ours)) {
    if (partial) throw new Problem(400, `A PATCH is read by name: leave out @context, or give "/contexts/${name}".`)
    return completed(await compact(body, context, publicUrl, { ours, share }), shape)
  }
  if (Array.isArray(body)) throw new Problem(400, 'The body must be a JSON object.')
  return body
}

/** A graph has no null, so what must be given but may be null is null when a graph lacks it. */
function completed(body: Body, { fields }: Shape): Body {
  const absent = fields.filter(({ required, nullable }) => required && nullable).map((field) => [field.name, null])
  return { ...Object.fromEntries(absent), ...body }
}
