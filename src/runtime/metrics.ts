import { type RequestHandler, type Response, Router } from 'express'
import { collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { DataSource } from 'typeorm'
import { type AccessControl, type Api, authenticate, type FairPool, methodNotAllowed, Problem } from '../hydra/index.ts'
import { metricsReader } from './cluster/metrics-aggregation.ts'
import { requestDurations } from './http/request-durations.ts'
import type { LogRequest } from './http/request-log.ts'

/** The metrics of all processes of this server, in the text format of Prometheus. */
export interface Metrics {
  /** Measures the duration of each request, and logs it. */
  measure: RequestHandler
  /** `/metrics`, for the operator only. */
  routes: Router
}

/** The key of the moment at which a request arrived. */
const began = Symbol('the arrival of a request')

type Timed = Response & { [began]?: number }

/** The parts of the server that are measured. */
interface Measured {
  logRequest?: LogRequest
  reads?: FairPool['batches']
  streams?: ReturnType<Api['changeStreams']>
}

export function metrics(
  database: DataSource,
  access: AccessControl,
  { logRequest, reads, streams }: Measured,
): Metrics {
  const [registry, shared] = [new Registry(), new Registry()]
  const read = metricsReader(registry)
  collectDefaultMetrics({ register: registry })
  const observe = requestDurations(registry)
  if (reads) measureBatches(registry, reads)
  if (streams) measureStreams(registry, streams)
  countPendingWork(shared, database)
  const routes = Router({ caseSensitive: true, strict: true })
  routes.get('/metrics', async (request, response) => {
    const { role } = await authenticate(access, request, response)
    if (role === 'anonymous')
      throw new Problem(401, 'The metrics are for the operator. Send its bearer token.', {
        'WWW-Authenticate': 'Bearer',
      })
    if (role !== 'operator') throw new Problem(403, `The metrics are for the role operator. Your role is ${role}.`)
    response
      .set('Cache-Control', 'no-store')
      .type(registry.contentType)
      .send((await read()) + (await shared.metrics()))
  })
  methodNotAllowed(routes, '/metrics')
  // One listener for all responses: it takes the response from `this`, so no request allocates a function.
  function onClose(this: Timed): void {
    const seconds = (performance.now() - (this[began] as number)) / 1000
    // A stream stays open for hours, which says nothing about the speed of answers.
    if (!isStream(this)) observe(this.req.method, this.statusCode, seconds)
    logRequest?.(this.req, this, seconds)
  }
  return {
    measure(_request, response: Timed, next) {
      response[began] = performance.now()
      response.on('close', onClose)
      next()
    },
    routes,
  }
}

/** Measures how many reads travel together: 1 means that reads do not wait for each other. */
function measureBatches(registry: Registry, reads: NonNullable<FairPool['batches']>): void {
  const sizes = new Histogram({
    name: 'database_batch_keys',
    help: 'Keys in each batch of reads that was sent to the database.',
    buckets: [1, 2, 4, 8, 16, 32, 64, 128, 256],
    registers: [registry],
  })
  reads.onBatch = (keys) => sizes.observe(keys)
}

function isStream(response: Response): boolean {
  return String(response.getHeader('Content-Type')).startsWith('text/event-stream')
}

/** Counts open streams. A long lag shows a slow database, or a lost connection that listens. */
function measureStreams(registry: Registry, streams: ReturnType<Api['changeStreams']>): void {
  new Gauge({
    name: 'change_streams_open',
    help: 'Open streams of changes.',
    registers: [registry],
    collect() {
      this.set(streams.open)
    },
  })
  const lags = new Histogram({
    name: 'change_stream_lag_seconds',
    help: 'Time from the first write of changes until streams have read them.',
    buckets: [0.05, 0.1, 0.5, 1, 5, 30],
    registers: [registry],
  })
  streams.onLag = (seconds) => lags.observe(seconds)
}

/** Counts Stripe's events and jobs that are not done. A high age shows a stuck queue; failed events need an operator. */
function countPendingWork(registry: Registry, database: DataSource): void {
  new Gauge({
    name: 'stripe_events',
    help: 'Stripe events that are pending, or dead-lettered after failing too often.',
    labelNames: ['status'],
    registers: [registry],
    async collect() {
      for (const status of ['pending', 'failed']) {
        const [{ count }] = await database.query(`SELECT count(*)::int FROM "stripe_event" WHERE "status" = $1`, [
          status,
        ])
        this.set({ status }, count)
      }
    },
  })
  new Gauge({
    name: 'jobs_dead',
    help: 'Jobs that were dead-lettered because their process ended too often while they ran.',
    registers: [registry],
    async collect() {
      const [{ count }] = await database.query(`SELECT count(*)::int FROM "job_crash" WHERE "deadAt" IS NOT NULL`)
      this.set(count)
    },
  })
  new Gauge({
    name: 'stripe_events_oldest_pending_seconds',
    help: 'Age of the oldest pending Stripe event.',
    registers: [registry],
    async collect() {
      const [{ age }] = await database.query(
        `SELECT coalesce(extract(epoch FROM now() - min("receivedAt")), 0)::float AS "age"
          FROM "stripe_event" WHERE "status" = 'pending'`,
      )
      this.set(age)
    },
  })
}
