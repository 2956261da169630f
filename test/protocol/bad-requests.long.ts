import { brotliCompressSync, gzipSync } from 'node:zlib'
import { Location, Meeting } from '../../entities/index.ts'
import type { Callers } from '../../src/access/callers.ts'
import { api as table } from '../../src/api.ts'
import { type Answer, expectProblem, raw } from '../support/requests/raw-responses.ts'
import { deleteRows } from '../support/rows/counted-rows.ts'
import { snapshot } from '../support/rows/database-snapshot.ts'
import { morning, openWorld } from '../support/world.ts'

const { api, database, given, operator, organization, tenant, tokenOf } = await openWorld()

const meeting = await given(Meeting, { ...morning, notes: 'Boiler' })
const owner = { Authorization: `Bearer ${await tokenOf(tenant.users.owner)}` }
const confirmer = { Authorization: `Bearer ${await tokenOf(operator)}` }
const jsonld = { ...owner, 'Content-Type': 'application/ld+json' }
const mergePatch = { ...owner, 'Content-Type': 'application/merge-patch+json' }
const before = await snapshot()

afterEach(async () => expect(await snapshot()).toEqual(before))

const create = (body: string | Buffer, headers: Record<string, string> = jsonld) =>
  raw('POST', '/meetings', headers, body)
const change = (body: string | Buffer) => raw('PATCH', `/meetings/${meeting.id}`, mergePatch, body)

const nested = (open: string, levels: number, close = '') => open.repeat(levels) + close.repeat(levels)

describe('A body that is not a JSON object is refused with 400:', () => {
  test.each([
    ...['', ' ', '\n', '{', '}', '{"a":}', '{"a":1,}', '{"a":01}', '{"a":NaN}', '{"a":.5}', "{'a':1}", '{a:1}', '{}{}'],
    ...['null', '5', '-0', '1e400', '"x"', 'true', 'undefined', '[]', '[[]]', '[{}]', '[{"notes":"x"}]', '<a/>', 'a=b'],
    ...['{"a":"\n"}', '{"a":"\\x"}', '{"a":"\\u12"}', '/*c*/{}', '\u0000', '{"a":1}\u0000'],
  ])('%j', async (body) => {
    expectProblem(await create(body), 400)
    expectProblem(await change(body), 400)
  })

  test.each([
    ['half a character', Buffer.from([0x7b, 0xc3, 0x7d])],
    ['a byte that is not in UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])],
    [
      'a surrogate in UTF-8',
      Buffer.concat([Buffer.from('{"notes":"'), Buffer.from([0xed, 0xa0, 0x80]), Buffer.from('"}')]),
    ],
    ['UTF-16', Buffer.from('{"notes":"x"}', 'utf16le')],
    ['33 levels', Buffer.from(`{"notes":${nested('[', 32, ']')}}`)],
    ['33 levels of objects', Buffer.from(`${nested('{"a":', 33)}1${'}'.repeat(33)}`)],
    ['45,000 levels', Buffer.from(nested('[', 45_000, ']'))],
    ['45,000 levels that are never closed', Buffer.from(nested('{"a":', 45_000))],
  ])('%s', async (_, body) => {
    expectProblem(await create(body), 400)
    expectProblem(await change(body), 400)
  })
})

describe('A body above the limit is refused with 413, in any encoding:', () => {
  const megabytes = (count: number) => Buffer.alloc(count * 1024 * 1024, ' ')
  test.each<[string, Buffer, Record<string, string>]>([
    ['300 kB', Buffer.from(`{"notes":"${'x'.repeat(300_000)}"}`), {}],
    ['300 kB in chunks', Buffer.from(`{"notes":"${'x'.repeat(300_000)}"}`), { 'Transfer-Encoding': 'chunked' }],
    ['100 MB in gzip', gzipSync(megabytes(100)), { 'Content-Encoding': 'gzip' }],
    ['100 MB in brotli', brotliCompressSync(megabytes(100)), { 'Content-Encoding': 'br' }],
  ])('%s', async (_, body, headers) => {
    const start = performance.now()
    const { detail } = expectProblem(await create(body, { ...jsonld, ...headers }), 413)
    expect(detail).toContain('256 kB')
    expect(performance.now() - start).toBeLessThan(1000)
  })

  test('an unknown or broken Content-Encoding is refused', async () => {
    expectProblem(await create('{}', { ...jsonld, 'Content-Encoding': 'compress' }), 415)
    expectProblem(await create('{}', { ...jsonld, 'Content-Encoding': 'gzip' }), 400)
  })
})

test('the keys of JavaScript objects are ordinary unknown properties', async () => {
  const body = `{"employee":null,"dateFrom":"x","__proto__":{"notes":"x","polluted":1},"constructor":{"prototype":{"polluted":1}},"toString":"x"}`
  const lenient = expectProblem(await create(body), 422)
  const strict = expectProblem(await create(body, { ...jsonld, Prefer: 'handling=strict' }), 422)

  const paths = ({ violations }: Record<string, unknown>) =>
    (violations as { propertyPath: string }[]).map(({ propertyPath }) => propertyPath).sort()
  expect(paths(lenient)).toEqual(['dateFrom', 'dateTo'])
  expect(paths(strict)).toEqual(['__proto__', 'constructor', 'dateFrom', 'dateTo', 'toString'])
  expect('polluted' in {}).toBe(false)
})

const uuid = '01900000-0000-7000-8000-00000000000a'
const noIds = [
  ...['1', '-1', 'x', '%00', '%20', '%2e%2e%2f', '%2e%2e%2fcontexts%2fMeeting', '__proto__', 'constructor', 'toString'],
  ...["'%20OR%201=1%20--", '%F0%9F%92%A9', '*', '@id', ':id', uuid, `${uuid}%00`, `%7B${uuid}%7D`, `%20${uuid}`],
  ...[uuid.toUpperCase(), uuid.replaceAll('-', ''), 'x'.repeat(10_000), '2147483648', 'NaN', 'null', 'undefined', '[]'],
]

const routes = table({ forget() {} } as Callers, {} as never, {} as never).flatMap(({ path, operations }) =>
  operations.map(({ method, path: below, may }): [string, string, typeof owner] => [
    method,
    path + below,
    may?.includes('operator') && !may.includes('owner') ? confirmer : owner,
  ]),
)

describe('A path that names nothing is answered with 404:', () => {
  test.each(routes.filter(([, path]) => path.includes(':id')))('%s %s', async (method, path, headers) => {
    const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/ld+json'
    for (const id of noIds)
      expectProblem(await raw(method, path.replace(':id', id), { ...headers, 'Content-Type': type }, '{}'), 404)
    for (const id of ['%E0%A4%A', '%', '%zz', '%ED%A0%80'])
      expectProblem(await raw(method, path.replace(':id', id), { ...headers, 'Content-Type': type }, '{}'), 400)
  })

  test.each([
    ...[
      '/nothing',
      '/meetings/',
      '//meetings',
      '/Meetings',
      '/%6deetings',
      '/meetings/x/y',
      '/meetings/../locations',
      '/*',
    ],
    ...[
      '/contexts',
      '/contexts/',
      '/contexts/Nothing',
      '/contexts/__proto__',
      '/contexts/constructor',
      '/contexts/%00',
    ],
    ...[
      '/errors/200',
      '/errors/999',
      '/errors/__proto__',
      '/errors/4040',
      '/errors',
      '/__proto__',
      '/constructor',
      '/.env',
    ],
    ...['/..%2f..%2fetc%2fpasswd', '/../../etc/passwd', '/contexts/..%2f..%2fpackage.json', '/docs.jsonld/x', '/;/%00'],
  ])('%s', async (path) => {
    expectProblem(await raw('GET', path, owner), 404)
    expect((await raw('HEAD', path, owner)).status).toBe(404)
  })

  test('a path with broken percent-encoding is refused with 400', async () => {
    for (const path of ['/contexts/%E0%A4%A', '/errors/%', `/locations/${'%ff'.repeat(3)}`])
      expectProblem(await raw('GET', path, owner), 400)
  })
})

test.each(routes.map(([, path, headers]) => [path, headers] as const))(
  'an unsupported method of %s is refused with 405 and the allowed methods',
  async (path, headers) => {
    const known = routes.filter(([, other]) => other === path).map(([method]) => method)
    for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'TRACE', 'PROPFIND', 'LINK', 'QUERY'])
      if (!known.includes(method)) {
        const answer = await raw(method, path.replace(':id', uuid), headers)
        expectProblem(answer, 405)
        expect((answer.headers.allow as string).split(', ').sort()).toEqual(
          ['OPTIONS', ...(known.includes('GET') ? ['HEAD'] : []), ...known].sort(),
        )
      }
  },
)

const foreignTypes = [
  ...[undefined, '', 'x', 'text/plain', 'text/json', 'application/xml', 'application/x-www-form-urlencoded', '*/*'],
  ...['application/ld', 'application/json5', 'application/ld+json-seq', 'multipart/form-data; boundary=x', 'json'],
]

test.each(routes.filter(([method, path]) => /POST|PATCH/.test(method) && !/logo|icon|confirm/.test(path)))(
  '%s %s accepts a body only in its documented media types',
  async (method, path, headers) => {
    const own =
      method === 'POST'
        ? 'application/ld+json, application/json, text/turtle'
        : 'application/merge-patch+json, application/json, application/ld+json'
    const other = method === 'POST' ? 'application/merge-patch+json' : 'text/turtle'
    for (const type of [...foreignTypes, other]) {
      const answer = await raw(
        method,
        path.replace(':id', uuid),
        { ...headers, ...(type !== undefined && { 'Content-Type': type }) },
        '{"x":1}',
      )
      expect(expectProblem(answer, 415).detail).toContain(`Send one of: ${own}.`)
    }
  },
)

describe('A query', () => {
  const get = (query: string): Promise<Answer> => raw('GET', `/meetings?${query}`, owner)

  test.each([
    ...['page=0', 'page=-1', 'page=abc', 'page=1.5', 'page=1e30', 'page=99999999999999999999', 'page=%00'],
    ...['page=%E0%A4%A', 'page=0x1', 'page=+1', 'page=NaN', 'page=null', 'page=1%27', 'page=%D9%A1', 'page=-0'],
    ...['itemsPerPage=-1', 'itemsPerPage=abc', 'itemsPerPage=1.5', 'itemsPerPage=1e9', 'itemsPerPage=%00'],
    ...['itemsPerPage=0&page=2'],
  ])('with %s is refused with the name of the parameter', async (query) => {
    const { detail } = expectProblem(await get(query), 400)
    expect(detail).toContain(query.split('=')[0])
  })

  test.each([
    ...[
      '__proto__=x',
      'constructor=x',
      'toString[]=x',
      'order[__proto__]=asc',
      'order[constructor]=asc',
      '&&&',
      '=',
      '?',
      '%',
    ],
    ...['x=%E0%A4%A', 'x=%00', '%00=x', 'page[]=2', 'page=1&page=2', 'a[b][c][d][e][f][g]=1'],
    Array.from({ length: 500 }, (_, n) => `x${n % 36}=`).join('&'),
  ])('with %.60s is answered as if the parameter were absent', async (query) => {
    const { status, text } = await get(query)
    expect(status).toBe(200)
    expect(JSON.parse(text).totalItems).toBe(1)
  })
})

test('refused requests change no row, and the server still answers', async () => {
  await given(Location, { name: 'Still here' })
  expect((await api.get('/locations')).body.totalItems).toBe(1)
  await deleteRows(database, 'location', '"organizationId" = $1', [organization.id])
})
