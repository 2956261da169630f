import { OrganizationUser } from '../../../entities/index.ts'
import type { Role } from '../../../src/access/roles.ts'
import { subscribed } from '../../support/billing/stripe.ts'
import { rowsOf } from '../../support/rows/sample-rows.ts'
import { openWorld } from '../../support/world.ts'
import { type Case, testCaseGroups, unless } from './case-groups.ts'
import { forbiddenBodies, forbiddenProperties, valuesOf } from './forbidden-properties.ts'
import { ask, joined, type Route, resources, routes, send, tokens } from './route-requests.ts'
import { keep, rowOf } from './row-changes.ts'
import { lines } from './valid-bodies.ts'

const { banking, database, elsewhere, tenant, tokenOf } = await openWorld()

const belonging = await database.manager.findOneByOrFail(OrganizationUser, { userId: tenant.users.member.id })
const mine: Record<string, { id: string }> = {
  ...(await rowsOf(tenant)),
  Country: { id: 'NL' },
  OrganizationUser: belonging,
}
const theirs = await rowsOf(elsewhere)
const subscriber = await subscribed()
const { effects, restore } = await keep()
/** No jobs run here, so a request would wait for its job in vain. */
banking.timing.requestMs = 0

const written = routes.filter(({ method, operation }) => /POST|PATCH/.test(method) && operation.expects !== 'file')

interface Outcome {
  status: number
  rows: object[]
}

/** Sends a valid request with more properties than the route accepts. Returns the changes in the whole database. */
async function outcome(route: Route, role: Role, more: object, headers = {}): Promise<Outcome> {
  const { body = {}, subscriber: paying, before, first } = lines[route.title] ?? {}
  const token = paying ? await tokenOf(subscriber.tenant.users[role as 'owner']) : tokens[role]
  const own = route.path.startsWith('/meetings') && role === 'member' ? `/employees/${mine.Employee.id}` : null
  if (before) await database.query(before)
  if (first) await ask({ ...route, path: first.path }, { token, body: first.body })
  const tested = route.title === 'POST /webhook-deliveries/test' && {
    endpoint: `/webhook-endpoints/${mine.WebhookEndpoint.id}`,
  }
  const sent = { ...more, ...body, ...((own || route.title === 'POST /meetings') && { employee: own }), ...tested }
  const { status } = await ask(route, { id: mine[route.resource.name]?.id, token, headers, body: sent })
  const rows = await effects()
  if (rows.length > 0 || before) await restore()
  return { status, rows }
}

const controls = new Map<string, Promise<{ rows: object[]; volatile: Set<string> }>>()

/** The outcome without planted properties, and the properties that differ between two equal requests. */
async function control(route: Route, role: Role) {
  const [one, other] = [await outcome(route, role, {}), await outcome(route, role, {})]
  if (one.status >= 300 && one.status !== 503)
    throw new Error(`${route.title}: ${one.status}; add its body to test/security/owasp/valid-bodies.ts.`)
  const volatile = new Set<string>(['updatedAt'])
  const compare = (a: unknown, b: unknown, key = ''): void => {
    if (typeof a === 'object' && a && typeof b === 'object' && b)
      for (const name of Object.keys(a)) compare(a[name as never], b[name as never], Array.isArray(a) ? key : name)
    else if (a !== b) volatile.add(key)
  }
  compare(one.rows, other.rows)
  if (one.status !== other.status || ['', 'rows', 'table', 'count'].some((key) => volatile.has(key)))
    throw new Error(`${route.title} by ${role} is not twice the same: ${one.status} ${other.status}`)
  return { rows: one.rows, volatile }
}

/** The planted values in one text but not in the other. A number must stand alone, because ids are full of digits. */
function kept(more: object, found: string, usual: string): unknown[] {
  const values = Object.values(more).map((value) => (typeof value === 'string' ? value.split('/').at(-1) : value))
  const stands = (value: unknown, text: string) =>
    typeof value === 'number' ? new RegExp(`[[,:]${value}[\\],}]`).test(text) : text.includes(`${value}`)
  return values.filter((value) => /string|number/.test(typeof value) && stands(value, found) && !stands(value, usual))
}

/**
 * The planted bodies of each role. Every role sends all properties at once.
 * Only the first of the roles with the same forbidden properties also sends each property alone.
 */
function* planters(route: Route): Generator<[role: Role, more: object]> {
  const seen = new Set<string>()
  for (const role of route.may) {
    const names = forbiddenProperties(route, role).join()
    for (const more of forbiddenBodies(route, role, theirs).slice(seen.has(names) ? -1 : 0)) yield [role, more]
    seen.add(names)
  }
}

function* planted(): Generator<Case> {
  for (const route of written.filter(({ method, path }) => method === 'POST' || !path.includes(':id')))
    for (const [role, more] of planters(route))
      yield async () => {
        const key = `${route.title} ${role}`
        const expected = controls.get(key) ?? control(route, role)
        controls.set(key, expected)
        const { rows: usual, volatile } = await expected
        const { rows } = await outcome(route, role, more)
        const told = (all: object[]) => JSON.stringify(all, (key, value) => (volatile.has(key) ? undefined : value))
        const found = kept(more, JSON.stringify(rows), JSON.stringify(usual))
        const same = told(rows) === told(usual) && found.length === 0
        return unless(same, `${key}: ${found} ${JSON.stringify(more).slice(0, 99)} ${told(rows)} not ${told(usual)}`)
      }
}

function* patched(): Generator<Case> {
  for (const route of written.filter(({ method, path }) => method === 'PATCH' && path.includes(':id')))
    for (const role of route.may)
      for (const more of forbiddenBodies(route, role, theirs))
        yield async () => {
          const { id } = mine[route.resource.name]
          const table = joined.shape(route.resource.entity).metadata?.tableName as string
          const before = await rowOf(table, id)
          const own = role === 'member' ? { employee: `/employees/${mine.Employee.id}` } : {}
          const { status } = await ask(route, { id, token: tokens[role], body: { ...more, ...own } })
          const same = JSON.stringify(await rowOf(table, id)) === JSON.stringify(before)
          const expected = clearable(route, role).some((name) => name in more) ? 422 : 200
          return unless(same && status === expected, `${route.title} by ${role}: ${JSON.stringify(more)} ${status}`)
        }
}

/** Properties that a role can only clear: another value is refused, as a client could believe that it was kept. */
const clearable = ({ operation: { clears = {}, writes = {} } }: Route, role: Role): string[] =>
  Object.keys(clears).filter((name) => writes[name]?.includes(role))

function* strict(): Generator<Case> {
  for (const route of written)
    for (const role of route.may)
      if (route.input)
        yield async () => {
          const names = forbiddenProperties(route, role).filter((name) => !name.startsWith('@'))
          const all = Object.fromEntries(names.map((name) => [name, valuesOf(route, name, theirs)[0]]))
          const { status, rows } = await outcome(route, role, all, { Prefer: 'handling=strict' })
          return unless(
            status === 422 &&
              (rows.length === 0 || (lines[route.title]?.before ?? lines[route.title]?.first) !== undefined),
            `${route.title} by ${role}: ${status}`,
          )
        }
}

/** Puts a recognizable value into a property that not every role may read. */
async function hide(): Promise<undefined> {
  await database.query(`UPDATE "organization" SET "manualBilling" = false, "stripeCustomerId" = 'cus_hidden' || "slug"`)
}

const suffixes = ['', '.jsonld', '.json', '.ttl', '.nq', '.html', '.csv']

function* shown(): Generator<Case> {
  yield hide
  const reads = routes.filter(({ method }) => method === 'GET')
  for (const route of reads)
    for (const role of route.may)
      for (const suffix of suffixes)
        yield async () => {
          const of = route.operation.members ?? route.resource.entity
          const hidden = resources.find(({ entity }) => entity === of)?.options.hidden?.[role] ?? []
          const path = route.path.replace(':id', mine[route.resource.name]?.id) + suffix
          const query = hidden.map((name) => `properties[]=${name}`).join('&')
          const [whole, part] = await Promise.all(
            [path, `${path}?${query}`].map((path) => send('GET', path, { token: tokens[role] })),
          )
          const told = hidden.includes('stripeCustomerId')
            ? [whole, part].filter(({ text }) => /cus_hidden/.test(text))
            : []
          const extra =
            /^(\.json(ld)?)?$/.test(suffix) && whole.status === 200 ? strange(of.name, whole.text, hidden) : []
          return unless(told.length + extra.length === 0, `GET ${path} by ${role}: ${told.length} ${extra}`)
        }
}

/** The properties in a document, or in its members, that its class lacks or the caller may not read. */
function strange(type: string, text: string, hidden: readonly string[]): string[] {
  const body = JSON.parse(text)
  const terms = Object.keys(joined.context(type)?.['@context'] ?? {})
  return [body.member ?? body]
    .flat()
    .flatMap((node: Record<string, unknown>) => [
      ...Object.keys(node).filter((name) => !terms.includes(name) && !name.startsWith('@')),
      ...hidden.filter((name) => node[name] !== null && `${node[name]}` !== ''),
    ])
}

testCaseGroups(
  'API3',
  {
    'A forbidden property in a PATCH leaves the row as it was': patched(),
    'A forbidden property does not change the outcome of an operation': planted(),
    'A forbidden property is refused with 422 under strict handling': strict(),
    'A hidden property appears in no response': shown(),
  },
  { atOnce: 1 },
)
