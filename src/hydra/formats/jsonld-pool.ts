import { type FairShare, processShare } from '../model/fair-share.ts'
import { Problem } from '../model/problem.ts'
import type { CompactTask, ConvertTask } from './jsonld-thread.ts'
import type { Form } from './rdf.ts'
import { WorkerThread } from './thread.ts'

/** What a body may cost before it is processed, then what processing it may cost. */
const most = { levels: 32, values: 10_000, contexts: 8, terms: 1_000 }
const limits = { body: 1_000, document: 5_000 }

/** How many a caller may have at once. */
const waiting = { bodies: 32, documents: 128 }

const thread = new WorkerThread({ module: new URL('./jsonld-thread', import.meta.url), megabytes: 128 })

type Body = Record<string, unknown>

/**
 * Whether a body is to be rewritten before it is read by name: it has a context that is not ours, or is in expanded form.
 * @param ours tells whether a context, as written in the body, is our own.
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
 * Rewrites a body into the terms of our context, without an @context; references become absolute IRIs, literals JSON scalars.
 * @param context the object that we serve as the "@context" of the class.
 * @param base our public URL, against which relative IRIs are read.
 * @param bounds `ours` tells which of the contexts named in the body are our own; `milliseconds` is how long it may take;
 *   `share` is who waits for it.
 * @throws Problem 400 when the body is at fault or too costly, 503 when too many wait.
 */
export async function compact(
  body: unknown,
  context: Body,
  base: string,
  bounds: { milliseconds?: number; ours?: (context: unknown) => boolean; share?: FairShare } = {},
): Promise<Body> {
  const { milliseconds = limits.body, ours = () => false, share = processShare } = bounds
  const known = weigh(body).filter(ours)
  const message = { body: body as object, context, base, ours: known.map((iri) => new URL(iri, base).href) }
  return read(message, { milliseconds, share, remedy: 'simplify its @context.' })
}

/**
 * The same for a body of Turtle; what it calls `<>` is the resource that is told of.
 * @throws Problem 400 when the body is at fault or too costly, 503 when too many wait.
 */
export async function compactTurtle(text: string, context: Body, base: string, share: FairShare): Promise<Body> {
  const message = { body: text, context, base, ours: [] }
  return read(message, { milliseconds: limits.body, share, remedy: 'send less of it.' })
}

/**
 * Writes one of our documents in another form.
 * @param document with its context within it, as the "@context".
 * @throws Problem 503 when too many wait, or it takes too long.
 */
export async function convert(document: Body, form: Form, base: string, share = processShare): Promise<string> {
  return (await thread.run({
    message: { document, form, base } satisfies ConvertTask,
    share,
    urgent: true,
    most: waiting.documents,
    milliseconds: limits.document,
    refuse: (why) => new Error(`A document of ours cannot be written as ${form}: ${why}`),
    tooCostly: (what) => new Problem(503, `It takes ${what} to write this as ${form}: ask for application/ld+json.`),
  })) as string
}

async function read(
  message: CompactTask,
  { milliseconds, share, remedy }: { milliseconds: number; share: FairShare; remedy: string },
): Promise<Body> {
  return (await thread.run({
    message,
    share,
    most: waiting.bodies,
    milliseconds,
    refuse: (why) => new Problem(400, why),
    tooCostly: (what) => new Problem(400, `The body takes ${what} to process: ${remedy}`),
  })) as Body
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const isEmpty = (context: unknown) => context === null || (isObject(context) && Object.keys(context).length === 0)

/** Refuses a body that would be costly, before it costs anything, and tells which contexts it names. */
function weigh(body: unknown): string[] {
  const sum = { levels: 0, values: 0, contexts: 0, terms: 0 }
  const named: string[] = []

  function visit(value: unknown, level: number, isContext: boolean): void {
    sum.levels = Math.max(sum.levels, level)
    sum.values++
    if (isContext && !Array.isArray(value)) sum.contexts++
    if (isContext && isObject(value)) sum.terms += Object.keys(value).length
    if (isContext && typeof value === 'string') named.push(value)
    for (const what of Object.keys(most) as (keyof typeof most)[]) {
      if (sum[what] > most[what]) throw new Problem(400, `The body has more than ${most[what]} ${what}.`)
    }
    if (Array.isArray(value)) for (const item of value) visit(item, level + 1, isContext)
    else if (isObject(value)) for (const key in value) visit(value[key], level + 1, /^@(context|import)$/.test(key))
  }

  visit(body, 1, false)
  return named
}
