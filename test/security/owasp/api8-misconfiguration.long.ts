import { readdirSync, readFileSync } from 'node:fs'
import { readConfig } from '../../../src/config.ts'
import type { Answer } from '../../support/requests/raw-responses.ts'
import { rowsOf } from '../../support/rows/sample-rows.ts'
import { openWorld } from '../../support/world.ts'
import { type Case, testCaseGroups, unless } from './case-groups.ts'
import { ask, type Route, routes, send, serve, tokens } from './route-requests.ts'

const { config, database, tenant } = await openWorld()

const mine: Record<string, { id: string }> = await rowsOf(tenant)
/** Its start reads the catalog through the real database; every request meets an error. */
const broken = Object.create(database, {
  query: { value: database.query.bind(database) },
  driver: {
    value: {
      master: {
        options: {},
        query: () => Promise.reject(new Error('SELECT secret FROM /srv/app.ts at Pool (x.js:1)')),
      },
    },
  },
})
const servers = {
  closed: await serve({ config: { ...config, corsOrigins: ['https://admin.example'] } }),
  limited: await serve({ config: { ...config, corsOrigins: [], limits: { usual: 0, few: 0 } } }),
  broken: await serve({ config: { ...config, corsOrigins: [] }, database: broken }),
  draining: await serve({ config: { ...config, corsOrigins: [] }, state: { draining: true } }),
}

const seen = new Set<number>()
const insides = /\bat \S+ \(|node_modules|\.[tj]s:\d|\bSELECT\b|\bINSERT\b|QueryFailed|\/srv\/|TypeError|secret FROM/

/** Whether an answer has the manners that every answer needs, whatever its status. */
function manners(title: string, { status, headers, text }: Answer): string | undefined {
  seen.add(status)
  const faults = [
    headers['x-content-type-options'] !== 'nosniff' && 'may be sniffed',
    !/default-src 'none'.*frame-ancestors 'none'/.test(`${headers['content-security-policy']}`) && 'may be framed',
    !/Authorization/.test(`${headers.vary}`) && 'may be shared',
    !/^[\w-]{36}$/.test(`${headers['x-request-id']}`) && 'has no name',
    (headers['x-powered-by'] || headers.server) && 'says what it is made of',
    headers['access-control-allow-origin'] && 'is for a foreign origin',
    headers['access-control-allow-credentials'] && 'takes credentials',
    headers['set-cookie'] && 'sets a cookie',
    status >= 400 && headers['cache-control'] !== 'no-store' && 'may be kept',
    status >= 400 && insides.test(text) && `tells of the inside: ${text}`,
  ].filter(Boolean)
  return unless(faults.length === 0, `${title}: ${status} ${faults}`)
}

const foreign = { Origin: 'https://evil.example' }
const tokenFor = ({ may }: Route) => (may.includes('owner') ? tokens.owner : tokens.operator)

/** The ways in which something can be asked that are answered in many ways. */
function* answers(): Generator<Case> {
  for (const route of routes) {
    const own = { id: mine[route.resource.name]?.id, at: servers.closed, token: tokenFor(route) }
    const at = route.path.replace(':id', own.id)
    const written = /POST|PATCH/.test(route.method)
    const plain =
      (method: string, headers = {}, path = at) =>
      () =>
        send(method, path, { ...own, headers: { ...foreign, ...headers } })
    const body =
      (body: string, headers = {}) =>
      () =>
        send(route.method, at, {
          ...own,
          body,
          headers: { ...foreign, 'Content-Type': 'application/ld+json', ...headers },
        })
    const ways: Record<string, () => Promise<Answer>> = {
      plainly: () => ask(route, { ...own, headers: foreign }),
      'by nobody': () => ask(route, { ...own, token: undefined, headers: foreign }),
      'with a bad token': () => ask(route, { ...own, token: 'x', headers: foreign }),
      'by a guest': () => ask(route, { ...own, token: tokens.guest, headers: foreign }),
      'of nothing': () => ask(route, { ...own, id: 'nothing', headers: foreign }),
      'in no format': () => ask(route, { ...own, headers: { ...foreign, Accept: 'image/png' } }),
      'with a bad path': plain(route.method, {}, `${at}/%E0%A4%A`),
      'by TRACE': plain('TRACE'),
      'by OPTIONS': plain('OPTIONS', { 'Access-Control-Request-Method': 'PATCH' }),
      'where it stands so': plain('GET', { 'If-None-Match': '*' }),
      'where it stands otherwise': plain(route.method === 'PATCH' ? 'PATCH' : 'HEAD', {
        'If-Match': '"99-x"',
        'Content-Type': 'application/ld+json',
      }),
      'too often': () => ask(route, { ...own, at: servers.limited, headers: foreign }),
      'of a broken database': () => ask(route, { ...own, at: servers.broken, headers: foreign }),
      ...(written && {
        'in no type': body('{}', { 'Content-Type': 'text/plain' }),
        'in half a body': body('{'),
        'in too much': body(' '.repeat(300_000)),
        'in an unknown packing': body('{}', { 'Content-Encoding': 'x' }),
      }),
    }
    for (const [way, asking] of Object.entries(ways)) yield async () => manners(`${route.title} ${way}`, await asking())
  }
}

const beside = [
  '/',
  '/docs.jsonld',
  '/docs.jsonopenapi',
  '/contexts/Meeting',
  '/contexts/x',
  '/errors/404',
  '/health/live',
  '/health/ready',
  '/metrics',
  '/.well-known/jwks.json',
  '/nothing',
  '/countries/nl',
  '/webhooks/stripe',
  `/images/${'0'.repeat(64)}`,
]

function* others(): Generator<Case> {
  for (const path of beside)
    for (const method of ['GET', 'HEAD', 'POST', 'DELETE', 'TRACE', 'OPTIONS'])
      for (const [name, at] of Object.entries(servers))
        yield async () =>
          manners(`${method} ${path} of the ${name}`, await send(method, path, { at, headers: foreign }))
  const statuses = [200, 201, 204, 301, 304, 400, 401, 403, 404, 405, 406, 409, 412, 413, 415, 422, 429, 500, 503]
  for (const status of statuses) yield async () => unless(seen.has(status), `nothing was answered with ${status}`)
}

const production: Record<string, string> = {
  NODE_ENV: 'production',
  PUBLIC_URL: 'https://api.example',
  DATABASE_URL: 'postgres://db.example/api',
  AUTH_ISSUER: 'https://login.example',
  AUTH_AUDIENCE: 'api',
  AUTH_JWKS_URL: 'https://login.example/jwks.json',
  STRIPE_SECRET_KEY: 'sk_live_1',
  STRIPE_PUBLISHABLE_KEY: 'pk_live_1',
  STRIPE_WEBHOOK_SECRET: 'whsec_1',
  SMTP_URL: 'smtp://mail.example',
  MAIL_FROM: 'no-reply@acme.example',
  KONTOMATIK_API_KEY: 'kontomatik-key',
  SECRETS_KEY: Buffer.alloc(32, 7).toString('base64'),
}
/** Variables whose default is safe in production. */
const harmless = [
  'HOST',
  'PORT',
  'DATA_DIR',
  'DATABASE_DIRECT_URL',
  'DATABASE_OWNER_URL',
  'DATABASE_REPLICA_URLS',
  'DATABASE_POOL',
  'WORKERS',
  'PGBIN',
  'CORS_ORIGINS',
  'TRUST_PROXY',
  'RATE_LIMITS',
  'OWNED_ORGANIZATIONS',
  'DELETION_GRACE_DAYS',
  'AUTH_CLIENT_ID',
  'AUTH_CLIENT_SECRET',
  'AUTH_MAX_LIFETIME',
  'LOG_LEVEL',
  'HYDRA_PREFIX',
  'EXPLORER',
  'WEBHOOK_ALLOWED_HOSTS',
  'STRIPE_URL',
  'KONTOMATIK_URL',
  'KONTOMATIK_REDIRECTS',
  // The command that needs it asks for it.
  'BACKUP_PASSPHRASE',
  // Traces are off without an endpoint.
  'OTEL_EXPORTER_OTLP_ENDPOINT',
  'OTEL_EXPORTER_OTLP_HEADERS',
  'OTEL_TRACES_SAMPLER_ARG',
]

function refusal(environment: Record<string, string | undefined>): string | undefined {
  try {
    readConfig(environment)
  } catch (error) {
    return (error as Error).message
  }
}

function* defaults(): Generator<Case> {
  yield async () => unless(refusal(production) === undefined, `${refusal(production)} Add it to the test.`)
  for (const name of Object.keys(production).slice(1))
    for (const value of [undefined, '', '  '])
      yield async () => {
        const said = refusal({ ...production, [name]: value })
        return unless(said?.includes(name) === true, `${name} = ${value} is let pass: ${said}`)
      }
  const files = ['src/config.ts', ...readdirSync('src/environment').map((file) => `src/environment/${file}`)]
  const read = files.flatMap((file) => [...readFileSync(file, 'utf8').matchAll(/(?:text|needed)\('(\w+)'/g)])
  for (const name of [...Object.keys(production), ...harmless])
    yield async () =>
      unless(
        read.some(([, one]) => one === name),
        `${name} is read nowhere any more`,
      )
  for (const [, name] of read)
    yield async () =>
      unless(name in production || harmless.includes(name), `Is the default of ${name} good enough for production?`)
  const { corsOrigins, limits } = readConfig(production)
  yield async () => unless(JSON.stringify(corsOrigins) === '[]' && limits !== undefined, 'production lets in too many')
}

testCaseGroups('API8', {
  'Every answer has manners, and says nothing of the inside': answers(),
  'those beside the table, and of each status, too': others(),
  'Production has no default of development': defaults(),
})
