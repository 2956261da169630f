import cluster, { type Worker } from 'node:cluster'
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises'
import type { Logger } from 'pino'
import { RateLimiterClusterMaster } from 'rate-limiter-flexible'
import { releasePort } from '../http/shared-port.ts'
import { watchHeartbeat } from './heartbeat.ts'
import { aggregateMetrics } from './metrics-aggregation.ts'

/** What processes that serve are started with. */
export interface ClusterOptions {
  count: number
  /** How they reach what has been started for them, in variables as anybody would set them. */
  environment: Record<string, string>
  /** From when on nobody is started again. */
  leaving: Promise<void>
  log: Logger
}

/** Milliseconds until one that died is started again: twice as long each time, until it has lived for a while. */
const pause = { least: 100, most: 30_000, lived: 60_000 }

/** Milliseconds until they are ended: a second more than each gives its requests. */
const patience = 11_000

/** Starts processes that serve, and another for each that dies; gives back, once all of them listen, how to stop them. */
export async function startWorkers({ count, environment, leaving, log }: ClusterOptions): Promise<() => Promise<void>> {
  // Each accepts by itself: what the first process hands to one that is dying is never answered, and never cut.
  cluster.schedulingPolicy = cluster.SCHED_NONE
  new RateLimiterClusterMaster()
  aggregateMetrics()
  let stopping = false
  leaving.then(() => {
    stopping = true
  })
  const begin = (place: number, wait = pause.least): Worker => {
    const began = Date.now()
    const worker = cluster.fork({ ...environment, WORKER: String(place) })
    const ended = async (how: string | number) => {
      const again = Date.now() - began > pause.lived ? pause.least : wait
      // Until then the start may have been given up for this.
      await turn()
      if (stopping) return
      log.error({ worker: worker.process.pid, ended: how, again }, 'a worker has ended, and is started again')
      await sleep(again, undefined, { ref: false })
      if (!stopping) begin(place, Math.min(again * 2, pause.most))
    }
    // A slow start is not taken for a blocked loop.
    worker.once('listening', () => watchHeartbeat(worker, log))
    worker.once('exit', (code, signal) => ended(signal ?? code))
    // What is sent to one that has just died is lost, and that is all; but one that could not be made has no end, either.
    worker.on('error', ({ message }) => worker.process.pid === undefined && ended(message))
    return worker
  }
  const stop = () => {
    stopping = true
    return end(Object.values(cluster.workers ?? {}) as Worker[])
  }
  try {
    const all = Array.from({ length: count }, (_, index) => listens(begin(index + 1)))
    await Promise.race([Promise.all(all), leaving])
    return stop
  } catch (error) {
    await stop()
    throw error
  }
}

function listens(worker: Worker): Promise<void> {
  return new Promise((resolve, reject) => {
    worker.once('listening', () => resolve())
    const sentence = 'A worker ended before it listened: what it logged says why.'
    worker.once('exit', () => reject(new Error(sentence)))
    worker.once('error', (error) => reject(new Error(sentence, { cause: error })))
  })
}

/** Has them finish what is under way. */
async function end(workers: Worker[]): Promise<void> {
  const alive = workers.filter((worker) => !worker.isDead())
  releasePort(alive)
  await Promise.all(
    alive.map(async (worker) => {
      const gone = new Promise((resolve) => worker.once('exit', resolve))
      worker.process.kill('SIGTERM')
      sleep(patience, undefined, { ref: false }).then(() => worker.process.kill('SIGKILL'))
      await gone
    }),
  )
}
