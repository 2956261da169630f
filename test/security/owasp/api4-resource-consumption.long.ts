import { once } from 'node:events'
import { type AddressInfo, connect } from 'node:net'
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import { createHttpServer } from '../../../src/runtime/http/http-server.ts'
import { snapshot } from '../../support/rows/database-snapshot.ts'
import { rowsOf } from '../../support/rows/sample-rows.ts'
import { openWorld } from '../../support/world.ts'
import { type Case, testCaseGroups, unless } from './case-groups.ts'
import { ask, joined, type Route, routes, send, serve, tokens, types } from './route-requests.ts'

const { app, config, database, ending, publicUrl, tenant } = await openWorld()

const mine: Record<string, { id: string }> = await rowsOf(tenant)
/** A large body of ignored properties still revokes a consent. It is revoked already, so no row changes. */
await database.query(`UPDATE "integration" SET "status" = 'revoked'`)
const tokenFor = ({ may }: Route) => (may.includes('owner') ? tokens.owner : tokens.operator)
const at = (route: Route) => route.path.replace(':id', mine[route.resource.name]?.id)
const collections = routes.filter(({ operation }) => operation.returns === 'collection')
const readers = routes.filter(({ input }) => input)
const uploads = routes.filter(({ operation }) => operation.expects === 'file')

/** How long anybody is kept waiting for a refusal, in milliseconds, on a machine that has little else to do. */
const patience = 4000

/** The same on a machine that is busy: it is long for requests that cost next to nothing, too. */
async function patienceNow(): Promise<number> {
  const began = performance.now()
  await send('GET', '/locations', { token: tokens.owner })
  return Math.max(2 * patience, 20 * (performance.now() - began))
}

async function promptly(title: string, asking: () => ReturnType<typeof send>, statuses: number[]) {
  const began = performance.now()
  const { status, text } = await asking()
  const took = performance.now() - began
  const prompt = took < patience || took < (await patienceNow())
  return unless(statuses.includes(status) && prompt, `${title}: ${status} in ${took} ms ${text.slice(0, 99)}`)
}

const sizes = [
  '1e9',
  '1000000000',
  '101',
  '9999999999999999999999',
  '-1',
  '0',
  '1.5',
  'x',
  '',
  '%00',
  '%D9%A1%D9%A0%D9%A0',
  '0x64',
]

function* pages(): Generator<Case> {
  for (const route of collections)
    for (const size of sizes)
      yield async () => {
        const { status, text } = await send('GET', `${at(route)}?itemsPerPage=${size}`, { token: tokenFor(route) })
        const count = status === 200 ? JSON.parse(text).member.length : 0
        const most = route.title === 'GET /countries' ? 300 : 100
        return unless([200, 400].includes(status) && count <= most, `${route.title} of ${size}: ${status}, ${count}`)
      }
}

function* queries(): Generator<Case> {
  for (const route of collections) {
    const { search } = joined.of(route.operation.members ?? route.resource.entity)
    const long = [
      Array.from({ length: 2000 }, (_, n) => `p${n}=${n}`).join('&'),
      `q=${'x'.repeat(14_000)}`,
      'itemsPerPage=100&'.repeat(800),
      'properties[]=name&'.repeat(700),
      'order[id]=asc&order[name]=desc&'.repeat(400),
      'a[b][c][d][e]'.repeat(900),
      '%5B'.repeat(4000),
      ...search.variables.flatMap(({ name }) => [
        `${encodeURIComponent(name)}=${'%25'.repeat(4000)}`,
        `${encodeURIComponent(`${name}[]`)}=${'1&'.repeat(5)}`.repeat(120),
      ]),
    ]
    for (const query of long)
      yield () =>
        promptly(
          `${route.title}?${query.slice(0, 40)}`,
          () => send('GET', `${at(route)}?${query}`, { token: tokenFor(route) }),
          [200, 400, 431],
        )
    yield () =>
      promptly(`${route.title}?a line of 40 kB`, () => send('GET', `${at(route)}?${'x'.repeat(40_000)}`), [431])
  }
}

const json = (...parts: string[]) => Buffer.from(parts.join(''))
const zeros = Buffer.alloc(30 * 1024 * 1024, ' ')
const large: [what: string, body: Buffer, statuses: number[], headers?: Record<string, string>][] = [
  ['2 MB', Buffer.alloc(2 * 1024 * 1024, ' '), [413]],
  ['30 MB in gzip', gzipSync(zeros), [413], { 'Content-Encoding': 'gzip' }],
  ['30 MB in brotli', brotliCompressSync(zeros), [413], { 'Content-Encoding': 'br' }],
  ['30 MB in deflate', deflateSync(zeros), [413], { 'Content-Encoding': 'deflate' }],
  ['45,000 levels', json('['.repeat(45_000), ']'.repeat(45_000)), [400]],
  ['10,000 levels of objects', json('{"a":'.repeat(10_000), '1', '}'.repeat(10_000)), [400]],
  [
    '12,000 properties',
    json('{', Array.from({ length: 12_000 }, (_, n) => `"p${n}":${n % 9}`).join(), ',"@id":[]}'),
    [200, 201, 400, 402, 403, 404, 409, 422, 503],
  ],
  ['100,000 members', json('[', Array(100_000).fill('1').join(), ']'), [400]],
  ['200 contexts', json('{"@context":[', Array(200).fill('{"a":"urn:a"}').join(), ']}'), [400]],
  [
    'a context of 5,000 terms',
    json('{"@context":{', Array.from({ length: 5000 }, (_, n) => `"t${n}":"urn:${n}"`).join(), '}}'),
    [400],
  ],
  ['a text of 200 kB', json('{"name":"', 'x'.repeat(200_000), '"}'), [200, 201, 400, 404, 402, 403, 409, 422, 503]],
  [
    'a number of 200,000 digits',
    json('{"seats":', '9'.repeat(200_000), '}'),
    [200, 201, 400, 402, 403, 404, 409, 422, 503],
  ],
]

function* bodies(): Generator<Case> {
  for (const route of readers)
    for (const [what, body, statuses, headers] of large) {
      const sent = { body, headers: { 'Content-Type': types[route.method], ...headers }, token: tokenFor(route) }
      const path = at(route).replace(/[0-9a-f-]{36}/, '01900000-0000-7000-8000-000000000000')
      const found = path === at(route) || statuses.includes(413) ? statuses : [...statuses, 404]
      yield () => promptly(`${route.title} of ${what}`, () => send(route.method, path, sent), found)
    }
  for (const route of uploads)
    yield () =>
      promptly(
        route.title,
        () =>
          send('POST', route.path, {
            body: zeros,
            token: tokens.owner,
            headers: { 'Content-Type': 'multipart/form-data; boundary=x' },
          }),
        [400, 413, 422, 503],
      )
}

/** Clients that say next to nothing for ever, at a server whose patience is short so that a test can outlast it. */
function* slow(): Generator<Case> {
  const server = createHttpServer(app, publicUrl)
  yield async () =>
    unless(server.headersTimeout <= 10_000 && server.requestTimeout <= 30_000, 'somebody slow may stay longer')
  const opened = (async () => {
    Object.assign(server, { headersTimeout: 300, requestTimeout: 500 })
    server.listen(0, '127.0.0.1')
    ending.unshift(async () => {
      server.closeAllConnections()
      server.close()
    })
    await once(server, 'listening')
    return (server.address() as AddressInfo).port
  })()
  const head = `POST /meetings HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${tokens.owner}\r\nContent-Type: application/json\r\n`
  const starts = {
    nothing: '',
    'a line': 'GET / HT',
    'a header': head,
    'a body': `${head}Content-Length: 100\r\n\r\n{`,
    chunks: `${head}Transfer-Encoding: chunked\r\n\r\n5\r\n{"a`,
  }
  for (const [what, start] of Object.entries(starts).slice(1))
    for (let count = 0; count < 20; count++)
      yield async () => {
        const socket = connect(await opened, '127.0.0.1')
          .on('error', () => {})
          .resume()
        socket.write(start)
        const drip = setInterval(() => socket.write('x'), 200)
        const began = performance.now()
        await Promise.race([
          new Promise((gone) => socket.once('close', gone)),
          new Promise((resolve) => setTimeout(resolve, 25_000)),
        ])
        clearInterval(drip)
        socket.resume().destroy()
        const took = performance.now() - began
        return unless(took < 20_000, `${what}, and then drips: still there after ${took} ms`)
      }
}

/** Sends ten costly requests at once, and meanwhile a small one that must be answered promptly. */
function* crowds(): Generator<Case> {
  const context = { '@context': [{ a: 'urn:a' }, { b: 'urn:b' }], a: Array(1000).fill({ b: 'x' }) }
  const heavy = [
    ...readers
      .filter(({ method }) => method === 'POST')
      .map((route) => () => ask(route, { body: context, token: tokenFor(route) })),
    ...collections.map(
      (route) => () =>
        send('GET', `${at(route)}?itemsPerPage=100&q=a`, {
          token: tokenFor(route),
          headers: { Accept: 'text/turtle' },
        }),
    ),
  ]
  for (const one of heavy)
    yield async () => {
      const answers = Promise.all(Array.from({ length: 10 }, one))
      const said = await promptly('somebody honest', () => send('GET', '/locations', { token: tokens.owner }), [200])
      const odd = (await answers).filter(({ status }) => status >= 500 && status !== 503)
      return said ?? unless(odd.length === 0, `${odd[0]?.status} ${odd[0]?.text}`)
    }
}

const before = await snapshot()
const settled = async () => expect(await snapshot()).toEqual(before)
const limits = { usual: routes.length, few: 3 }
const limited = await serve({ config: { ...config, limits } })

/** One rate limit covers all requests of a caller. */
function* rates(): Generator<Case> {
  for (const [index, route] of routes.entries())
    yield async () => {
      const { headers } = await ask(route, { at: limited, token: tokens.member })
      const left = routes.length - index - 1
      const told = `${headers.ratelimit}`.startsWith(`"usual";r=${left};`) || /^"few"/.test(`${headers.ratelimit}`)
      return unless(told && /;w=60$/.test(`${headers['ratelimit-policy']}`), `${route.title}: ${headers.ratelimit}`)
    }
  for (const route of routes)
    yield async () => {
      const { status, headers } = await ask(route, { at: limited, token: tokens.member })
      return unless(status === 429 && Number(headers['retry-after']) > 0, `${route.title}: ${status}`)
    }
}

testCaseGroups(
  'API4',
  {
    'A page is never larger than a hundred, or three hundred countries': pages(),
    'A long query is answered promptly': queries(),
    'A body that is too large is refused promptly': bodies(),
    'Costly requests of a crowd do not delay a small request': crowds(),
  },
  { settled },
)
testCaseGroups('API4, by slow clients', { 'A slow client is disconnected': slow() }, { atOnce: 80, settled })
testCaseGroups('API4, by the minute', { 'A caller has a limited number of requests a minute': rates() }, { atOnce: 1 })
