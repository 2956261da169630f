import { Worker } from 'node:worker_threads'
import type { Answer, Task } from './jsonld-worker.ts'
import { Problem } from './problem.ts'

/** What a body may cost before it is processed, then what processing it may cost. */
const most = { levels: 32, values: 10_000, contexts: 8, terms: 1_000 }
const limits = { waiting: 32, milliseconds: 1_000, megabytes: 128 }

const remedy = 'simplify its @context.'

interface Job {
  task: Task
  milliseconds: number
  tries: number
  resolve(value: Record<string, unknown>): void
  reject(reason: Error): void
}

/** The first is being processed, the others wait here, not in the thread, so that they outlive it. */
const queue: Job[] = []
let thread: Worker | undefined
let clock: NodeJS.Timeout | undefined

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
 * @param bounds `ours` tells which of the contexts named in the body are our own; `milliseconds` is how long it may take.
 * @throws Problem 400 when the body is at fault or too costly, 503 when too many wait.
 */
export async function compact(
  body: unknown,
  context: Record<string, unknown>,
  base: string,
  bounds: { milliseconds?: number; ours?: (context: unknown) => boolean } = {},
): Promise<Record<string, unknown>> {
  const { milliseconds = limits.milliseconds, ours = () => false } = bounds
  const known = weigh(body).filter(ours)
  if (queue.length >= limits.waiting) {
    throw new Problem(503, 'Too many JSON-LD bodies are waiting to be processed: try again.', { 'Retry-After': '1' })
  }
  const task = { body: body as object, context, base, ours: known.map((iri) => new URL(iri, base).href) }
  return new Promise((resolve, reject) => {
    const isIdle = thread && queue.length === 0
    thread ??= start()
    queue.push({ task, milliseconds, tries: 0, resolve, reject })
    if (isIdle) next(thread)
  })
}

/** Stops the thread; what still waits for it is answered 503. */
export async function stopJsonld(): Promise<void> {
  const stopped = thread
  thread = undefined
  clearTimeout(clock)
  for (const { reject } of queue.splice(0)) reject(new Problem(503, 'The server is stopping.', { 'Retry-After': '1' }))
  await stopped?.terminate()
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

/** A thread says 'ready' once it has loaded jsonld, which counts against nobody's time. */
function start(): Worker {
  const worker = open()
  worker.on('message', (message: Answer | 'ready') => {
    if (worker !== thread) return
    if (message !== 'ready') settle(message)
    next(worker)
  })
  worker.on('error', (error: NodeJS.ErrnoException) => {
    if (worker !== thread) return
    const isFull = error.code === 'ERR_WORKER_OUT_OF_MEMORY'
    // jsonld keeps the contexts of earlier bodies: only one that fills a fresh thread is itself too big.
    if (isFull && queue[0]?.tries === 1) restart()
    else abandon(isFull ? new Problem(400, `The body takes too much memory to process: ${remedy}`) : error)
  })
  return worker
}

/** Node 20 runs no TypeScript: from source, in development and in tests, tsx loads the thread's file. */
function open(): Worker {
  const options = { execArgv: [], resourceLimits: { maxOldGenerationSizeMb: limits.megabytes } }
  if (import.meta.url.endsWith('.js')) return new Worker(new URL('./jsonld-worker.js', import.meta.url), options)
  const file = JSON.stringify(new URL('./jsonld-worker.ts', import.meta.url).href)
  const code = `import('tsx/esm/api').then(({ tsImport }) => tsImport(${file}, ${file}))`
  return new Worker(code, { ...options, eval: true })
}

function settle(answer: Answer): void {
  clearTimeout(clock)
  const job = queue.shift()
  if ('problem' in answer) job?.reject(new Problem(400, answer.problem))
  else job?.resolve(answer.value)
}

/** Only a job in hand keeps the process alive, and only its own time counts; an answer that is in already beats the clock. */
function next(worker: Worker): void {
  worker.unref()
  const [job] = queue
  if (!job) return
  job.tries++
  worker.ref()
  worker.postMessage(job.task)
  const late = new Problem(400, `The body takes more than ${job.milliseconds} ms to process: ${remedy}`)
  clock = setTimeout(() => setImmediate(() => job === queue[0] && abandon(late)), job.milliseconds)
}

/** Gives up the job in hand and the thread that is lost on it; those that wait get a new one. */
function abandon(reason: Error): void {
  queue.shift()?.reject(reason)
  restart()
}

function restart(): void {
  clearTimeout(clock)
  thread?.terminate()
  thread = queue.length > 0 ? start() : undefined
}
