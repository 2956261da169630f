import type { Role } from '../../../src/access/roles.ts'
import { snapshot } from '../../support/rows/database-snapshot.ts'
import { rowsOf } from '../../support/rows/sample-rows.ts'
import { openWorld } from '../../support/world.ts'
import { type Case, testCaseGroups, unless } from './case-groups.ts'
import { ask, type Route, routes, send, tokens, types } from './route-requests.ts'

const { elsewhere, organization, tenant } = await openWorld()

const mine: Record<string, { id: string }> = { ...(await rowsOf(tenant)), Country: { id: 'NL' } }
await rowsOf(elsewhere)
const roles = Object.keys(tokens) as Role[]
const at = (route: Route) => route.path.replace(':id', mine[route.resource.name]?.id)
const refused = (role: Role) => (role === 'anonymous' ? 401 : 403)
const barred = routes.flatMap((route) =>
  roles
    .filter((role) => !route.may.includes(role))
    .map((role) => ({ route, role, title: `${route.title} by ${role}` })),
)

/** Claims of a client about itself, which the server must ignore. */
const claims: Record<string, string>[] = [
  {},
  ...['owner', 'operator', 'admin'].flatMap((role) =>
    ['X-Role', 'X-User-Role', 'X-Roles', 'X-Admin', 'X-Groups', 'Role'].map((name) => ({ [name]: role })),
  ),
  ...['X-Forwarded-User', 'X-Remote-User', 'X-User', 'X-Impersonate', 'X-Act-As', 'Impersonate-User'].map((name) => ({
    [name]: tenant.users.owner.id,
  })),
  ...['X-Organization', 'X-Organization-Id', 'Organization', 'X-Tenant'].map((name) => ({ [name]: organization.id })),
  ...['X-Forwarded-For', 'X-Real-IP', 'Client-IP', 'X-Originating-IP'].map((name) => ({ [name]: '127.0.0.1' })),
  ...['X-Original-URL', 'X-Rewrite-URL', 'X-Forwarded-Uri', 'X-Accel-Redirect'].map((name) => ({
    [name]: '/countries',
  })),
]

function* functions(): Generator<Case> {
  for (const { route, role, title } of barred)
    for (const headers of claims)
      yield async () => {
        const { status } = await ask(route, { id: mine[route.resource.name]?.id, token: tokens[role], headers })
        return unless(status === refused(role), `${title} with ${JSON.stringify(headers)}: ${status}`)
      }
}

const overrides = ['X-HTTP-Method-Override', 'X-HTTP-Method', 'X-Method-Override', 'X-Method', '_method']

/** Asks for a method by another name, through one that is let in. */
function* disguised(): Generator<Case> {
  for (const { route, role, title } of barred)
    for (const method of ['GET', 'HEAD', 'POST', 'OPTIONS'])
      if (method !== route.method && !(method === 'HEAD' && route.method === 'GET'))
        yield async () => {
          const headers = { ...Object.fromEntries(overrides.map((name) => [name, route.method])) }
          const path = at(route)
          const sent = { token: tokens[role], headers: { 'Content-Type': 'text/plain' } }
          const plain = await send(method, path, sent)
          const over = await send(method, `${path}?_method=${route.method}&method=${route.method}`, {
            ...sent,
            headers: { ...sent.headers, ...headers },
          })
          return unless(over.status === plain.status, `${title} through ${method}: ${over.status}, not ${plain.status}`)
        }
}

/** The path in other words: with a format, a slash or a case more. */
const spellings: ((path: string) => string)[] = [
  ...['.jsonld', '.json', '.ttl', '.csv', '.html'].map((suffix) => (path: string) => path + suffix),
  ...['/', '//', '/.', '%2f', '%20', '%00', ';a=b', '?', '?.css', '#', '/..;/', '%3f'].map(
    (end) => (path: string) => path + end,
  ),
  (path) => path.toUpperCase(),
  (path) => `/${path}`,
  (path) => `/.${path}`,
  (path) => `/countries/..${path}`,
  (path) => path.replace(/\/(.)/, (_, first) => `/%${first.charCodeAt(0).toString(16)}`),
]

function* respelled(): Generator<Case> {
  for (const { route, role, title } of barred)
    for (const spell of spellings)
      yield async () => {
        const path = spell(at(route))
        const type = types[route.method]
        const sent = { token: tokens[role], ...(type && { headers: { 'Content-Type': type }, body: '{}' }) }
        const { status } = await send(route.method, path.replace('#', '%23'), sent)
        return unless([refused(role), 400, 404, 405].includes(status), `${title} as ${path}: ${status}`)
      }
}

const methods = [
  ...['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'TRACE', 'PROPFIND', 'PROPPATCH', 'MKCOL', 'COPY', 'MOVE', 'LOCK'],
  ...['UNLOCK', 'SEARCH', 'LINK', 'UNLINK', 'PURGE', 'MERGE', 'REPORT', 'QUERY', 'REBIND', 'ACL', 'BIND', 'SUBSCRIBE'],
]

function* hidden(): Generator<Case> {
  for (const path of new Set(routes.map(({ path }) => path))) {
    const known = routes.filter((route) => route.path === path)
    for (const method of methods)
      for (const role of ['anonymous', 'owner', 'operator'] as const)
        if (!known.some((route) => route.method === method))
          yield async () => {
            const { status, headers } = await send(method, at(known[0]), { token: tokens[role] })
            const allowed = `${headers.allow}`.split(', ').filter((name) => !/OPTIONS|HEAD/.test(name))
            const told =
              allowed.sort().join() ===
              known
                .map((route) => route.method)
                .sort()
                .join()
            return unless(status === 405 && told, `${method} ${path} by ${role}: ${status}, ${headers.allow}`)
          }
  }
}

const before = await snapshot()
testCaseGroups(
  'API5',
  {
    'A role does only what it may, whatever it says of itself': functions(),
    'nor by another method': disguised(),
    'nor by another path': respelled(),
    'What a path does not know is no method of it': hidden(),
  },
  { settled: async () => expect(await snapshot()).toEqual(before) },
)
