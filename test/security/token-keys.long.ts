import { once } from 'node:events'
import { rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from 'jose'
import request from 'supertest'
import { type Issuer, ownIssuer, remoteIssuer } from '../../src/access/token-issuer-keys.ts'
import { createApp } from '../../src/app.ts'
import { openWorld } from '../support/world.ts'

const { ending, person, services } = await openWorld()

// A verified token could outlive the key that verified it.
// The same fault can occur in the cache of verified tokens, in the cached key set, and in the server's own key.
// It can occur with a token that lives too long or comes from the future, and with an issuer that is down.

const sub = (await person('bearer', { issuer: 'https://login.example' })).subject
const [first, second] = await Promise.all(['first', 'second'].map(pair))
const timing = { refresh: 150, grace: 1000, cooldown: 50, timeout: 500 }
const day = 24 * 60 * 60
let published: JWK[] = []
let answer: 'keys' | 'an error' | 'nonsense' = 'keys'
let fetched = 0

const provider = createServer((_, response) => {
  fetched += 1
  response.statusCode = answer === 'an error' ? 500 : 200
  response.end(answer === 'nonsense' ? '<html>' : JSON.stringify({ keys: published }))
}).listen(0, '127.0.0.1')
await once(provider, 'listening')
const jwksUrl = `http://127.0.0.1:${(provider.address() as AddressInfo).port}/keys`
const far = { issuer: 'https://login.example', audience: 'api', jwksUrl }
ending.push(() => stop(provider))

let server: Server
beforeEach(async () => {
  published = [first.jwk, second.jwk]
  answer = 'keys'
  server = await serve(remoteIssuer({ ...far, timing }))
})
afterEach(() => stop(server))

// RFC 8725 §3.1, RFC 7517 §5: a key that has left the set signs no more.
test('a token ends with its key', async () => {
  const [old, young] = [await signed(first), await signed(second)]
  expect([await ask(old), await ask(young)]).toEqual([200, 200])
  published = [second.jwk]
  await pause(2 * timing.refresh + 50)
  await ask(young)
  await pause(timing.refresh)
  expect([await ask(old), await ask(young)]).toEqual([401, 200])
})

test('a key that is new in the set opens at once, and returns with the set', async () => {
  published = [first.jwk]
  expect(await ask(await signed(first))).toBe(200)
  published = [first.jwk, second.jwk]
  await pause(timing.cooldown + 10)
  expect(await ask(await signed(second))).toBe(200)
})

test('keys are fetched once in a while, however many tokens are sent', async () => {
  await ask(await signed(first))
  fetched = 0
  const start = Date.now()
  const tokens = await Promise.all(Array.from({ length: 20 }, (_, n) => signed(first, { n })))
  expect(new Set(await Promise.all(tokens.map(ask)))).toEqual(new Set([200]))
  expect(fetched).toBeLessThanOrEqual(1 + (Date.now() - start) / timing.refresh)
})

// RFC 9110 §15.6.4: it is the server's lack, not the token's.
test.each(['an error', 'nonsense'] as const)(
  'with %s of the issuer known keys are good for a while, then 503',
  async (failure) => {
    const token = await signed(first)
    expect(await ask(token)).toBe(200)
    answer = failure
    await pause(2 * timing.refresh + 50)
    expect([await ask(token), await ask(await signed(first, { other: true }))]).toEqual([200, 200])
    await pause(timing.grace)
    const { status, headers, body } = await listOrganizations(token)
    expect([status, headers['retry-after']]).toEqual([503, expect.stringMatching(/^\d+$/)])
    expect(body.detail).toMatch(/issuer/)
    answer = 'keys'
    await pause(timing.refresh + 50)
    expect(await ask(token)).toBe(200)
  },
)

test('without keys from the beginning it is 503, and not 401', async () => {
  answer = 'an error'
  expect(await ask(await signed(first))).toBe(503)
})

// RFC 8725 §3.8, RFC 9068 §2.2: iat and exp bound the lifetime.
test.each<[what: string, claims: (now: number) => JWTPayload]>([
  ['in a hundred years', (now) => ({ iat: now, exp: now + 100 * 365 * day })],
  ['a second after the longest', (now) => ({ iat: now, exp: now + day + 1 })],
  ['long after it was issued, though soon', (now) => ({ iat: now - day, exp: now + 60 })],
  ['in two days, of unknown age', (now) => ({ exp: now + 2 * day })],
  ['beyond all numbers', (now) => ({ iat: now, exp: Number.MAX_VALUE })],
])('a token that expires %s is refused, and says so', async (_, claims) => {
  const { status, headers, body } = await listOrganizations(await signed(first, claims(Math.floor(Date.now() / 1000))))
  expect([status, headers['www-authenticate']]).toEqual([401, expect.stringContaining('error="invalid_token"')])
  expect(body.detail).toMatch(/^The token is valid for [\d.e+]+ seconds; the limit is 86400\./)
})

test('a token from the future is refused, but for a minute of skew', async () => {
  const now = Math.floor(Date.now() / 1000)
  const at = (iat: number, nbf = iat) => signed(first, { iat, nbf, exp: iat + 60 })
  expect([await ask(await at(now + 30)), await ask(await at(now + 600))]).toEqual([200, 401])
  expect(await ask(await signed(first, { iat: now + 99 * 365 * day, exp: now + 99 * 365 * day + 60 }))).toBe(401)
  expect(await ask(await signed(first, { iat: now - 60, exp: now - 1 }))).toBe(401)
  expect(await ask(await signed(first, { exp: now + day - 60 }))).toBe(200)
})

test('the longest lifetime is the one that is configured', async () => {
  await stop(server)
  server = await serve(remoteIssuer({ ...far, timing, maxLifetime: 600 }))
  const now = Math.floor(Date.now() / 1000)
  expect(await ask(await signed(first, { iat: now, exp: now + 600 }))).toBe(200)
  expect(await ask(await signed(first, { iat: now, exp: now + 601 }))).toBe(401)
})

test('the server’s own tokens end with its key, and are not longer either', async () => {
  const { directory } = JSON.parse(process.env.TEST_POSTGRES ?? '{}')
  const room = join(directory, `keys-${process.pid}`)
  const own = await ownIssuer('https://login.example', room, { timing, maxLifetime: 600 })
  await stop(server)
  server = await serve(own)
  const token = await own.sign({ sub })
  expect([await ask(token), await ask(await own.sign({ sub, lifetime: 700 }))]).toEqual([200, 401])
  const before = (await request(url()).get('/.well-known/jwks.json')).body
  await rm(join(room, 'token-key.json'))
  await pause(2 * timing.refresh + 50)
  expect(await ask(token)).toBe(401)
  expect(await ask(await own.sign({ sub }))).toBe(200)
  const { body } = await request(url()).get('/.well-known/jwks.json')
  expect(body.keys).toHaveLength(1)
  expect(body.keys[0].kid).not.toBe(before.keys[0].kid)
  expect(body.keys[0]).not.toHaveProperty('d')
})

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds))
const url = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`
const listOrganizations = (token: string) =>
  request(url()).get('/organizations').set('Authorization', `Bearer ${token}`)
const ask = async (token: string) => (await listOrganizations(token)).status

async function pair(kid: string) {
  const { privateKey, publicKey } = await generateKeyPair('ES256')
  return { kid, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg: 'ES256', use: 'sig' } }
}

function signed({ kid, privateKey }: Awaited<ReturnType<typeof pair>>, claims: JWTPayload = {}): Promise<string> {
  const all = { sub, iss: far.issuer, aud: far.audience, exp: Math.floor(Date.now() / 1000) + 600, ...claims }
  return new SignJWT(all).setProtectedHeader({ alg: 'ES256', kid }).sign(privateKey)
}

async function serve(issuer: Issuer): Promise<Server> {
  const app = await createApp({ ...services, issuer })
  const started = app.listen(0, '127.0.0.1')
  await once(started, 'listening')
  return started
}

async function stop(running: Server): Promise<void> {
  running.closeAllConnections()
  await new Promise((resolve) => running.close(resolve))
}
