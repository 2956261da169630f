import type { Logger } from 'pino'
import { withTimeout } from '../start/with-timeout.ts'

/** Milliseconds from the start of the shutdown until each kind of ending is given up; those of one kind run at the same time. */
const deadlines = { work: 11_500, outside: 12_500, database: 14_000, directory: 14_200 }

/** Milliseconds until the process exits whatever still hangs: a supervisor that waits 15 s need not kill it. */
const last = 14_500

/** Milliseconds that the shutdown waits for what is still starting, so that it can be ended in order. */
const startup = 3000

type Kind = keyof typeof deadlines

interface Ending {
  kind: Kind
  name: string
  end(): Promise<unknown>
}

/** Ends what a process has started: each ending has a deadline, so none that hangs keeps the others or the process. */
export class ShutdownSteps {
  private readonly all: Ending[] = []
  private readonly interrupted: Promise<never>
  private told = false

  constructor(
    private readonly log: Logger,
    leaving: Promise<void>,
  ) {
    this.interrupted = leaving.then(() => {
      this.told = true
      throw new Error('The process was told to stop.')
    })
    this.interrupted.catch(() => {})
  }

  add(kind: Kind, name: string, end: () => Promise<unknown>): void {
    this.all.push({ kind, name, end })
  }

  /** Starts something that is ended with the process, even if the process is told to stop before the start is complete. */
  start<T>(kind: Kind, name: string, starting: Promise<T>, end: (started: T) => Promise<unknown>): Promise<T> {
    this.add(kind, name, async () => {
      let started: { value: T } | undefined
      const settled = starting.then(
        (value) => {
          started = { value }
        },
        () => {},
      )
      if (!(await withTimeout(startup, settled))) throw new Error(`It was still starting after ${startup} ms.`)
      if (started) await end((started as { value: T }).value)
    })
    return this.unlessStopping(starting)
  }

  /** @throws an Error as soon as the process is told to stop */
  unlessStopping<T>(something: Promise<T>): Promise<T> {
    return Promise.race([something, this.interrupted])
  }

  /** Does the work of the process, ends all that it has started, and exits by force where something cannot be ended. */
  async runUntilStopped(work: () => Promise<void>): Promise<void> {
    try {
      await work().catch((error) => {
        // A start that is interrupted fails in one way or another.
        if (!this.told) throw error
      })
    } finally {
      await this.run()
    }
  }

  private async run(): Promise<void> {
    const began = performance.now()
    setTimeout(() => {
      this.log.fatal(`The process did not end within ${last} ms and exits by force.`)
      process.exit(1)
    }, last).unref()
    let clean = true
    for (const kind of Object.keys(deadlines) as Kind[]) {
      const left = () => Math.max(0, deadlines[kind] - (performance.now() - began))
      const endings = this.all.filter((ending) => ending.kind === kind)
      const ended = await Promise.all(endings.map((ending) => this.end(ending, left())))
      clean &&= ended.every(Boolean)
    }
    // What was given up may hold the process open.
    if (!clean) process.exit(1)
  }

  private async end({ name, end }: Ending, patience: number): Promise<boolean> {
    try {
      if (await withTimeout(patience, end())) return true
      this.log.error(`${name} did not end in time and is given up.`)
    } catch (error) {
      this.log.error({ err: error }, `${name} could not be ended.`)
    }
    return false
  }
}
