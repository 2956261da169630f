import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { remoteIssuer } from '../../../src/access/token-issuer-keys.ts'
import { forgeries, token, truth } from '../../support/requests/forged-tokens.ts'
import { snapshot } from '../../support/rows/database-snapshot.ts'
import { openWorld } from '../../support/world.ts'
import { type Case, testCaseGroups, unless } from './case-groups.ts'
import { ask, routes, send, serve, types } from './route-requests.ts'

const { config, ending, tenant } = await openWorld()

const guarded = routes.filter(({ may }) => !may.includes('anonymous'))

function* forged(): Generator<Case> {
  for (const [what, Authorization] of forgeries) {
    const asking = routes.map((route) => () => ask(route, { headers: { Authorization } }))
    for (const one of [...asking, () => send('GET', '/metrics', { headers: { Authorization } })])
      yield async () => {
        const { status, headers, text } = await one()
        const told = /^Bearer( error="invalid_token"|$)/.test(headers['www-authenticate'] as string)
        return unless(status === 401 && told, `a token with ${what}: ${status} ${text}`)
      }
  }
}

/** Where a good token may be put, and must not be looked for. */
const queries = ['access_token', 'token', 'bearer_token', 'jwt', 'auth', 'api_key', 'Authorization', 'authorization[]']
const headers: Record<string, string>[] = [
  ...['X-Authorization', 'Proxy-Authorization', 'X-Original-Authorization', 'Authentication', 'X-Auth'].map((name) => ({
    [name]: `Bearer ${truth}`,
  })),
  ...['X-Access-Token', 'X-Auth-Token', 'X-Api-Key', 'Token', 'Bearer'].map((name) => ({ [name]: truth })),
  ...['access_token', 'token', 'Authorization', 'session', '__Host-token'].map((name) => ({
    Cookie: `${name}=${truth}; ${name}=Bearer%20${truth}`,
  })),
  ...['X-Forwarded-User', 'X-Remote-User', 'X-User', 'Remote-User', 'X-WEBAUTH-USER', 'From'].map((name) => ({
    [name]: tenant.users.owner.subject,
  })),
  { 'Sec-WebSocket-Protocol': `bearer, ${truth}` },
]

function* misplaced(): Generator<Case> {
  for (const route of guarded) {
    const bodies = types[route.method] ? [{ access_token: truth, token: truth, Authorization: `Bearer ${truth}` }] : []
    const ways = [
      ...queries.map((name) => ({ path: `${route.path}?${name}=${truth}` })),
      ...headers.map((headers) => ({ headers })),
      ...bodies.map((body) => ({ body })),
      { headers: { 'Content-Type': 'application/x-www-form-urlencoded' }, body: `access_token=${truth}` },
    ]
    for (const { path = route.path, ...way } of ways as { path?: string; headers?: Record<string, string> }[])
      yield async () => {
        const { status } = await ask({ ...route, path }, way)
        return unless(status === 401, `${route.method} ${path} with ${JSON.stringify(way)}: ${status}`)
      }
  }
}

/** A provider whose keys are fetched, and which counts how often. */
let fetched = 0
const { privateKey, publicKey } = await generateKeyPair('RS256')
const keys = { keys: [{ ...(await exportJWK(publicKey)), kid: 'known', alg: 'RS256', use: 'sig' }] }
const provider = createServer((_, response) => {
  fetched += 1
  response.end(JSON.stringify(keys))
}).listen(0, '127.0.0.1')
await once(provider, 'listening')
ending.push(async () => {
  provider.closeAllConnections()
  provider.close()
})
const jwksUrl = `http://127.0.0.1:${(provider.address() as AddressInfo).port}/keys`
const far = { issuer: 'https://login.example', audience: 'api', jwksUrl }
const foreign = await serve({ issuer: remoteIssuer(far) })

function signed(kid: string | undefined, claims: object = {}, alg = 'RS256', key: never = privateKey as never) {
  const exp = Math.floor(Date.now() / 1000) + 600
  const all = { sub: tenant.users.owner.subject, iss: far.issuer, aud: far.audience, exp, ...claims }
  return new SignJWT(all).setProtectedHeader({ alg, ...(kid && { kid }) }).sign(key)
}

/** Names of keys that look like files, queries, or other servers. */
const kids = ['../../../../dev/null', '/dev/null', "x' UNION SELECT 'key", '|id', `${jwksUrl}?x`, '__proto__', '\0']

function* atProvider(): Generator<Case> {
  const secret = new TextEncoder().encode(JSON.stringify(keys.keys[0])) as never
  const refused = [
    ...[...kids, ...Array.from({ length: 50 }, (_, n) => `key-${n}`)].map((kid) => () => signed(kid)),
    ...[{ iss: 'https://evil.example' }, { aud: 'other' }, { exp: 1 }, { exp: undefined }, { sub: undefined }].map(
      (claims) => () => signed('known', claims),
    ),
    () => signed('known', {}, 'HS256', secret),
    () => token(),
  ]
  for (const make of refused)
    yield async () => {
      const bearer = await make()
      const { status, text } = await send('GET', '/organizations', { token: bearer, at: foreign })
      return unless(status === 401, `${bearer}: ${status} ${text}`)
    }
  yield async () => unless(fetched < 4, `the keys were fetched ${fetched} times`)
  yield async () => {
    const { status } = await send('GET', '/organizations', { token: await signed('known'), at: foreign })
    return unless(status === 200, `a good token: ${status}`)
  }
}

const limited = await serve({ config: { ...config, trustProxy: true, limits: { usual: 2, few: 2 } } })

/** Every door at which tokens can be tried, each from an address that nothing has been counted of yet. */
function* counted(): Generator<Case> {
  const metrics = { ...routes[0], title: 'GET /metrics', path: '/metrics', method: 'GET' }
  for (const [index, route] of [...routes, metrics].entries())
    yield async () => {
      const guess = (count: number) => {
        const headers = { Authorization: `Bearer guess${count}`, 'X-Forwarded-For': `192.0.2.${index}` }
        return ask(route, { at: limited, headers })
      }
      for (const count of [1, 2]) await guess(count)
      const { status, headers } = await guess(3)
      return unless(status === 429 && Number(headers['retry-after']) > 0, `${route.title}: ${status}`)
    }
}

const before = await snapshot()
testCaseGroups(
  'API2',
  {
    'No forgery opens anything': forged(),
    'A token is looked for in one place alone': misplaced(),
    'Nor does one open anything where the keys are a provider’s': atProvider(),
    'Tokens that are no good are counted at every door': counted(),
  },
  { settled: async () => expect(await snapshot()).toEqual(before) },
)
