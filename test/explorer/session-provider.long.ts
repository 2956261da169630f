import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import Provider, { type Configuration } from 'oidc-provider'
import { pino } from 'pino'
import { OrganizationUser, Session } from '../../entities/index.ts'
import { remoteIssuer } from '../../src/access/token-issuer-keys.ts'
import { createApp } from '../../src/app.ts'
import { createHttpServer } from '../../src/runtime/http/http-server.ts'
import { Browser } from '../support/browser.ts'
import { eventually } from '../support/eventually.ts'
import { openWorld } from '../support/world.ts'

const { banking, billing, config, database, ending, given, person, secretKeys } = await openWorld()

const audience = 'https://api.example/organizations'
const lines: string[] = []
const log = pino({ level: 'trace' }, { write: (line: string) => lines.push(line) })

/** Seconds that an access token of the provider lives. */
let lifetime = 3600
/** The fault of the provider during a test. */
let fault: 'opaque' | 'refuses' | 'silent' | undefined
let refreshes = 0
const revoked: unknown[] = []

const api = createServer()
// The provider warns of each default that it runs with.
console.warn = console.info = () => {}
const provider = await startProvider()
const issuer = remoteIssuer({ issuer: provider.issuer, audience, jwksUrl: `${provider.issuer}/jwks` })
const publicUrl = provider.apiUrl
api.on('request', await createApi())
const port = new URL(publicUrl).port

const user = await person('ada', { issuer: provider.issuer })
await given(OrganizationUser, { user, name: 'Ada', role: 'admin' })

beforeEach(() => {
  lifetime = 3600
  fault = undefined
  refreshes = 0
})

test('a person signs in at the provider, and comes back to the page that asked for it', async () => {
  const browser = new Browser(api)
  expect((await browser.open('/session')).text).toContain(`Sign in at ${new URL(provider.issuer).host}`)
  const callback = await throughProvider(browser, '/session/start?return=/meetings')
  const answer = await browser.open(callback, 'cross-site').expect(200)
  expect(answer.text).toContain('http-equiv="refresh" content="0;url=/meetings"')
  expect(answer.headers['referrer-policy']).toBe('same-origin')
  const cookies = answer.headers['set-cookie'] as unknown as string[]
  expect(cookies).toContainEqual(expect.stringMatching(/^session-\d+=[\w-]{43}; .*HttpOnly; SameSite=Strict$/))
  expect(cookies).toContainEqual(expect.stringMatching(/^sign-in-\d+=; Max-Age=0; /))
  await browser.open('/meetings').expect(200)
  expect((await browser.open('/session')).text).toContain('ada')
})

test('the start sends state, nonce, a PKCE challenge and the audience, and keeps the rest in a cookie of ten minutes', async () => {
  const { headers } = await new Browser(api).open('/session/start').expect(303)
  const { searchParams } = new URL(headers.location)
  expect(Object.fromEntries(searchParams)).toMatchObject({
    response_type: 'code',
    client_id: 'explorer',
    redirect_uri: `${publicUrl}/session/callback`,
    code_challenge_method: 'S256',
    audience,
    resource: audience,
  })
  for (const name of ['state', 'nonce', 'code_challenge']) expect(searchParams.get(name)).toMatch(/^[\w-]{43}$/)
  const [cookie] = headers['set-cookie'] as unknown as string[]
  expect(cookie).toMatch(
    new RegExp(`^sign-in-${port}=v1\\.[^;]+; Max-Age=600; Path=/session/callback; Expires=.+; HttpOnly; SameSite=Lax$`),
  )
  expect(cookie).not.toContain(searchParams.get('state'))
})

describe('The callback is refused', () => {
  test('without the cookie of its browser', async () => {
    const callback = await throughProvider(new Browser(api))
    const { text } = await new Browser(api).open(callback, 'cross-site').expect(400)
    expect(text).toContain('began in another browser')
  })

  test('with another state', async () => {
    const browser = new Browser(api)
    const callback = await throughProvider(browser)
    await browser.open(callback.replace(/state=[\w-]+/, `state=${'A'.repeat(43)}`), 'cross-site').expect(400)
    await browser.open('/meetings').expect(401)
  })

  test('for a second time', async () => {
    const browser = new Browser(api)
    const callback = await throughProvider(browser)
    const kept = new Map(browser.cookies)
    await browser.open(callback, 'cross-site').expect(200)
    for (const [name, value] of kept) browser.cookies.set(name, value)
    await browser.open(callback, 'cross-site').expect(400)
  })

  test('with the text of a stranger, which is not repeated', async () => {
    const browser = new Browser(api)
    const { headers } = await browser.open('/session/start')
    const state = new URL(headers.location).searchParams.get('state')
    const iss = encodeURIComponent(provider.issuer)
    const query = `error=access_denied&error_description=Call+0900-1234&state=${state}&iss=${iss}`
    const { text } = await browser.open(`/session/callback?${query}`, 'cross-site').expect(400)
    expect(text).toContain('has refused the sign-in')
    expect(text).not.toContain('0900')
  })

  test('with an access token that is no JWT for the audience, with a sentence', async () => {
    fault = 'opaque'
    const browser = new Browser(api)
    const { text, status } = await browser.open(await throughProvider(browser), 'cross-site')
    expect(status).toBe(502)
    expect(text).toContain('is no JWT for the audience')
    expect(text).toContain(audience)
    await browser.open('/meetings').expect(401)
  })
})

describe('A token that is about to expire', () => {
  test('is refreshed once, however many requests come at the same time', async () => {
    lifetime = 30
    const browser = await signedIn()
    const before = await storedSession()
    lifetime = 3600
    const answers = await Promise.all(Array.from({ length: 12 }, () => browser.open('/meetings')))
    expect(answers.map(({ status }) => status)).toEqual(Array(12).fill(200))
    expect(refreshes).toBe(1)
    const after = await storedSession()
    expect(after.tokenExpiresAt.getTime()).toBeGreaterThan(before.tokenExpiresAt.getTime())
    expect(after.sealedTokens).not.toBe(before.sealedTokens)
  })

  test('is refreshed once by two processes', async () => {
    lifetime = 30
    const browser = await signedIn()
    lifetime = 3600
    const other = createHttpServer(await createApi(), publicUrl).listen(0, '127.0.0.1')
    await once(other, 'listening')
    const elsewhere = new Browser(other)
    for (const [name, value] of browser.cookies) elsewhere.cookies.set(name, value)
    const answers = await Promise.all(
      [browser, elsewhere].flatMap((one) => [one.open('/meetings'), one.open('/meetings')]),
    )
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200])
    expect(refreshes).toBe(1)
    other.close()
  })

  test('ends the session where the provider refuses to refresh it', async () => {
    lifetime = 30
    const browser = await signedIn()
    const former = await storedSession()
    fault = 'refuses'
    await browser.open('/meetings').expect(401)
    expect(await database.manager.countBy(Session, { id: former.id })).toBe(0)
  })

  test('still counts while the provider does not answer', async () => {
    lifetime = 30
    const browser = await signedIn()
    fault = 'silent'
    await browser.open('/meetings').expect(200)
  })

  test('that has expired meanwhile is answered with 503, and the session stays', async () => {
    lifetime = 1
    const browser = await signedIn()
    await new Promise((resolve) => setTimeout(resolve, 1100))
    fault = 'silent'
    await browser.open('/meetings').expect(503)
    fault = undefined
    lifetime = 3600
    await browser.open('/meetings').expect(200)
  })
})

test('a sign-out ends the session here, revokes its refresh token, and goes on to the provider without a token', async () => {
  const browser = await signedIn()
  const form = { formToken: await browser.formToken(), which: 'this' }
  const { text } = await browser.submit('/session/end', form).expect(200)
  const [, url] = /content="0;url=([^"]+)"/.exec(text) as RegExpExecArray
  const { origin, searchParams } = new URL(url.replaceAll('&amp;', '&'))
  expect(origin).toBe(provider.issuer)
  expect(searchParams.get('post_logout_redirect_uri')).toBe(`${publicUrl}/session`)
  expect(searchParams.has('id_token_hint')).toBe(false)
  await browser.open('/meetings').expect(401)
  await eventually(() => expect(revoked).toHaveLength(1))
})

test('no token and no code is in a line of the log', () => {
  expect(lines.length).toBeGreaterThan(10)
  expect(lines.join()).not.toMatch(/eyJ|code=|state=/)
})

async function signedIn(): Promise<Browser> {
  const browser = new Browser(api)
  await browser.open(await throughProvider(browser), 'cross-site').expect(200)
  return browser
}

async function storedSession(): Promise<Session> {
  const [newest] = await database.manager.find(Session, { where: { subject: 'ada' }, order: { id: 'DESC' }, take: 1 })
  return newest
}

/** Signs in at the provider as a person does, and returns the path of the callback with its query. */
async function throughProvider(browser: Browser, start = '/session/start'): Promise<string> {
  const { headers } = await browser.open(start).expect(303)
  const person = new Browser(provider.issuer)
  let address = new URL(headers.location)
  for (let step = 0; step < 10 && address.origin === provider.issuer; step++) {
    const answer = await person.send('get', address.pathname + address.search)
    const form = /<form[^>]* action="([^"]+)"/.exec(answer.text ?? '')
    const next = form
      ? await person.submit(new URL(form[1]).pathname, { ...hidden(answer.text), login: 'ada', password: 'x' })
      : answer
    address = new URL(next.headers.location, provider.issuer)
  }
  expect(address.origin).toBe(publicUrl)
  return address.pathname + address.search
}

function hidden(page: string): Record<string, string> {
  return Object.fromEntries([...page.matchAll(/name="(\w+)" value="([^"]*)"/g)].map(([, name, value]) => [name, value]))
}

async function createApi() {
  const auth = {
    issuer: provider.issuer,
    audience,
    jwksUrl: `${provider.issuer}/jwks`,
    client: { id: 'explorer', secret: undefined },
  }
  const settings = { ...config, publicUrl, auth }
  return createApp({
    config: settings,
    database,
    billing,
    banking,
    issuer,
    log,
    secretKeys,
    state: { draining: false },
  })
}

/** A real OpenID provider, which knows the API as a public client. */
async function startProvider() {
  api.listen(0, '127.0.0.1')
  await once(api, 'listening')
  const apiUrl = `http://127.0.0.1:${(api.address() as AddressInfo).port}`
  const server: Server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const settings: Configuration = {
    clients: [
      {
        client_id: 'explorer',
        token_endpoint_auth_method: 'none',
        redirect_uris: [`${apiUrl}/session/callback`],
        post_logout_redirect_uris: [`${apiUrl}/session`],
        grant_types: ['authorization_code', 'refresh_token'],
      },
    ],
    features: {
      resourceIndicators: {
        enabled: true,
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({
          scope: '',
          audience,
          accessTokenFormat: fault === 'opaque' ? 'opaque' : 'jwt',
          accessTokenTTL: lifetime,
        }),
      },
      revocation: { enabled: true },
    },
    issueRefreshToken: () => true,
    scopes: ['openid'],
  }
  const oidc = new Provider(address, settings)
  const handle = oidc.callback()
  server.on('request', (incoming, response) => {
    if (fault === 'silent' && incoming.url === '/token') return response.destroy()
    if (fault === 'refuses' && incoming.url === '/token')
      return response.writeHead(400, { 'Content-Type': 'application/json' }).end('{"error":"invalid_grant"}')
    return handle(incoming, response)
  })
  oidc.on('grant.success', ({ oidc: { params } }) => {
    if (params?.grant_type === 'refresh_token') refreshes++
  })
  oidc.on('refresh_token.destroyed', (token) => revoked.push(token))
  ending.unshift(async () => {
    for (const started of [server, api]) {
      started.closeAllConnections()
      started.close()
    }
  })
  return { issuer: address, apiUrl }
}
