import { Worker } from 'node:worker_threads'
import type { Answer, Reading, Writing } from './jsonld-worker.ts'
import { Problem } from './problem.ts'

/** How many may wait, and what each may take. */
const limits = { bodies: 32, documents: 256, megabytes: 128 }

/** One task for the thread, and what to tell the client when it cannot be done. */
export interface Job {
  task: Reading | Writing
  milliseconds: number
  /** The task itself is at fault, in the thread's words. */
  refuse(why: string): Error
  /** It takes more than it may, of time or memory. */
  tooCostly(what: string): Error
}

interface Waiting extends Job {
  tries: number
  resolve(value: unknown): void
  reject(reason: Error): void
}

/** The first is being processed, the others wait here, not in the thread, so that they outlive it. */
const queue: Waiting[] = []
let thread: Worker | undefined
let clock: NodeJS.Timeout | undefined

/** Has the thread do a job; our own documents go before what clients sent, which may be slow on purpose. */
export function queued(job: Job): Promise<unknown> {
  const writes = (other: Job) => 'form' in other.task
  const [before, most] = writes(job) ? [queue.filter(writes).length, limits.documents] : [queue.length, limits.bodies]
  if (before >= most)
    throw new Problem(503, 'Too much JSON-LD is waiting to be processed: try again.', { 'Retry-After': '1' })
  return new Promise((resolve, reject) => {
    const isIdle = thread && queue.length === 0
    thread ??= start()
    const first = queue.findIndex((other, place) => place > 0 && !writes(other))
    queue.splice(writes(job) && first > 0 ? first : queue.length, 0, { ...job, tries: 0, resolve, reject })
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
    else abandon(isFull ? (queue[0]?.tooCostly('too much memory') ?? error) : error)
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
  if ('problem' in answer) job?.reject(job.refuse(answer.problem))
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
  const late = job.tooCostly(`more than ${job.milliseconds} ms`)
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
