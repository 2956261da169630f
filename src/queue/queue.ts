import { EventEmitter, once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { Logger, type Runner, run, type WorkerEventMap, type WorkerEvents } from 'graphile-worker'
import type { Pool } from 'pg'
import type { Logger as Log } from 'pino'
import { guarded } from './crashed-jobs.ts'
import { renew } from './job-locks.ts'
import { reconnectingPool } from './reconnecting-pool.ts'

/** What is done in the background, by the name under which it is enqueued. */
export type Tasks = Record<string, (payload: never) => Promise<unknown>>

export interface Queue {
  /** Finishes what is under way and begins nothing new. */
  stop(): Promise<void>
}

export interface Work {
  pool: Pool
  tasks: Tasks
  /** What is begun by the clock, in the notation of crontab(5), in UTC. */
  crontab: string
  log: Log
  /** How often, in milliseconds, it is looked for jobs that were to wait; Postgres tells at once of those that need not. */
  poll?: number
  /** How often, in milliseconds, it is said that the jobs under way are; after a minute without that, others take them. */
  renewal?: number
  /** Done when Postgres is back after it was away: nobody may be left at what was under way then. */
  back?: () => Promise<unknown>
}

/** How many jobs one process does at a time; the pool needs as many connections and four more. */
export const concurrency = 4

const levels = { error: 'error', warning: 'warn', info: 'debug', debug: 'trace' } as const

/** Does jobs until it is stopped; a queue that breaks, as when Postgres goes away, is set up again. */
export async function startQueue(work: Work): Promise<Queue> {
  const leaving = new AbortController()
  const { signal } = leaving
  let runner = await begin(work)
  const keep = async () => {
    while (!signal.aborted) {
      await runner.promise.catch(() => {})
      if (signal.aborted) return
      work.log.warn('The queue of jobs has stopped; it is set up again.')
      await sleep(1000, undefined, { signal }).catch(() => {})
      if (signal.aborted) return
      runner = await begin(work).catch(() => runner)
    }
    // It was told to stop while it was set up.
    await runner.stop()
  }
  const kept = keep()
  return {
    async stop() {
      leaving.abort()
      await runner.stop().catch(() => {})
      await kept
    },
  }
}

async function begin({ pool, tasks, crontab, log, poll = 2000, renewal = 15_000, back }: Work): Promise<Runner> {
  const events: WorkerEvents = new EventEmitter()
  const created = once(events, 'pool:create')
  const runner = await run({
    pgPool: reconnectingPool(pool, () =>
      back?.().catch((error) => log.warn({ err: error }, 'what waits could not be rung for')),
    ),
    taskList: guarded(pool, tasks) as never,
    crontab,
    concurrency,
    pollInterval: poll,
    noHandleSignals: true,
    events,
    logger: new Logger(() => (level, message, details) => {
      const { error } = (details ?? {}) as { error?: unknown }
      log[levels[level as keyof typeof levels] ?? 'debug']({ err: error }, message)
    }),
  })
  const [{ workerPool }] = (await created) as [WorkerEventMap['pool:create']]
  const renewing = setInterval(() => {
    renew(pool, workerPool.id).catch((error) => log.warn({ err: error }, 'jobs under way could not be kept'))
  }, renewal)
  runner.promise.catch(() => {}).finally(() => clearInterval(renewing))
  return runner
}
