import { type FairShare, processShare } from '../model/fair-share.ts'
import { Problem } from '../model/problem.ts'
import type { CompactTask, ConvertTask } from './jsonld-thread.ts'
import type { Form } from './rdf.ts'
import { WorkerThread } from './thread.ts'

/** Checked before a body is processed. */
const maxima = { levels: 32, values: 10_000, contexts: 8, terms: 1_000 }
/** A task that takes longer ends, and its thread with it. */
const timeoutsMs = { body: 1_000, document: 5_000 }

/** The tasks that one caller may have at the same time. */
const maxTasksPerCaller = { bodies: 32, documents: 128 }

/** The thread takes 30 MB, so it ends when it is not used. A new one takes a third of a second. */
const thread = new WorkerThread({
  module: new URL('./jsonld-thread', import.meta.url),
  maxMegabytes: 128,
  idleTimeoutMs: 20_000,
})

type Body = Record<string, unknown>

/**
 * Whether a body must be compacted to our context first: it has another context, or is in expanded form.
 * @param ours whether a context in the body is one that this server serves
 */
export function isForeign(body: unknown, ours: (context: unknown) => boolean): boolean {
  if (Array.isArray(body)) {
    const hasKeyword = (node: unknown) => isObject(node) && Object.keys(node).some((key) => key.startsWith('@'))
    return body.some((node) => hasKeyword(node) || isForeign(node, ours))
  }
  if (!isObject(body)) return false
  const isOurs = (context: unknown) => isEmpty(context) || ours(context)
  if ('@context' in body && ![body['@context']].flat().every(isOurs)) return true
  return Object.keys(body).some((key) => key === '@graph' || key.includes('://'))
}

/**
 * Rewrites a body into the terms of our context, without its @context. References become absolute IRIs, literals JSON scalars.
 * @param context the object that this server serves as the "@context" of the class
 * @param base the public URL, which relative IRIs are resolved against
 * @param options `ours` as for `isForeign`; `share` is the caller whose time is counted
 * @throws Problem 400 when the body is invalid or too expensive, 503 when too many tasks wait
 */
export async function compact(
  body: unknown,
  context: Body,
  base: string,
  options: { timeoutMs?: number; ours?: (context: unknown) => boolean; share?: FairShare } = {},
): Promise<Body> {
  const { timeoutMs = timeoutsMs.body, ours = () => false, share = processShare } = options
  const ownContexts = requireAffordable(body).filter(ours)
  const message = { body: body as object, context, base, ours: ownContexts.map((iri) => new URL(iri, base).href) }
  return read(message, { timeoutMs, share, remedy: 'Simplify its @context.' })
}

/**
 * The same for a body of Turtle, in which `<>` is the described resource.
 * @throws Problem 400 when the body is invalid or too expensive, 503 when too many tasks wait
 */
export async function compactTurtle(text: string, context: Body, base: string, share: FairShare): Promise<Body> {
  const message = { body: text, context, base, ours: [] }
  return read(message, { timeoutMs: timeoutsMs.body, share, remedy: 'Send fewer triples.' })
}

/**
 * Writes one of our documents in another form.
 * @param document with its context inline, as "@context"
 * @throws Problem 503 when too many tasks wait, or the conversion takes too long
 */
export async function convert(document: Body, form: Form, base: string, share = processShare): Promise<string> {
  return (await thread.run({
    message: { document, form, base } satisfies ConvertTask,
    share,
    urgent: true,
    maxTasksPerCaller: maxTasksPerCaller.documents,
    timeoutMs: timeoutsMs.document,
    failed: (reason) => new Error(`could not write a document as ${form}: ${reason}`),
    tooCostly: (cost) =>
      new Problem(503, `Writing this document as ${form} takes ${cost}. Accept application/ld+json instead.`),
  })) as string
}

async function read(
  message: CompactTask,
  { timeoutMs, share, remedy }: { timeoutMs: number; share: FairShare; remedy: string },
): Promise<Body> {
  return (await thread.run({
    message,
    share,
    maxTasksPerCaller: maxTasksPerCaller.bodies,
    timeoutMs,
    failed: (reason) => new Problem(400, reason),
    tooCostly: (cost) => new Problem(400, `The body takes ${cost} to process. ${remedy}`),
  })) as Body
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const isEmpty = (context: unknown) => context === null || (isObject(context) && Object.keys(context).length === 0)

/** Rejects a body above the maxima before it is processed, and returns the contexts that it names. */
function requireAffordable(body: unknown): string[] {
  const sum = { levels: 0, values: 0, contexts: 0, terms: 0 }
  const named: string[] = []

  function visit(value: unknown, level: number, isContext: boolean): void {
    sum.levels = Math.max(sum.levels, level)
    sum.values++
    if (isContext && !Array.isArray(value)) sum.contexts++
    if (isContext && isObject(value)) sum.terms += Object.keys(value).length
    if (isContext && typeof value === 'string') named.push(value)
    for (const unit of Object.keys(maxima) as (keyof typeof maxima)[]) {
      if (sum[unit] > maxima[unit]) throw new Problem(400, `The body has more than ${maxima[unit]} ${unit}.`)
    }
    if (Array.isArray(value)) for (const item of value) visit(item, level + 1, isContext)
    else if (isObject(value)) for (const key in value) visit(value[key], level + 1, /^@(context|import)$/.test(key))
  }

  visit(body, 1, false)
  return named
}
