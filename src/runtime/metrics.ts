import { type RequestHandler, Router } from 'express'
import { collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { DataSource } from 'typeorm'
import { type AccessControl, authenticate } from '../hydra/http/authenticate.ts'
import { methodNotAllowed } from '../hydra/http/method-not-allowed.ts'
import { Problem } from '../hydra/model/problem.ts'
import { metricsReader } from './cluster/metrics-aggregation.ts'
import type { LogRequest } from './http/request-log.ts'

/** What the operator's monitoring sees of all processes of this server, in the text format of Prometheus. */
export interface Metrics {
  /** Takes the time of every request, and has it told of. */
  measure: RequestHandler
  /** `/metrics`, for the operator alone. */
  routes: Router
}

export function metrics(database: DataSource, access: AccessControl, tell?: LogRequest): Metrics {
  const [registry, shared] = [new Registry(), new Registry()]
  const read = metricsReader(registry)
  collectDefaultMetrics({ register: registry })
  const durations = new Histogram({
    name: 'http_request_duration_seconds',
    help: 'How long requests took, by method and status.',
    labelNames: ['method', 'status'],
    buckets: [0.005, 0.025, 0.1, 0.5, 2.5, 10],
    registers: [registry],
  })
  inbox(shared, database)
  const routes = Router({ caseSensitive: true, strict: true })
  routes.get('/metrics', async (request, response) => {
    const { role } = await authenticate(access, request, response)
    if (role === 'anonymous')
      throw new Problem(401, 'This needs the bearer token of the operator.', { 'WWW-Authenticate': 'Bearer' })
    if (role !== 'operator') throw new Problem(403, `This is for the role operator; yours is ${role}.`)
    response
      .set('Cache-Control', 'no-store')
      .type(registry.contentType)
      .send((await read()) + (await shared.metrics()))
  })
  methodNotAllowed(routes, '/metrics')
  return {
    measure(request, response, next) {
      const began = performance.now()
      response.once('close', () => {
        const seconds = (performance.now() - began) / 1000
        durations.observe({ method: request.method, status: response.statusCode }, seconds)
        tell?.(request, response, seconds)
      })
      next()
    },
    routes,
  }
}

/** What of Stripe's events is not done yet: the age says when something is stuck, the failed ones that somebody has to look. */
function inbox(registry: Registry, database: DataSource): void {
  new Gauge({
    name: 'stripe_events',
    help: 'Events of Stripe that wait, or that were put aside after failing too often.',
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
    help: 'For how long the event has waited that waits the longest.',
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
