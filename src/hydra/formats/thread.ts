import { Worker } from 'node:worker_threads'
import { Problem } from '../model/problem.ts'
import { FairQueue, type Queued } from './fair-queue.ts'

/** The thread's answer to a task: what it made, or what is wrong with the task, in words for the client. */
export type ThreadResult = { value: unknown } | { problem: string }

/** One task for a thread, and what to tell the client when it cannot be done. */
export interface ThreadTask extends Queued {
  message: object
  /** How many tasks its caller may have, with this one. */
  most: number
  milliseconds: number
  /** The task itself is at fault, in the thread's words. */
  refuse(why: string): Error
  /** The task takes more time or memory than it may. */
  tooCostly(what: string): Error
}

interface Settings {
  /** The module that runs in the thread, without its extension; it posts 'ready', and an Answer to each message. */
  module: URL
  megabytes: number
  /** Milliseconds without a task after which the thread ends; it stays unless given. */
  idle?: number
}

interface Waiting extends ThreadTask {
  tries: number
  began: number
  resolve(value: unknown): void
  reject(reason: Error): void
}

/** How many tasks may wait in all. */
const most = 256

const started = new Set<WorkerThread>()

/** Stops every thread; the tasks that wait for one are answered 503. */
export async function stopThreads(): Promise<void> {
  await Promise.all([...started].map((thread) => thread.stop()))
}

/** Runs costly tasks beside the event loop, one after another, each within its time and memory. */
export class WorkerThread {
  /** Tasks wait here, not in the thread, so that they outlive it. */
  private readonly queue = new FairQueue<Waiting>(most)
  private current: Waiting | undefined
  private worker: Worker | undefined
  private isReady = false
  private clock: NodeJS.Timeout | undefined

  constructor(private readonly settings: Settings) {}

  /** @throws Problem 503 when too many tasks wait; else what the task refuses with */
  run(task: ThreadTask): Promise<unknown> {
    const { queue, current } = this
    const { share } = task
    const inHand = current?.share.tenant === share.tenant && current.share.caller === share.caller
    if (queue.countOf(share) + Number(inHand) >= task.most)
      throw busy('You have too many requests of this kind at once', queue.seconds)
    return new Promise((resolve, reject) => {
      const givenUp = queue.add({ ...task, tries: 0, began: 0, resolve, reject })
      givenUp?.reject(busy('Too many requests of this kind wait', queue.seconds))
      if (!this.worker) this.start()
      else if (this.isReady && !current) this.next()
    })
  }

  /** Ends the thread; a later task starts it again. */
  async stop(): Promise<void> {
    for (const { reject } of [this.current ?? [], this.queue.clear()].flat())
      reject(new Problem(503, 'The server is stopping.', { 'Retry-After': '1' }))
    this.current = undefined
    await this.end()
  }

  /** Loading its module counts against no task's time. */
  private start(): void {
    const worker = this.open()
    this.worker = worker
    started.add(this)
    worker.on('message', (message: ThreadResult | 'ready') => {
      if (worker !== this.worker) return
      if (message === 'ready') this.isReady = true
      else this.settle(message)
      this.next()
    })
    worker.on('error', (error: NodeJS.ErrnoException) => {
      if (worker !== this.worker) return
      const isFull = error.code === 'ERR_WORKER_OUT_OF_MEMORY'
      // A thread may hold memory of earlier tasks: only a task that fills a fresh thread is itself too big.
      if (isFull && this.current?.tries === 1) this.restart()
      else this.abandon(isFull ? (this.current?.tooCostly('too much memory') ?? error) : error)
    })
  }

  /** Node 20 runs no TypeScript: from source, in development and in tests, tsx loads the module. */
  private open(): Worker {
    const { module, megabytes } = this.settings
    const options = { execArgv: [], resourceLimits: { maxOldGenerationSizeMb: megabytes } }
    if (import.meta.url.endsWith('.js')) return new Worker(new URL(`${module}.js`), options)
    const file = JSON.stringify(`${module}.ts`)
    const code = `import('tsx/esm/api').then(({ tsImport }) => tsImport(${file}, ${file}))`
    return new Worker(code, { ...options, eval: true })
  }

  private settle(answer: ThreadResult): void {
    const task = this.finish()
    if ('problem' in answer) task?.reject(task.refuse(answer.problem))
    else task?.resolve(answer.value)
  }

  /** Only a task in hand keeps the process alive, and only its own time counts; an answer that is in already beats the clock. */
  private next(): void {
    const { worker, settings } = this
    clearTimeout(this.clock)
    worker?.unref()
    this.current ??= this.queue.next()
    const task = this.current
    if (!task) {
      if (settings.idle) this.clock = setTimeout(() => this.end(), settings.idle).unref()
      return
    }
    task.tries++
    task.began = performance.now()
    worker?.ref()
    worker?.postMessage(task.message)
    const late = task.tooCostly(`more than ${task.milliseconds} ms`)
    this.clock = setTimeout(() => setImmediate(() => task === this.current && this.abandon(late)), task.milliseconds)
  }

  /** Gives up the task in hand and the thread that is lost on it; the tasks that wait get a new thread. */
  private abandon(reason: Error): void {
    this.finish()?.reject(reason)
    this.restart()
  }

  private finish(): Waiting | undefined {
    clearTimeout(this.clock)
    const task = this.current
    this.current = undefined
    if (task) this.queue.charge(task.share, performance.now() - task.began)
    return task
  }

  private restart(): void {
    this.end()
    if (this.current || this.queue.size > 0) this.start()
  }

  private async end(): Promise<void> {
    const { worker } = this
    clearTimeout(this.clock)
    this.worker = undefined
    this.isReady = false
    started.delete(this)
    await worker?.terminate()
  }
}

function busy(reason: string, seconds: number): Problem {
  return new Problem(503, `${reason}. Try again in ${seconds} s.`, { 'Retry-After': `${seconds}` })
}
