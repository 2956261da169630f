import cluster, { type Worker } from 'node:cluster'
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import { RateLimiterClusterMaster } from 'rate-limiter-flexible'
import { closeSharedPort } from '../http/shared-port.ts'
import { watchHeartbeat } from './heartbeat.ts'
import { aggregateMetrics } from './metrics-aggregation.ts'

export interface ClusterOptions {
  count: number
  /** Variables that tell workers where the embedded services listen. */
  environment: Record<string, string>
  /** Resolves when the server stops; workers are not restarted after that. */
  stopRequested: Promise<void>
  log: Logger
}

/** The wait before a worker is restarted. It doubles with each crash until a worker has run for a while. */
const backoff = { minMs: 100, maxMs: 30_000, resetAfterMs: 60_000 }

/** Workers are killed after this time, one second more than each gives its requests. */
const stopTimeoutMs = 11_000

/**
 * Starts workers, and restarts each that dies.
 * @returns a function that stops them, once all of them listen
 */
export async function startWorkers(options: ClusterOptions): Promise<() => Promise<void>> {
  const { count, environment, stopRequested, log } = options
  // Workers accept connections themselves. The parent could pass one to a dying worker, where it is never answered or closed.
  cluster.schedulingPolicy = cluster.SCHED_NONE
  new RateLimiterClusterMaster()
  aggregateMetrics()
  let stopping = false
  stopRequested.then(() => {
    stopping = true
  })
  const startWorker = (number: number, delayMs = backoff.minMs): Worker => {
    const began = Date.now()
    const worker = cluster.fork({ ...environment, WORKER: String(number) })
    const restart = async (reason: string | number) => {
      const restartMs = Date.now() - began > backoff.resetAfterMs ? backoff.minMs : delayMs
      // A worker that dies during the start stops the whole start, which is known one turn later.
      await nextTurn()
      if (stopping) return
      log.error({ worker: worker.process.pid, reason, restartMs }, 'A worker has ended. It is restarted.')
      await sleep(restartMs, undefined, { ref: false })
      if (!stopping) startWorker(number, Math.min(restartMs * 2, backoff.maxMs))
    }
    // Heartbeats begin when the worker listens, because a slow start looks like a blocked event loop.
    worker.once('listening', () => watchHeartbeat(worker, log))
    worker.once('exit', (code, signal) => restart(signal ?? code))
    // A worker that could not be forked has no exit. Other errors are messages to a worker that has just died.
    worker.on('error', ({ message }) => worker.process.pid === undefined && restart(message))
    return worker
  }
  const stop = () => {
    stopping = true
    return stopWorkers(Object.values(cluster.workers ?? {}) as Worker[])
  }
  try {
    const listening = Array.from({ length: count }, (_, index) => untilListening(startWorker(index + 1)))
    await Promise.race([Promise.all(listening), stopRequested])
    return stop
  } catch (error) {
    await stop()
    throw error
  }
}

function untilListening(worker: Worker): Promise<void> {
  return new Promise((resolve, reject) => {
    worker.once('listening', () => resolve())
    const sentence = 'A worker ended before it listened. Its log lines say why.'
    worker.once('exit', () => reject(new Error(sentence)))
    worker.once('error', (error) => reject(new Error(sentence, { cause: error })))
  })
}

/** Drains workers, and kills those that take too long. */
async function stopWorkers(workers: Worker[]): Promise<void> {
  const alive = workers.filter((worker) => !worker.isDead())
  closeSharedPort(alive)
  await Promise.all(
    alive.map(async (worker) => {
      const exited = new Promise((resolve) => worker.once('exit', resolve))
      worker.process.kill('SIGTERM')
      sleep(stopTimeoutMs, undefined, { ref: false }).then(() => worker.process.kill('SIGKILL'))
      await exited
    }),
  )
}
