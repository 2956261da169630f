import { EventEmitter, once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { Logger, type Runner, run, type WorkerEventMap, type WorkerEvents } from 'graphile-worker'
import type { Pool } from 'pg'
import type { Logger as Log } from 'pino'
import { withCrashGuard } from './crashed-jobs.ts'
import { renewJobLocks } from './job-locks.ts'
import { reconnectingPool } from './reconnecting-pool.ts'

/** Background tasks by the name under which jobs are enqueued. */
export type Tasks = Record<string, (payload: never) => Promise<unknown>>

export interface Queue {
  /** Starts no new jobs and resolves when the running ones have finished. */
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
  let runner = await startRunner(work)
  const superviseRunner = async () => {
    while (!signal.aborted) {
      await runner.promise.catch(() => {})
      if (signal.aborted) return
      work.log.warn('job runner stopped; starting it again')
      await sleep(1000, undefined, { signal }).catch(() => {})
      if (signal.aborted) return
      runner = await startRunner(work).catch(() => runner)
    }
    // The stop arrived while the runner was starting.
    await runner.stop()
  }
  const supervised = superviseRunner()
  return {
    async stop() {
      stopping.abort()
      await runner.stop().catch(() => {})
      await supervised
    },
  }
}

async function startRunner({
  pool,
  tasks,
  crontab,
  log,
  pollIntervalMs = 2000,
  lockRenewalMs = 15_000,
  onReconnect,
}: QueueOptions): Promise<Runner> {
  const events: WorkerEvents = new EventEmitter()
  const created = once(events, 'pool:create')
  const runner = await run({
    pgPool: reconnectingPool(pool, () =>
      onReconnect?.().catch((error) => log.warn({ err: error }, 'could not re-enqueue pending jobs')),
    ),
    taskList: withCrashGuard(pool, tasks) as never,
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
