import { Session } from '../../entities/index.ts'
import { Browser } from '../support/browser.ts'
import { eventually } from '../support/eventually.ts'
import { audience, behaviour, createApi, issuer, lines, listen, publicUrl, server } from '../support/openid-provider.ts'
import { openWorld } from '../support/world.ts'

const { database } = await openWorld()

beforeEach(() => {
  Object.assign(behaviour, { lifetime: 3600, fault: undefined, refreshes: 0 })
})

test('a person signs in at the provider, and comes back to the page that asked for it', async () => {
  const browser = new Browser(server)
  expect((await browser.open('/session')).text).toContain(`Sign in at ${new URL(issuer).host}`)
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
  const { headers } = await new Browser(server).open('/session/start').expect(303)
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
    /^sign-in-\d+=v1\.[^;]+; Max-Age=600; Path=\/session\/callback; Expires=.+; HttpOnly; SameSite=Lax$/,
  )
  expect(cookie).not.toContain(searchParams.get('state'))
})

test('under a path of PUBLIC_URL, and with TLS, the cookie of a sign-in has the prefix and the path of the callback', async () => {
  const other = await listen('127.0.0.1')
  other.on('request', await createApi({ publicUrl: 'https://api.example/org' }))
  const { headers } = await new Browser(other).open('/org/session/start').expect(303)
  expect(new URL(headers.location).searchParams.get('redirect_uri')).toBe('https://api.example/org/session/callback')
  expect((headers['set-cookie'] as unknown as string[])[0]).toMatch(
    /^__Secure-sign-in=v1\.[^;]+; Max-Age=600; Path=\/org\/session\/callback; Expires=.+; HttpOnly; Secure; SameSite=Lax$/,
  )
})

test('an audience that is no URI is sent as "audience" alone, because a resource is a URI', async () => {
  const other = await listen('127.0.0.1')
  other.on('request', await createApi({ audience: 'organizations' }))
  const { headers } = await new Browser(other).open('/session/start').expect(303)
  const { searchParams } = new URL(headers.location)
  expect([searchParams.get('audience'), searchParams.has('resource')]).toEqual(['organizations', false])
})

test('a client with a secret proves who it is, and a wrong secret is refused with a sentence', async () => {
  for (const [secret, status] of [
    ['a secret of 32 characters at least', 200],
    ['another secret of 32 characters', 502],
  ] as const) {
    const other = await listen('127.0.0.1')
    other.on('request', await createApi({ client: { id: 'confidential', secret } }))
    const browser = new Browser(other)
    const { text } = await browser.open(await throughProvider(browser), 'cross-site').expect(status)
    if (status === 502) expect(text).toContain('Correct AUTH_CLIENT_ID or AUTH_CLIENT_SECRET.')
    await browser.open('/meetings').expect(status === 200 ? 200 : 401)
  }
})

describe('The callback is refused', () => {
  test('without the cookie of its browser', async () => {
    const callback = await throughProvider(new Browser(server))
    const { text } = await new Browser(server).open(callback, 'cross-site').expect(400)
    expect(text).toContain('began in another browser')
  })

  test('with another state', async () => {
    const browser = new Browser(server)
    const callback = await throughProvider(browser)
    await browser.open(callback.replace(/state=[\w-]+/, `state=${'A'.repeat(43)}`), 'cross-site').expect(400)
    await browser.open('/meetings').expect(401)
  })

  test('for a second time', async () => {
    const browser = new Browser(server)
    const callback = await throughProvider(browser)
    const kept = new Map(browser.cookies)
    await browser.open(callback, 'cross-site').expect(200)
    for (const [name, value] of kept) browser.cookies.set(name, value)
    await browser.open(callback, 'cross-site').expect(400)
  })

  test('with the text of a stranger, which is not repeated', async () => {
    const browser = new Browser(server)
    const { headers } = await browser.open('/session/start')
    const state = new URL(headers.location).searchParams.get('state')
    const iss = encodeURIComponent(issuer)
    const query = `error=access_denied&error_description=Call+0900-1234&state=${state}&iss=${iss}`
    const { text } = await browser.open(`/session/callback?${query}`, 'cross-site').expect(400)
    expect(text).toContain('has refused the sign-in')
    expect(text).not.toContain('0900')
  })

  test('with an access token that is no JWT for the audience, with a sentence', async () => {
    behaviour.fault = 'opaque'
    const browser = new Browser(server)
    const { text, status } = await browser.open(await throughProvider(browser), 'cross-site')
    expect(status).toBe(502)
    expect(text).toContain('is no JWT for the audience')
    expect(text).toContain(audience)
    await browser.open('/meetings').expect(401)
  })
})

describe('A token that is about to expire', () => {
  test('is refreshed once, however many requests come at the same time', async () => {
    behaviour.lifetime = 30
    const browser = await signedIn()
    const before = await storedSession()
    behaviour.lifetime = 3600
    const answers = await Promise.all(Array.from({ length: 12 }, () => browser.open('/meetings')))
    expect(answers.map(({ status }) => status)).toEqual(Array(12).fill(200))
    expect(behaviour.refreshes).toBe(1)
    // The code and the refresh token are both exchanged for a token of this API.
    expect(behaviour.resources.slice(-2)).toEqual([audience, audience])
    const after = await storedSession()
    expect(after.tokenExpiresAt.getTime()).toBeGreaterThan(before.tokenExpiresAt.getTime())
    expect(after.sealedTokens).not.toBe(before.sealedTokens)
  })

  test('is refreshed once by two processes', async () => {
    behaviour.lifetime = 30
    const browser = await signedIn()
    behaviour.lifetime = 3600
    const other = await listen('127.0.0.1')
    other.on('request', await createApi())
    const elsewhere = new Browser(other)
    for (const [name, value] of browser.cookies) elsewhere.cookies.set(name, value)
    const answers = await Promise.all(
      [browser, elsewhere].flatMap((one) => [one.open('/meetings'), one.open('/meetings')]),
    )
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200])
    expect(behaviour.refreshes).toBe(1)
  })

  test('ends the session where the provider refuses to refresh it', async () => {
    behaviour.lifetime = 30
    const browser = await signedIn()
    const former = await storedSession()
    behaviour.fault = 'refuses'
    await browser.open('/meetings').expect(401)
    expect(await database.manager.countBy(Session, { id: former.id })).toBe(0)
  })

  test('still counts while the provider does not answer', async () => {
    behaviour.lifetime = 30
    const browser = await signedIn()
    behaviour.fault = 'silent'
    await browser.open('/meetings').expect(200)
  })

  test('that has expired meanwhile is answered with 503, and the session stays', async () => {
    behaviour.lifetime = 1
    const browser = await signedIn()
    await new Promise((resolve) => setTimeout(resolve, 1100))
    behaviour.fault = 'silent'
    await browser.open('/meetings').expect(503)
    behaviour.fault = undefined
    behaviour.lifetime = 3600
    await browser.open('/meetings').expect(200)
  })
})

test('a sign-out ends the session here, revokes its refresh token, and goes on to the provider without a token', async () => {
  const browser = await signedIn()
  const form = { _token: await browser.formToken(), which: 'this' }
  const { text } = await browser.submit('/session/end', form).expect(200)
  const [, url] = /content="0;url=([^"]+)"/.exec(text) as RegExpExecArray
  const { origin, searchParams } = new URL(url.replaceAll('&amp;', '&'))
  expect(origin).toBe(issuer)
  expect(searchParams.get('post_logout_redirect_uri')).toBe(`${publicUrl}/session`)
  // It tells the provider which client asks, because no token does.
  expect(searchParams.get('client_id')).toBe('explorer')
  expect(searchParams.has('id_token_hint')).toBe(false)
  await browser.open('/meetings').expect(401)
  await eventually(() => expect(behaviour.revoked).toBe(1))
})

// With a form the ID token would stand in no address. Providers with `SameSite=Lax` cookies would not know their session, though.
test('the provider takes a sign-out by GET and none by POST, as its cookie is Lax', async () => {
  const browser = await signedIn()
  const { text } = await browser
    .submit('/session/end', { _token: await browser.formToken(), which: 'this' })
    .expect(200)
  const [, url] = /content="0;url=([^"]+)"/.exec(text) as RegExpExecArray
  const { pathname, search, searchParams } = new URL(url.replaceAll('&amp;', '&'))
  const person = new Browser(issuer)
  await person.open(pathname + search, 'cross-site').expect(200)
  await person.submit(pathname, Object.fromEntries(searchParams), 'cross-site').expect(404)
  const { headers } = await person.send('get', pathname + search)
  expect(headers['set-cookie']).toContainEqual(expect.stringMatching(/^_session=.*; samesite=lax/i))
})

test('no token and no code is in a line of the log', () => {
  expect(lines.length).toBeGreaterThan(10)
  expect(lines.join()).not.toMatch(/eyJ|code=|state=/)
})

async function signedIn(): Promise<Browser> {
  const browser = new Browser(server)
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
  const person = new Browser(issuer)
  let address = new URL(headers.location)
  for (let step = 0; step < 10 && address.origin === issuer; step++) {
    const answer = await person.send('get', address.pathname + address.search)
    const form = /<form[^>]* action="([^"]+)"/.exec(answer.text ?? '')
    const next = form
      ? await person.submit(new URL(form[1]).pathname, { ...hidden(answer.text), login: 'ada', password: 'x' })
      : answer
    address = new URL(next.headers.location, issuer)
  }
  expect(address.origin).toBe(publicUrl)
  return address.pathname + address.search
}

function hidden(page: string): Record<string, string> {
  return Object.fromEntries([...page.matchAll(/name="(\w+)" value="([^"]*)"/g)].map(([, name, value]) => [name, value]))
}
