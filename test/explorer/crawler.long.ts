import jsonld, { type JsonLdDocument } from 'jsonld'
import { type Employee, Meeting, type User } from '../../entities/index.ts'
import { collections, docs } from '../support/docs.ts'
import { rowsOf } from '../support/rows/sample-rows.ts'
import { morning, openWorld } from '../support/world.ts'

const { as, given, publicUrl, tenant } = await openWorld()

/** The result of following a link. */
interface Visit {
  path: string
  status: number
  /** The document that led here. */
  from: string
  types: string[]
}

type Node = Record<string, unknown>

const expand = { base: publicUrl, safe: true, documentLoader }
const kinds = /#(Class|Property|Link)$/
const vocabularies = /^http:\/\/www\.w3\.org\/(ns\/hydra\/core|1999\/02\/22-rdf-syntax-ns)#/
const declared = new Set(
  nodesOf(await jsonld.expand(docs as JsonLdDocument, expand))
    .filter(({ '@type': types = [] }) => (types as string[]).some((type) => kinds.test(type)))
    .map((node) => node['@id'] as string),
)

/** Collections that members may not read. The entrypoint names them all the same, because it is the same for every caller. */
const closed = [
  'api-keys',
  'audit-events',
  'integrations',
  'invoices',
  'organization-exports',
  'organization-user-invitations',
  'payment-methods',
  'webhook-deliveries',
  'webhook-endpoints',
]

beforeAll(async () => {
  const { Employee: employee } = await rowsOf(tenant)
  for (let count = 0; count < 31; count++) await given(Meeting, { employee: employee as Employee, ...morning })
})

test('an owner can follow every link, and finds documented types and properties only', async () => {
  const visits = await crawl(tenant.users.owner)

  expect(brokenLinks(visits)).toEqual([])
  const types = visits.flatMap((visit) => visit.types)
  for (const key of collections.keys())
    expect(types).toContain(`${publicUrl}/docs.jsonld#${key[0].toUpperCase()}${key.slice(1)}`)
  expect(visits.map(({ path }) => path)).toContainEqual(expect.stringMatching(/^\/meetings\?page=2\b/))
  expect(operationLinks(visits)).toEqual([
    '/employees/{id}/erase',
    '/integrations/kontomatik/pull',
    '/integrations/kontomatik/revoke',
    '/integrations/kontomatik/setup',
    '/organization-user-invitations/accept',
    '/organization-user-invitations/{id}/resend',
    '/organizations/close',
    '/organizations/export',
    '/organizations/icon',
    '/organizations/logo',
    '/subscriptions/{id}/cancel',
    '/users/me/erase',
    '/webhook-deliveries/test',
    '/webhook-deliveries/{id}/resend',
    '/webhook-endpoints/{id}/renew-secret',
  ])
})

test('a member can follow every link except those of the entrypoint to closed collections', async () => {
  const visits = await crawl(tenant.users.member)

  expect(brokenLinks(visits)).toEqual([...closed, 'subscriptions'].sort().map((path) => `403 /${path} from /`))
  expect(visits.map(({ path }) => path)).toContainEqual(expect.stringMatching(/^\/meetings\?page=2\b/))
  expect(operationLinks(visits)).toEqual(['/users/me/erase'])
})

test.each([
  ['an unknown path', () => as().get('/nowhere')],
  ['a faulty body', () => as(tenant.users.owner).post('/meetings', { dateFrom: 1 })],
  ['another spelling', () => as().get('/countries/nl').redirects(0)],
])('the problem of %s is documented, and its type is a link', async (_, ask) => {
  const { body } = await ask()
  expect(undeclared(nodesOf(await jsonld.expand(body, expand)))).toEqual([])
  expect((await as().get(body['@id'])).body).toMatchObject({ '@id': body['@id'], status: body.status })
})

/** Follows every link of this server from the entrypoint on, as a client without other knowledge does. */
async function crawl(user: User): Promise<Visit[]> {
  const visits = new Map<string, Visit>()
  const open = [{ path: '/', from: 'nowhere' }]
  for (let next = open.shift(); next; next = open.shift()) {
    if (visits.has(next.path)) continue
    const { visit, links } = await follow(user, next.path, next.from)
    visits.set(next.path, visit)
    open.push(...links.map((path) => ({ path, from: visit.path })))
  }
  return [...visits.values()]
}

async function follow(user: User, path: string, from: string): Promise<{ visit: Visit; links: string[] }> {
  const { status, headers, body } = await as(user).get(path).redirects(0)
  const visit: Visit = { path, status, from, types: [] }
  if (status === 405) {
    const options = await as(user).options(path)
    expect({ status: options.status, allow: options.headers.allow }).toEqual({ status: 204, allow: headers.allow })
    expect(headers.allow).toContain('POST')
  }
  if (status !== 200) return { visit, links: [] }
  expect(headers['content-type']).toBe('application/ld+json; charset=utf-8')
  const nodes = nodesOf(await jsonld.expand(body, { ...expand, base: publicUrl + path }))
  expect({ path, undeclared: undeclared(nodes) }).toEqual({ path, undeclared: [] })
  visit.types = nodes.flatMap((node) => (node['@type'] as string[] | undefined) ?? [])
  const iris = nodes.map((node) => node['@id'] as string | undefined)
  const own = iris.filter((iri): iri is string => (iri?.startsWith(`${publicUrl}/`) && !isTerm(iri)) ?? false)
  return { visit, links: own.map((iri) => iri.slice(publicUrl.length)) }
}

/** Whether an IRI is a term of the vocabulary. It leads to the documentation, not to a resource. */
const isTerm = (iri: string) => iri.startsWith(`${publicUrl}/docs.jsonld#`)

/** Every node of an expanded document, references included. */
function nodesOf(value: unknown): Node[] {
  if (Array.isArray(value)) return value.flatMap(nodesOf)
  if (typeof value !== 'object' || value === null || '@value' in value) return []
  return [value as Node, ...Object.values(value).flatMap(nodesOf)]
}

/** Types and properties that neither the documentation nor Hydra declares. */
function undeclared(nodes: Node[]): string[] {
  const used = nodes.flatMap((node) => [
    ...((node['@type'] as string[] | undefined) ?? []),
    ...Object.keys(node).filter((key) => key[0] !== '@'),
  ])
  return used.filter((iri) => !declared.has(iri) && !vocabularies.test(iri))
}

function brokenLinks(visits: Visit[]): string[] {
  const missed = visits.filter(({ status }) => status !== 200 && status !== 405)
  return missed.map(({ status, path, from }) => `${status} ${path} from ${from}`)
}

/** Links to operations: they answer POST, but not GET. */
function operationLinks(visits: Visit[]): string[] {
  const paths = visits.filter(({ status }) => status === 405).map(({ path }) => path)
  return [...new Set(paths.map((path) => path.replace(/[0-9a-f-]{36}/, '{id}')))].sort()
}

async function documentLoader(url: string) {
  const { body } = await as().get(url.slice(publicUrl.length))
  return { documentUrl: url, document: body }
}
