import type { Logger } from 'pino'
import { withTimeout } from '../start/with-timeout.ts'

/**
 * The phases of a shutdown in their order, each with its deadline in milliseconds from the start of the shutdown.
 * The steps of one phase run at the same time.
 */
const phases = { work: 11_500, external: 12_500, database: 14_000, directory: 14_200 }

/** The process exits after this time even if a step hangs, so that a supervisor that waits 15 s need not kill it. */
const exitAfterMs = 14_500

/** A shutdown waits this long for a start that is not complete, so that it can be undone in order. */
const startTimeoutMs = 3000

type Phase = keyof typeof phases

interface Step {
  phase: Phase
  name: string
  stop(): Promise<unknown>
}

/** Stops everything that a process has started. Each step has a deadline, so one that hangs does not block the others. */
export class ShutdownSteps {
  private readonly steps: Step[] = []
  private readonly interrupted: Promise<never>
  private stopping = false

  constructor(
    private readonly log: Logger,
    stopRequested: Promise<void>,
  ) {
    this.interrupted = stopRequested.then(() => {
      this.stopping = true
      throw new Error('The process is stopping.')
    })
    this.interrupted.catch(() => {})
  }

  add(phase: Phase, name: string, stop: () => Promise<unknown>): void {
    this.steps.push({ phase, name, stop })
  }

  /** Starts a part of the process and adds its stop, which also runs when the process stops before the start is complete. */
  start<T>(phase: Phase, name: string, starting: Promise<T>, stop: (started: T) => Promise<unknown>): Promise<T> {
    this.add(phase, name, async () => {
      let started: { value: T } | undefined
      const settled = starting.then(
        (value) => {
          started = { value }
        },
        () => {},
      )
      if (!(await withTimeout(startTimeoutMs, settled)))
        throw new Error(`Its start was not complete after ${startTimeoutMs} ms.`)
      if (started) await stop((started as { value: T }).value)
    })
    return this.unlessStopping(starting)
  }

  /** @throws Error as soon as the process is told to stop */
  unlessStopping<T>(promise: Promise<T>): Promise<T> {
    return Promise.race([promise, this.interrupted])
  }

  /** Runs a process to its end, then stops everything that it has started. The process exits by force if a step fails. */
  async runUntilStopped(work: () => Promise<void>): Promise<void> {
    try {
      await work().catch((error) => {
        // A start that is interrupted fails with any error.
        if (!this.stopping) throw error
      })
    } finally {
      await this.stopAll()
    }
  }

  private async stopAll(): Promise<void> {
    const began = performance.now()
    setTimeout(() => {
      this.log.fatal(`The process did not end within ${exitAfterMs} ms and exits by force.`)
      process.exit(1)
    }, exitAfterMs).unref()
    let clean = true
    for (const phase of Object.keys(phases) as Phase[]) {
      const remainingMs = () => Math.max(0, phases[phase] - (performance.now() - began))
      const steps = this.steps.filter((step) => step.phase === phase)
      const stopped = await Promise.all(steps.map((step) => this.stop(step, remainingMs())))
      clean &&= stopped.every(Boolean)
    }
    // A step that has failed may keep the process alive.
    if (!clean) process.exit(1)
  }

  private async stop({ name, stop }: Step, timeoutMs: number): Promise<boolean> {
    try {
      if (await withTimeout(timeoutMs, stop())) return true
      this.log.error(`${name} did not stop in time.`)
    } catch (error) {
      this.log.error({ err: error }, `${name} could not be stopped.`)
    }
    return false
  }
}
