import { type RequestHandler, type Response, Router } from 'express'
import { collectDefaultMetrics, Registry } from 'prom-client'
import type { DataSource } from 'typeorm'
import { type AccessControl, type Api, authenticate, methodNotAllowed, Problem } from '../../hydra/index.ts'
import { metricsReader } from '../cluster/metrics-aggregation.ts'
import type { LogRequest } from '../http/request-log.ts'
import { routeOf } from '../http/route-of.ts'
import { measurePools, measureStreams } from './gauges.ts'
import { countPendingWork } from './pending-work.ts'
import { requestDurations } from './request-durations.ts'

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
  /** Undefined where LOG_LEVEL hides the lines of requests. */
  logRequest: LogRequest | undefined
  pools: Api['pools']
  streams: ReturnType<Api['changeStreams']>
}

export function metrics(
  database: DataSource,
  access: AccessControl,
  { logRequest, pools, streams }: Measured,
): Metrics {
  const [registry, shared] = [new Registry(), new Registry()]
  const read = metricsReader(registry)
  collectDefaultMetrics({ register: registry })
  const observe = requestDurations(registry)
  measurePools(registry, pools)
  measureStreams(registry, streams)
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
    if (!isStream(this)) observe(routeOf(this), this.req.method, this.statusCode, seconds)
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

function isStream(response: Response): boolean {
  return String(response.getHeader('Content-Type')).startsWith('text/event-stream')
}
