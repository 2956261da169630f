import { hash } from 'node:crypto'
import request from 'supertest'
import { Employee, Location, Meeting, Subscription } from '../../entities/index.ts'
import { createApp } from '../../src/app.ts'
import { type Answer, expectProblem, links, raw } from '../support/requests/raw-responses.ts'
import { morning, openWorld } from '../support/world.ts'

const { api, as, config, database, given, givenAddress, services, tenant, tokenOf } = await openWorld()

const owner = `Bearer ${await tokenOf(tenant.users.owner)}`
const member = `Bearer ${await tokenOf(tenant.users.member)}`
const ada = await given(Employee, { name: 'Ada' })
const meeting = await given(Meeting, { employee: ada, ...morning })
const address = await givenAddress()
const billed = await given(Subscription, { organizationAddress: await givenAddress(), seats: 9 })
const path = `/meetings/${meeting.id}`
const jsonld = { 'Content-Type': 'application/ld+json' }
const mergePatch = { 'Content-Type': 'application/merge-patch+json' }
const good = JSON.stringify({ employee: null, dateFrom: '2026-04-01T08:00:00Z', dateTo: '2026-04-01T10:00:00Z' })

type Request = [method: string, path: string, headers?: Record<string, string>, body?: string]

/** One request for every status, and for every part of the server that answers. */
const successes: [status: number, ...Request][] = [
  [200, 'GET', '/', { Authorization: '' }],
  [200, 'GET', '/docs.jsonld'],
  [200, 'GET', '/docs'],
  [200, 'GET', '/contexts/Meeting'],
  [200, 'GET', '/errors/404'],
  [200, 'GET', '/countries', { Authorization: '' }],
  [200, 'GET', '/meetings'],
  [200, 'GET', path],
  [200, 'HEAD', path],
  [200, 'HEAD', '/meetings'],
  [200, 'PATCH', path, mergePatch, '{}'],
  [200, 'PATCH', path, { 'Content-Type': 'application/json' }, '{}'],
  [201, 'POST', '/meetings', jsonld, good],
  [204, 'DELETE', `/organization-addresses/${address.id}`],
  [204, 'OPTIONS', '/meetings'],
  [204, 'OPTIONS', path],
  [204, 'OPTIONS', '/contexts/Meeting'],
  [304, 'GET', path, { 'If-None-Match': '*' }],
  [304, 'HEAD', '/docs.jsonld', { 'If-None-Match': '*' }],
]
const refusals: [status: number, ...Request][] = [
  [301, 'GET', '/countries/nl'],
  [400, 'GET', '/meetings?page=0'],
  [400, 'GET', '/meetings/%E0%A4%A'],
  [400, 'POST', '/meetings', jsonld, '{'],
  [401, 'GET', '/meetings', { Authorization: '' }],
  [401, 'GET', '/meetings', { Authorization: 'Bearer x.y.z' }],
  [401, 'POST', '/meetings', { Authorization: '', ...jsonld }, good],
  [403, 'POST', '/locations', { Authorization: member, ...jsonld }, '{"name":"x"}'],
  [404, 'GET', '/nothing'],
  [404, 'POST', '/nothing/at/all', jsonld, '{}'],
  [404, 'GET', '/contexts/Nothing'],
  [404, 'GET', '/errors/200'],
  [404, 'GET', '/meetings/x'],
  [405, 'PUT', path, jsonld, good],
  [405, 'DELETE', '/contexts/Meeting'],
  [406, 'GET', path, { Accept: 'image/png' }],
  [409, 'DELETE', `/organization-addresses/${billed.organizationAddressId}`],
  [412, 'PATCH', path, { 'If-Match': '"9-x"', ...mergePatch }, '{"notes":"x"}'],
  [413, 'POST', '/meetings', jsonld, `"${'x'.repeat(300_000)}"`],
  [415, 'POST', '/meetings', { 'Content-Type': 'text/plain' }, good],
  [422, 'POST', '/meetings', jsonld, '{}'],
]

const ask = (method: string, where: string, headers: Record<string, string> = {}, body?: string): Promise<Answer> => {
  const { Authorization = owner, ...others } = headers
  return raw(
    method,
    where,
    { ...(Authorization && { Authorization }), Origin: 'https://admin.example', ...others },
    body,
  )
}

function expectCommonHeaders({ headers }: Answer): void {
  expect(headers['access-control-allow-origin']).toBe('*')
  expect(headers['x-request-id']).toMatch(/^[\w-]{36}$/)
  expect(headers['x-content-type-options']).toBe('nosniff')
  expect(headers).not.toHaveProperty('x-powered-by')
  expect((headers.vary as string).split(', ')).toEqual(expect.arrayContaining(['Accept', 'Authorization', 'Origin']))
}

/** Headers that pages of other origins may always read, and headers for browsers and proxies alone. */
const open =
  /^(cache-control|content-language|content-length|content-type|expires|last-modified|pragma|date|vary|connection|keep-alive|transfer-encoding|access-control-.*|content-security-policy|x-content-type-options)$/

/** The headers of a response that a page of another origin may not read (Fetch standard, §3.3.3). */
function hiddenFrom({ headers }: Answer): string[] {
  const exposed = String(headers['access-control-expose-headers']).toLowerCase().split(',')
  return Object.keys(headers).filter((name) => !open.test(name) && !exposed.includes(name))
}

describe('Every response has a link to the documentation, CORS headers and a request id:', () => {
  test.each(successes)('%i %s %s', async (status, ...request) => {
    const answer = await ask(...request)
    expect(answer.status).toBe(status)
    expect(answer.headers.link).toBe(links.documentation)
    expectCommonHeaders(answer)
    if (request[0] !== 'OPTIONS') expect(hiddenFrom(answer)).toEqual([])
  })

  test.each(refusals)('%i %s %s', async (status, ...request) => {
    const answer = await ask(...request)
    if (request[0] !== 'OPTIONS') expect(hiddenFrom(answer)).toEqual([])
    expectProblem(answer, status)
    expectCommonHeaders(answer)
    expect(answer.headers['cache-control']).toBe('no-store')
    expect(answer.headers).not.toHaveProperty('etag')
  })
})

test('the type of an error is a public document', async () => {
  for (const status of [400, 401, 403, 404, 405, 406, 409, 412, 413, 415, 422, 429, 500, 502, 503]) {
    const { body, headers } = await as().get(`/errors/${status}`)
    expect(headers['content-type']).toBe('application/ld+json; charset=utf-8')
    expect(body).toMatchObject({ '@context': '/contexts/Error', '@id': `/errors/${status}`, '@type': 'Error', status })
  }
  expect((await as().get('/contexts/Error')).body['@context']).toMatchObject({ violations: { '@id': 'violations' } })
})

test('a 401 has WWW-Authenticate', async () => {
  expect((await as().get('/meetings')).headers['www-authenticate']).toBe('Bearer')
  const { headers } = await as().get('/meetings').set('Authorization', 'Bearer nonsense')
  expect(headers['www-authenticate']).toMatch(/^Bearer error="invalid_token"/)
})

test('a request keeps the X-Request-Id of its client', async () => {
  const named = (id: string) => api.get('/nothing').set('X-Request-Id', id)
  expect((await named('my-request.1')).headers['x-request-id']).toBe('my-request.1')
  expect((await named('<script>')).headers['x-request-id']).toMatch(/^[\w-]{36}$/)
  expect((await named('x'.repeat(65))).headers['x-request-id']).toMatch(/^[\w-]{36}$/)
})

describe('A page of another origin', () => {
  const preflight = { 'Access-Control-Request-Method': 'PATCH', 'Access-Control-Request-Headers': 'if-match,prefer' }

  test('may send every header that the API reads', async () => {
    const { status, headers } = await ask('OPTIONS', path, { Authorization: '', ...preflight })
    expect(status).toBe(204)
    expect(headers['access-control-allow-methods']).toBe('GET,HEAD,POST,PATCH,DELETE,OPTIONS')
    expect(headers['access-control-allow-headers']).toBe(
      'Content-Type,Content-Encoding,Authorization,If-Match,If-None-Match,Idempotency-Key,Prefer,X-Request-Id,Last-Event-ID',
    )
    expect(headers).not.toHaveProperty('access-control-allow-credentials')
  })

  test('may read the headers of a response', async () => {
    const { headers } = await ask('GET', '/meetings')
    expect(headers['access-control-expose-headers']).toBe(
      'Link,Location,ETag,Retry-After,X-Request-Id,RateLimit,RateLimit-Policy,Content-Location,Allow,Accept-Post,' +
        'Accept-Patch,Accept-Encoding,Preference-Applied,Idempotent-Replayed,WWW-Authenticate,Repr-Digest,Last-Event-ID,' +
        'Deprecation,Sunset',
    )
  })

  test('is allowed only if its origin is configured', async () => {
    const known = ['https://admin.example', 'https://other.example']
    const app = await createApp({ ...services, config: { ...config, corsOrigins: known } })
    const from = (origin: string) => request(app).get('/nothing').set('Origin', origin)
    expect((await from(known[1])).headers['access-control-allow-origin']).toBe(known[1])
    const { headers } = await from('https://evil.example')
    expect(headers).not.toHaveProperty('access-control-allow-origin')
    expect(headers.vary).toContain('Origin')
  })
})

test.each([
  ['/meetings', 'OPTIONS, HEAD, GET, POST', 'application/ld+json, application/json, text/turtle', undefined],
  [path, 'OPTIONS, HEAD, GET, PATCH', undefined, 'application/merge-patch+json, application/json, application/ld+json'],
  ['/countries', 'OPTIONS, HEAD, GET', undefined, undefined],
  ['/languages/nl', 'OPTIONS, HEAD, GET', undefined, undefined],
])('%s announces its methods and media types', async (where, allow, acceptPost, acceptPatch) => {
  for (const method of ['GET', 'HEAD', 'OPTIONS']) {
    const { headers } = await ask(method, where)
    expect(headers.allow).toBe(allow)
    expect(headers['accept-post']).toBe(acceptPost)
    expect(headers['accept-patch']).toBe(acceptPatch)
  }
})

test('the response to a create has the address of the item and the types of its PATCH', async () => {
  const { body, headers } = await api.post('/locations', { name: 'Delft' })
  expect(headers.location).toBe(body['@id'])
  expect(headers['content-location']).toBe(body['@id'])
  expect(headers['accept-post']).toBe('application/ld+json, application/json, text/turtle')
  expect(headers['accept-patch']).toBe('application/merge-patch+json, application/json, application/ld+json')
  const { body: read, headers: again } = await api.get(headers.location)
  expect(read).toEqual(body)
  expect(again.etag).toBe(headers.etag)
})

test.each<[where: string, headers?: Record<string, string>]>([
  ['/docs.jsonld'],
  ['/docs.jsonopenapi'],
  ['/docs.ttl'],
  ['/docs/reference'],
  ['/docs', { Accept: 'text/html' }],
  ['/contexts/Meeting'],
  ['/contexts/Meeting.json'],
  ['/errors/404'],
  ['/'],
])('%s has a digest of its representation (RFC 9530)', async (where, headers = {}) => {
  const answer = await ask('GET', where, headers)
  const digest = `sha-256=:${hash('sha256', answer.text, 'base64')}:`
  expect([answer.status, answer.headers['repr-digest']]).toEqual([200, digest])
  expect((await ask('HEAD', where, headers)).headers['repr-digest']).toBe(digest)
  expect((await ask('GET', where, { ...headers, 'If-Match': '"x"' })).headers).not.toHaveProperty('repr-digest')
})

test('PATCH reads application/json as a merge patch, since clients generated from OpenAPI send it', async () => {
  const { id } = await given(Meeting, { employee: ada, ...morning, notes: 'Keep' })
  const { body } = await api.patch(`/meetings/${id}`, { employee: null }).set('Content-Type', 'application/json')
  expect([body.employee, body.notes]).toEqual([null, 'Keep'])
})

test.each([
  '/',
  '/docs.jsonld',
  '/docs.jsonopenapi',
  '/contexts/Meeting',
  '/countries',
  '/meetings',
  '/meetings?page=1',
  path,
])('HEAD of %s has the headers of GET and no body', async (where) => {
  const [got, head] = [await ask('GET', where), await ask('HEAD', where)]
  const stableHeaders = ({ headers: { date, 'x-request-id': id, ...headers } }: Answer) => headers
  expect(stableHeaders(head)).toEqual(stableHeaders(got))
  expect(head.headers['content-length']).toBe(String(Buffer.byteLength(got.text)))
  expect([head.status, head.text]).toEqual([200, ''])
})

test.each([
  '*/*',
  'application/*',
  'application/ld+json',
  'text/html;q=0.1, application/ld+json',
  'image/png, */*;q=0.1',
])('Accept: %s gets JSON-LD', async (accept) => {
  const { status, headers } = await ask('GET', path, { Accept: accept })
  expect([status, headers['content-type']]).toEqual([200, 'application/ld+json; charset=utf-8'])
})

test.each(['image/png', 'application/xml', 'application/ld+json;q=0', 'text/plain, image/*', ';;;', 'x'])(
  'Accept: %s is refused with 406 before anything is written',
  async (accept) => {
    const before = await database.manager.count(Location)
    expect(expectProblem(await ask('GET', path, { Accept: accept }), 406).detail).toContain('application/ld+json')
    expectProblem(await ask('POST', '/locations', { Accept: accept, ...jsonld }, '{"name":"x"}'), 406)
    expect(await database.manager.count(Location)).toBe(before)
  },
)

test.each([
  ['/contexts/Meeting', 'public, max-age=3600'],
  ['/docs.jsonld', 'public, max-age=3600'],
  ['/countries/NL', 'public, max-age=3600'],
  ['/meetings', 'private, no-cache'],
  [path, 'private, no-cache'],
  ['/invoices', 'private, no-store'],
  [`/subscriptions/${billed.id}/invoices`, 'private, no-store'],
  ['/payment-methods', 'private, no-store'],
  ['/integrations', 'private, no-store'],
  ['/organization-user-invitations', 'private, no-store'],
  ['/audit-events', 'private, no-store'],
  ['/users/me', 'private, no-store'],
])('%s has Cache-Control: %s', async (where, caching) => {
  const { status, headers } = await ask('GET', where)
  expect([status, headers['cache-control']]).toEqual([200, caching])
})

test('a document is compact, in the order of its context, with nulls and unescaped slashes', async () => {
  const { text } = await ask('GET', path)
  const { id, createdAt, updatedAt } = JSON.parse(text)
  expect(text).toBe(
    `{"@context":"/contexts/Meeting","@id":"/meetings/${meeting.id}","@type":"Meeting",` +
      (id ? `"id":"${id}","createdAt":"${createdAt}","updatedAt":"${updatedAt}",` : '') +
      `"employee":"/employees/${ada.id}","dateFrom":"2026-04-01T08:00:00Z","dateTo":"2026-04-01T10:00:00Z",` +
      `"notes":null,"time":null}`,
  )
})
