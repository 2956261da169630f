import express, { type ErrorRequestHandler, type Express, Router } from 'express'
import type { Logger } from 'pino'
import type { DataSource } from 'typeorm'
import { nameCollation } from '../entities/collation.ts'
import { callers as callersOf, stillHasRight } from './access/callers.ts'
import { jwks } from './access/jwks-route.ts'
import { type Issuer, isOwnIssuer } from './access/token-issuer-keys.ts'
import { conflicts, api as table } from './api.ts'
import type { Banking } from './banking/banking.ts'
import type { Billing } from './billing/billing.ts'
import type { Config } from './config.ts'
import { webhooks } from './controllers/webhooks.ts'
import { swaggerUi } from './explorer/swagger-ui.ts'
import { Api } from './hydra/api.ts'
import { documents } from './hydra/documentation/documents.ts'
import type { AccessControl } from './hydra/http/authenticate.ts'
import { methodNotAllowed } from './hydra/http/method-not-allowed.ts'
import { router } from './hydra/http/router.ts'
import { writeProblem } from './hydra/http/write-problem.ts'
import { Problem } from './hydra/model/problem.ts'
import { problemOf } from './hydra/store/database-problem.ts'
import { images } from './images/image-routes.ts'
import { poolsOf } from './runtime/database.ts'
import { healthRoutes } from './runtime/http/health.ts'
import type { ServiceState } from './runtime/http/http-service.ts'
import { rateLimiter } from './runtime/http/rate-limit.ts'
import { checkRequestHead } from './runtime/http/request-head.ts'
import { requestLog } from './runtime/http/request-log.ts'
import { responseHeaders } from './runtime/http/response-headers.ts'
import { metrics } from './runtime/metrics.ts'
import { localTimeOf } from './workspace/organization-time-zone.ts'

export interface AppContext extends ServiceState {
  config: Pick<Config, 'publicUrl' | 'corsOrigins' | 'trustProxy' | 'hydraPrefix'> &
    Partial<Pick<Config, 'limits' | 'ownedOrganizations'>>
  database: DataSource
  billing: Billing
  banking: Banking
  issuer: Issuer
  log: Logger
}

/** The application: read from top to bottom it is a request's path. */
export function createApp({ config, database, billing, banking, issuer, log, replicas, state }: AppContext): Express {
  const pools = poolsOf(database)
  const callers = callersOf(database, pools.items, issuer)
  // What belongs to no caller has shares of its own, so that no tenant delays it.
  const shared = (name: string) => pools.items.within(database, name)
  const api = new Api(table(callers, billing, banking, config.ownedOrganizations), database, {
    publicUrl: config.publicUrl,
    prefix: config.hydraPrefix,
    conflicts,
    collation: nameCollation,
    holds: stillHasRight,
    localTime: localTimeOf,
    pools,
    replicas,
  })
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
  app.enable('strict routing')
  app.enable('case sensitive routing')
  app.set('trust proxy', config.trustProxy)

  const { authenticate, logRequest } = requestLog(log, (request) => callers.of(request))
  const access: AccessControl = { authenticate, rateLimiter: config.limits && rateLimiter(config.limits) }
  const { measure, routes } = metrics(shared('metrics'), access, logRequest)
  app.use(measure)
  app.use(responseHeaders(config))
  app.use(checkRequestHead)
  const within = api.iris.root === '' ? app : under(app, api.iris.root)
  within.use(router(api, access))
  within.use(webhooks(shared('webhooks'), billing))
  within.use(images(pools.items.of('images')))
  within.use(swaggerUi())
  within.use(documents(api))
  if (isOwnIssuer(issuer)) {
    within.get('/.well-known/jwks.json', jwks(issuer))
    methodNotAllowed(within, '/.well-known/jwks.json')
  }
  app.use(healthRoutes(shared('health'), state))
  app.use(routes)
  app.use(() => {
    throw new Problem(404, `Nothing is here: start at "${api.iris.at('/')}" and follow the links.`)
  })
  app.use(refusal(api, log))
  return app
}

/** What is served under the path of PUBLIC_URL; the path alone leads to the start. */
function under(app: Express, root: string): Router {
  const within = Router({ caseSensitive: true, strict: true })
  app.use(root, ({ originalUrl }, _response, next) => {
    const rest = originalUrl.slice(root.length)
    if (rest[0] === '/') return next()
    throw new Problem(308, `The API starts at "${root}/".`, { Location: `${root}/${rest}` })
  })
  app.use(root, within)
  return within
}

function refusal(api: Api, log: Logger): ErrorRequestHandler {
  return (error, _request, response, _next) => {
    const problem =
      error instanceof Problem
        ? error
        : (clientFault(error) ??
          problemOf(api, error) ??
          new Problem(
            500,
            'The server failed to answer this request. The failure is logged under the request id in X-Request-Id.',
          ))
    if (problem.status >= 500)
      log.error({ err: error, request: response.getHeader('X-Request-Id') }, 'a request failed')
    writeProblem(api, problem, response)
  }
}

/** What Express refuses on its own: broken paths. */
function clientFault(error: { status?: number; message: string }): Problem | undefined {
  if (typeof error.status === 'number' && error.status >= 400 && error.status < 500)
    return new Problem(error.status, `${error.message}.`)
  return undefined
}
