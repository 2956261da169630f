import { rowsOf } from '../../support/rows/sample-rows.ts'
import { openWorld } from '../../support/world.ts'
import { type Case, testCaseGroups, unless } from './case-groups.ts'
import { ask, resources, routes, send, tokens } from './route-requests.ts'

const { app, elsewhere, tenant } = await openWorld()

const mine: Record<string, { id: string }> = { ...(await rowsOf(tenant)), Country: { id: 'NL' } }
await rowsOf(elsewhere)
const { text } = await send('GET', '/docs.jsonopenapi')
const paths: Record<string, Record<string, { responses: object }>> = JSON.parse(text).paths
const { text: hydra } = await send('GET', '/docs.jsonld')

interface Layer {
  route?: { path: string | string[]; methods: Record<string, boolean> }
  handle: { stack?: Layer[] }
}

/** The routes that Express knows by itself, however deep they lie. */
function expressed(layers: Layer[]): string[] {
  return layers.flatMap(({ route, handle }) => (route ? [route.path].flat() : expressed(handle.stack ?? [])))
}

/** Routes outside the route table: documentation, monitoring, and endpoints for other systems that know them. */
const excused = [
  ...[
    /^\/$/,
    /^\/index\.\w+$/,
    /^\/docs(\.\w+)?$/,
    /^\/docs\/reference$/,
    /^\/docs\/assets\/[0-9a-f]{16}\/:name$/,
    /^\/contexts\/:name$/,
  ],
  ...[
    /^\/errors\/:status$/,
    /^\/health\/(live|ready)$/,
    /^\/metrics$/,
    /^\/\.well-known\/(jwks\.json|mercure)$/,
    /^\/webhooks\/stripe$/,
  ],
  /** The files of the pages for people. */
  /^\/explorer\/[0-9a-f]{16}\/:name$/,
  /** Where people sign in; programs send a bearer token instead. */
  /^\/session(\/(organization|end))?$/,
  /** Where an invited person accepts; programs use the operation of the resource. */
  /^\/invitation$/,
  /** An image is no resource: every client with its address may read it. Organizations and mail footers show the address. */
  /^\/images\/:id$/,
  /** The archive of an export is a file and no resource. Its address is a property of the export, and the guide describes it. */
  /^\/organization-exports\/:id\/archive$/,
]

function* known(): Generator<Case> {
  const found = expressed((app as unknown as { router: { stack: Layer[] } }).router.stack)
  yield async () => unless(found.length > 10, `only ${found.length} routes were found`)
  for (const path of found)
    yield async () =>
      unless(
        excused.some((one) => one.test(path)),
        `${path} is documented nowhere`,
      )
  for (const one of excused)
    yield async () =>
      unless(
        found.some((path) => one.test(path)),
        `${one} is not there any more`,
      )
}

function* documented(): Generator<Case> {
  for (const { method, path, title, operation, resource } of routes) {
    const told = paths[path.replace(':id', '{id}')]?.[method.toLowerCase()]
    yield async () => unless(told !== undefined, `${title} is not in the OpenAPI document`)
    if (operation.path !== '/me')
      yield async () =>
        unless(hydra.includes(`"@id":"#${operation.name}${resource.name}"`), `${title} is not in Hydra's`)
  }
  for (const [path, item] of Object.entries(paths))
    for (const method of Object.keys(item))
      if (/^(get|post|patch|delete|put)$/.test(method))
        yield async () => {
          const offered = routes.some(
            (route) => route.path === path.replace('{id}', ':id') && route.method === method.toUpperCase(),
          )
          return unless(
            offered || ['/', '/.well-known/mercure'].includes(path),
            `${method} ${path} is documented, but not there`,
          )
        }
}

function* answered(): Generator<Case> {
  for (const route of routes)
    for (const [role, token] of Object.entries(tokens))
      yield async () => {
        const id = route.method === 'GET' ? mine[route.resource.name]?.id : undefined
        const { status } = await ask(route, { id, token })
        const told = paths[route.path.replace(':id', '{id}')][route.method.toLowerCase()].responses
        const there =
          ![405, 501].includes(status) &&
          (route.method !== 'GET' || role !== 'owner' || status === 200 || status === 403)
        return unless(`${status}` in told && there, `${route.title} by ${role}: ${status}`)
      }
}

const versions = [
  '/v1',
  '/v2',
  '/v0',
  '/api',
  '/api/v1',
  '/beta',
  '/internal',
  '/test',
  '/dev',
  '/staging',
  '/old',
  '/_',
]
const endings = [
  '.bak',
  '.old',
  '~',
  '.orig',
  '.php',
  '.xml',
  '.yaml',
  '/export',
  '/all',
  '/search',
  '/count',
  '/debug',
  '/_schema',
]
const doors = [
  ...[
    'debug',
    'metrics/',
    'metrics.json',
    'admin',
    'console',
    'local',
    'local/',
    'local/clock',
    'local/faults',
    'local/requests',
  ],
  ...['status', 'health', 'healthz', 'info', 'env', 'trace', 'heapdump', 'actuator', 'actuator/env', 'server-status'],
  ...[
    'graphql',
    'graphiql',
    'swagger',
    'swagger.json',
    'openapi.json',
    'api-docs',
    'docs/assets',
    'docs/assets/x/start.js',
  ],
  ...[
    '.env',
    '.git/config',
    '.git/HEAD',
    '.data',
    '.data/token-key.json',
    'package.json',
    'src/app.ts',
    'dist/bundle/server.js',
  ],
  ...[
    'node_modules',
    'ormconfig.ts',
    'backup.sql',
    'dump',
    'seed',
    'migrate',
    'token',
    'tokens',
    'login',
    'oauth/token',
  ],
  ...[
    'webhooks',
    'webhooks/',
    'webhooks/test',
    'webhooks/stripe/',
    'jobs',
    'queue',
    'sessions',
    'stripe-events',
    'idempotency-keys',
  ],
  ...[
    'stripe_event',
    'row-totals',
    'entrypoint',
    'contexts',
    'errors',
    'v1/customers',
    'v1/subscriptions',
    '__proto__',
    'wp-admin',
  ],
]

function* shadows(): Generator<Case> {
  const collections = resources.map(({ path }) => path)
  const all = [
    ...doors.map((door) => `/${door}`),
    ...collections.flatMap((path) => versions.map((version) => version + path)),
    ...collections.flatMap((path) =>
      endings.filter((end) => end[0] !== '/' || path.split('/').length > 2).map((end) => path + end),
    ),
  ]
  for (const path of all)
    for (const method of ['GET', 'POST'])
      for (const role of ['anonymous', 'owner', 'operator'] as const)
        yield async () => {
          const { status } = await send(method, path, { token: tokens[role] })
          const isId = routes.some((route) => route.path === `${path.slice(0, path.lastIndexOf('/'))}/:id`)
          return unless(
            status === 404 || (isId && [401, 403, 405].includes(status)),
            `${method} ${path} by ${role}: ${status}`,
          )
        }
}

function* watched(): Generator<Case> {
  for (const [role, token] of Object.entries(tokens))
    for (const path of ['/metrics', '/metrics?x=1', '//metrics', '/METRICS', '/metrics/', '/metrics.jsonld'])
      yield async () => {
        const { status, text } = await send('GET', path, { token })
        const open = status === 200 || /http_request|process_cpu/.test(text)
        return unless(role === 'operator' || !open, `${path} by ${role}: ${status}`)
      }
}

testCaseGroups('API9', {
  'Whatever Express serves is known': known(),
  'What is there is documented, and the other way round': documented(),
  'and answers as it is documented': answered(),
  'There is nothing else': shadows(),
  'What the server says of itself is for the operator': watched(),
})
