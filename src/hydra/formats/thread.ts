import { Worker } from 'node:worker_threads'
import { Problem } from '../model/problem.ts'
import { FairQueue, type Queued } from './fair-queue.ts'

/** The result of a task in a thread: its value, or a message for the client about the fault of the task. */
export type ThreadResult = { value: unknown } | { problem: string }

/** One task for a thread, with the errors for its failures. */
export interface ThreadTask extends Queued {
  message: object
  /** The tasks that one caller may have at the same time, including this one. */
  maxTasksPerCaller: number
  timeoutMs: number
  /** The error for an invalid task, from the thread's message. */
  failed(reason: string): Error
  /** The error for a task above its limit of time or memory; `cost` names the limit. */
  tooCostly(cost: string): Error
}

interface Settings {
  /** The module of the thread, without its extension. It posts 'ready', then a ThreadResult for each message. */
  module: URL
  maxMegabytes: number
  /** The thread ends after this time without a task; without this setting it never ends. */
  idleTimeoutMs?: number
}

interface WaitingTask extends ThreadTask {
  tries: number
  began: number
  resolve(value: unknown): void
  reject(reason: Error): void
}

/** Of all callers together. */
const maxWaitingTasks = 256

const started = new Set<WorkerThread>()

/** Stops every thread; waiting tasks fail with 503. */
export async function stopThreads(): Promise<void> {
  await Promise.all([...started].map((thread) => thread.stop()))
}

/** Runs expensive tasks outside the event loop, one after another, each with limits of time and memory. */
export class WorkerThread {
  /** Tasks wait here and not in the thread, so they survive its end. */
  private readonly queue = new FairQueue<WaitingTask>(maxWaitingTasks)
  private current: WaitingTask | undefined
  private worker: Worker | undefined
  private isReady = false
  private timer: NodeJS.Timeout | undefined

  constructor(private readonly settings: Settings) {}

  /** @throws Problem 503 when too many tasks wait, or the task's own error */
  run(task: ThreadTask): Promise<unknown> {
    const { queue, current } = this
    const { share } = task
    const isRunning = current?.share.tenant === share.tenant && current.share.caller === share.caller
    if (queue.countOf(share) + Number(isRunning) >= task.maxTasksPerCaller)
      throw busy('You have too many requests of this kind at once', queue.estimatedSeconds)
    return new Promise((resolve, reject) => {
      const dropped = queue.add({ ...task, tries: 0, began: 0, resolve, reject })
      dropped?.reject(busy('Too many requests of this kind wait', queue.estimatedSeconds))
      if (!this.worker) this.start()
      else if (this.isReady && !current) this.next()
    })
  }

  /** Ends the thread and rejects its tasks; a later task starts it again. */
  async stop(): Promise<void> {
    for (const { reject } of [this.current ?? [], this.queue.clear()].flat())
      reject(new Problem(503, 'The server is stopping.', { 'Retry-After': '1' }))
    this.current = undefined
    await this.end()
  }

  /** A task's time starts once the module is loaded. */
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
      // The memory of earlier tasks may fill a thread: only a task that fills a new thread is too big itself.
      if (isFull && this.current?.tries === 1) this.restart()
      else this.abandon(isFull ? (this.current?.tooCostly('too much memory') ?? error) : error)
    })
  }

  /** Node 20 runs no TypeScript: from source, in development and in tests, tsx loads the module. */
  private open(): Worker {
    const { module, maxMegabytes } = this.settings
    const options = { execArgv: [], resourceLimits: { maxOldGenerationSizeMb: maxMegabytes } }
    if (import.meta.url.endsWith('.js')) return new Worker(new URL(`${module}.js`), options)
    const file = JSON.stringify(`${module}.ts`)
    const code = `import('tsx/esm/api').then(({ tsImport }) => tsImport(${file}, ${file}))`
    return new Worker(code, { ...options, eval: true })
  }

  private settle(result: ThreadResult): void {
    const task = this.finish()
    if ('problem' in result) task?.reject(task.failed(result.problem))
    else task?.resolve(result.value)
  }

  /** Starts the next task. Only a running task keeps the process alive; a result that has already arrived wins over the timeout. */
  private next(): void {
    const { worker, settings } = this
    clearTimeout(this.timer)
    worker?.unref()
    this.current ??= this.queue.next()
    const task = this.current
    if (!task) {
      if (settings.idleTimeoutMs) this.timer = setTimeout(() => this.end(), settings.idleTimeoutMs).unref()
      return
    }
    task.tries++
    task.began = performance.now()
    worker?.ref()
    worker?.postMessage(task.message)
    const timeout = task.tooCostly(`more than ${task.timeoutMs} ms`)
    this.timer = setTimeout(() => setImmediate(() => task === this.current && this.abandon(timeout)), task.timeoutMs)
  }

  /** Rejects the running task and ends its thread; waiting tasks get a new thread. */
  private abandon(reason: Error): void {
    this.finish()?.reject(reason)
    this.restart()
  }

  private finish(): WaitingTask | undefined {
    clearTimeout(this.timer)
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
    clearTimeout(this.timer)
    this.worker = undefined
    this.isReady = false
    started.delete(this)
    await worker?.terminate()
  }
}

function busy(reason: string, seconds: number): Problem {
  return new Problem(503, `${reason}. Try again in ${seconds} s.`, { 'Retry-After': `${seconds}` })
}
