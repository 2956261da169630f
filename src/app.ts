import express, { type ErrorRequestHandler, type Express, type Request, type RequestHandler } from 'express'
import type { Logger } from 'pino'
import type { DataSource } from 'typeorm'
import { callers as callersOf, stillHasRight } from './access/callers.ts'
import { jwks } from './access/jwks-route.ts'
import { openSessions } from './access/session/open-sessions.ts'
import { type Issuer, isOwnIssuer } from './access/token-issuer-keys.ts'
import { apiOptions, api as table } from './api.ts'
import type { Banking } from './banking/banking.ts'
import type { Billing } from './billing/billing.ts'
import type { Config } from './config.ts'
import { webhooks } from './controllers/webhooks.ts'
import { assetRoutes } from './explorer/assets.ts'
import { explorer } from './explorer/explorer.tsx'
import { invitationRoutes } from './explorer/invitation/invitation-routes.ts'
import { referenceRoutes } from './explorer/reference/reference-routes.tsx'
import { demoPeople } from './explorer/session/demo-people.ts'
import { reloadHeader } from './explorer/session/foreign-navigation.ts'
import { sessionRoutes } from './explorer/session/session-routes.ts'
import { swaggerUi } from './explorer/swagger-ui.ts'
import { archiveRoutes } from './exports/archive-routes.ts'
import { type AccessControl, Api, methodNotAllowed, Problem, TenantScope } from './hydra/index.ts'
import { imageRoutes } from './images/image-routes.ts'
import { isDistributed } from './postgres/distribution.ts'
import { groups } from './resources/groups.ts'
import { changeNotifier, listenForChanges } from './runtime/change-notifications.ts'
import { poolsOf } from './runtime/database.ts'
import { combined } from './runtime/http/combined-handlers.ts'
import { setConstantHeaders } from './runtime/http/constant-headers.ts'
import { healthRoutes } from './runtime/http/health.ts'
import type { ServiceState } from './runtime/http/http-service.ts'
import { rateLimiter } from './runtime/http/rate-limit.ts'
import { checkRequestHead } from './runtime/http/request-head.ts'
import { requestLog } from './runtime/http/request-log.ts'
import { constantHeaders, responseHeaders } from './runtime/http/response-headers.ts'
import { routerAt } from './runtime/http/router-at.ts'
import { metrics } from './runtime/metrics/metrics.ts'
import type { SecretKey } from './secrets/sealed-text.ts'
import type { Webhooks } from './webhooks/settings.ts'
import { localTimeOf, timeZoneOf } from './workspace/organization-time-zone.ts'

export interface AppContext extends ServiceState {
  config: Pick<Config, 'publicUrl' | 'corsOrigins' | 'trustProxy' | 'hydraPrefix'> &
    Partial<Pick<Config, 'limits' | 'ownedOrganizations' | 'graceDays' | 'explorer' | 'auth' | 'webhookHosts'>>
  database: DataSource
  billing: Billing
  banking: Banking
  issuer: Issuer
  /** They encrypt the tokens of sessions and the secrets of webhook endpoints. */
  secretKeys: SecretKey[]
  log: Logger
}

/**
 * The Express application. Its middleware stands in the order in which a request passes it.
 * @throws an Error with a sentence where a class, its context, its table and its row of the API disagree
 */
export async function createApp({
  config,
  database,
  billing,
  banking,
  issuer,
  secretKeys,
  log,
  replicas,
  state,
  stopping,
  tracing,
}: AppContext): Promise<Express> {
  const pools = poolsOf(database)
  const callers = callersOf(database, pools.items, issuer)
  // Routes without a tenant have their own share of the connections, so that no tenant delays them.
  const withOwnShare = (name: string) => pools.items.within(database, name, TenantScope.every)
  const { publicUrl, auth, graceDays, explorer: hasPages = true } = config
  const signIn = hasPages
    ? openSessions({ publicUrl, client: auth?.client, issuer, database, pool: pools.items, callers, keys: secretKeys })
    : undefined
  const webhookSettings = { keys: secretKeys, allowedHosts: config.webhookHosts ?? [] }
  const settings = { maxOwned: config.ownedOrganizations, graceDays, hasPages, webhooks: webhookSettings }
  const api = new Api(table(callers, billing, banking, settings), database, {
    ...apiOptions,
    publicUrl,
    prefix: config.hydraPrefix,
    holds: stillHasRight,
    localTime: localTimeOf,
    pools,
    replicas,
    pages: hasPages ? explorer({ timeZone: timeZoneOf }) : undefined,
    forms: signIn?.sessions,
  })
  await api.requireTables()
  if (pools.items.batches) pools.items.batches.isDistributed = await isDistributed(database.manager)
  const identify = (request: Request) =>
    signIn && request.headers.authorization === undefined ? signIn.sessions.identify(request) : callers.of(request)
  const { authenticate, logRequest } = requestLog(log, identify)
  const access: AccessControl = { authenticate, rateLimiter: config.limits && rateLimiter(config.limits) }
  const streams = api.changeStreams(access, { listen: listenForChanges(database, log), stopping })
  const { measure, routes: metricsRoutes } = metrics(withOwnShare('metrics'), access, {
    logRequest,
    pools,
    streams,
  })

  const app = createExpress(config)
  app.use(combined(...(tracing ? [tracing.trace] : []), measure, responseHeaders(config), checkRequestHead))

  const root = api.iris.root === '' ? app : routerAt(app, api.iris.root)
  root.use(combined(notifyOfWrites(changeNotifier(database)), api.router(access)))
  root.use(webhooks(withOwnShare('webhooks'), billing))
  root.use(imageRoutes(pools.items.of('images')))
  root.use(archiveRoutes(access, database, pools.items))
  root.use(swaggerUi())
  root.use(assetRoutes())
  root.use(referenceRoutes(api, groups))
  if (signIn) {
    const demo = isOwnIssuer(issuer) ? demoPeople(TenantScope.every.view(database), issuer, publicUrl) : undefined
    const surroundings = { api, access, signIn, keys: secretKeys, demo }
    root.use(sessionRoutes(surroundings))
    root.use(invitationRoutes(surroundings, pools.items.of('invitations')))
  }
  root.use(api.documents(access))
  root.use(streams.routes)
  if (isOwnIssuer(issuer)) {
    root.get('/.well-known/jwks.json', jwks(issuer))
    methodNotAllowed(root, '/.well-known/jwks.json')
  }

  app.use(healthRoutes(withOwnShare('health'), state))
  app.use(metricsRoutes)
  app.use(() => {
    throw new Problem(404, `Not found: no resource has this path. Start at "${api.iris.at('/')}" and follow the links.`)
  })
  app.use(errorHandler(api, log, hasPages))
  return app
}

/** Writes audit events as a role of their organization reads them. The API is compiled at the first one: jobs have none. */
export function auditDocuments({
  config,
  database,
  issuer,
  ...outside
}: Pick<AppContext, 'config' | 'database' | 'billing' | 'banking' | 'issuer'>): Webhooks['documentOf'] {
  let api: Api | undefined
  const { publicUrl, hydraPrefix: prefix } = config
  return (event, role) => {
    api ??= new Api(
      table(callersOf(database, poolsOf(database).items, issuer), outside.billing, outside.banking),
      database,
      { ...apiOptions, publicUrl, prefix },
    )
    return api.document(event, { role, tenant: event.organizationId, user: null })
  }
}

/** Notifies of changes after each answered request that may have written. */
function notifyOfWrites(notify: () => void): RequestHandler {
  return ({ method }, response, next) => {
    if (method !== 'GET' && method !== 'HEAD' && method !== 'OPTIONS') response.once('finish', notify)
    next()
  }
}

function createExpress({ trustProxy, ...config }: AppContext['config']): Express {
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
  app.enable('strict routing')
  app.enable('case sensitive routing')
  app.set('trust proxy', trustProxy)
  setConstantHeaders(app, constantHeaders(config))
  return app
}

/** Writes an error as a problem. */
function errorHandler(api: Api, log: Logger, hasPages: boolean): ErrorRequestHandler {
  return (error, request, response, _next) => {
    const problem =
      error instanceof Problem
        ? error
        : (requestError(error) ??
          api.problemOf(error) ??
          new Problem(
            500,
            'The server failed to answer this request. Its log has the error under the request id in X-Request-Id.',
          ))
    if (problem.status >= 500)
      log.error({ err: error, request: response.getHeader('X-Request-Id') }, 'a request failed')
    if (problem.status === 401 && hasPages) response.setHeaders(new Map(Object.entries(reloadHeader(request))))
    return api.writeProblem(problem, response)
  }
}

/** Errors of Express itself, such as a path with a broken percent-encoding. */
function requestError(error: { status?: number; message: string }): Problem | undefined {
  if (typeof error.status === 'number' && error.status >= 400 && error.status < 500)
    return new Problem(error.status, `${error.message}.`)
  return undefined
}
