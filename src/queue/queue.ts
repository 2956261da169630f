import { EventEmitter, once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { Logger, type Runner, run, type WorkerEventMap, type WorkerEvents } from 'graphile-worker'
import type { Pool } from 'pg'
import type { Logger as Log } from 'pino'
import { withTimeout } from '../start/with-timeout.ts'
import { withCrashGuard } from './crashed-jobs.ts'
import { renewJobLocks } from './job-locks.ts'
import { reconnectingPool } from './reconnecting-pool.ts'

/** Background tasks by the name under which jobs are enqueued. */
export type Tasks = Record<string, (payload: never) => Promise<unknown>>

export interface Queue {
  /** Starts no new jobs and resolves when the running ones have finished and, at best, their end is stored. */
  stop(): Promise<void>
}

export interface QueueOptions {
  pool: Pool
  tasks: Tasks
  /** Scheduled tasks, in the notation of crontab(5), in UTC. */
  crontab: string
  log: Log
  /** The interval of polling for jobs with a start time; Postgres notifies at once about jobs without one. */
  pollIntervalMs?: number
  /** The interval of renewing the locks of running jobs; a lock expires after a minute. */
  lockRenewalMs?: number
  /**
   * The time that a stop gives the queue to store the end of its jobs. After an outage of Postgres, graphile-worker repeats that
   * query late. A job whose end is not stored runs again when its lock has expired.
   */
  storeTimeoutMs?: number
  /** Runs when Postgres answers again after an outage, to re-enqueue work whose jobs were lost in it. */
  onReconnect?: () => Promise<unknown>
}

/** Jobs that one process runs at a time. The pool needs four connections more than that. */
export const concurrency = 4

const levels = { error: 'error', warning: 'warn', info: 'debug', debug: 'trace' } as const

/** Runs jobs until it is stopped. A runner that fails, for example when Postgres restarts, is started again. */
export async function startQueue(work: QueueOptions): Promise<Queue> {
  const stopping = new AbortController()
  const { signal } = stopping
  const running = new Set<Promise<unknown>>()
  let runner = await startRunner(work, running)
  const superviseRunner = async () => {
    while (!signal.aborted) {
      await runner.promise.catch(() => {})
      if (signal.aborted) return
      work.log.warn('job runner stopped; starting it again')
      await sleep(1000, undefined, { signal }).catch(() => {})
      if (signal.aborted) return
      runner = await startRunner(work, running).catch(() => runner)
    }
    // The stop arrived while the runner was starting.
    await runner.stop()
  }
  const supervised = superviseRunner()
  return {
    async stop() {
      stopping.abort()
      const stopped = runner
        .stop()
        .catch(() => {})
        .then(() => supervised)
      let stored = false
      // A query for a job that was in flight at the stop may have started one meanwhile.
      do {
        await Promise.race([stopped, Promise.allSettled(running)])
        stored = await withTimeout(work.storeTimeoutMs ?? 3000, stopped)
      } while (!stored && running.size > 0)
      if (!stored) work.log.warn('the end of a job could not be stored, so the job runs again')
    },
  }
}

/** Tasks whose runs are in a set until they end. */
function recorded(tasks: ReturnType<typeof withCrashGuard>, running: Set<Promise<unknown>>): typeof tasks {
  const record =
    (task: (typeof tasks)[string]): typeof task =>
    (payload, helpers) => {
      const run = task(payload, helpers)
      running.add(run)
      return run.finally(() => running.delete(run))
    }
  return Object.fromEntries(Object.entries(tasks).map(([name, task]) => [name, record(task)]))
}

/** @param running the jobs that run, which it keeps current */
async function startRunner(
  { pool, tasks, crontab, log, pollIntervalMs = 2000, lockRenewalMs = 15_000, onReconnect }: QueueOptions,
  running: Set<Promise<unknown>>,
): Promise<Runner> {
  const events: WorkerEvents = new EventEmitter()
  const created = once(events, 'pool:create')
  const runner = await run({
    pgPool: reconnectingPool(pool, () =>
      onReconnect?.().catch((error) => log.warn({ err: error }, 'could not re-enqueue pending jobs')),
    ),
    taskList: recorded(withCrashGuard(pool, tasks), running) as never,
    crontab,
    concurrency,
    pollInterval: pollIntervalMs,
    noHandleSignals: true,
    events,
    logger: new Logger(() => (level, message, details) => {
      const { error } = (details ?? {}) as { error?: unknown }
      log[levels[level as keyof typeof levels] ?? 'debug']({ err: error }, message)
    }),
  })
  const [{ workerPool }] = (await created) as [WorkerEventMap['pool:create']]
  const renewing = setInterval(() => {
    renewJobLocks(pool, workerPool.id).catch((error) =>
      log.warn({ err: error }, 'could not renew the locks of running jobs'),
    )
  }, lockRenewalMs)
  runner.promise.catch(() => {}).finally(() => clearInterval(renewing))
  return runner
}
