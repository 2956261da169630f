import { pino } from 'pino'
import request from 'supertest'
import { Location, Session } from '../../entities/index.ts'
import { createApp } from '../../src/app.ts'
import { Browser } from '../support/browser.ts'
import { openWorld } from '../support/world.ts'

const { api, database, given, publicUrl, server, services, tenant, tokenOf } = await openWorld()

/*
 * A browser sends a cookie with requests that other sites cause. So the cookie counts only for requests that this server's own
 * pages send: reads by Fetch Metadata, forms by that and by a form token. Each test sends the cookie although browsers would keep it.
 */

const token = await tokenOf(tenant.users.owner)
const browser = new Browser(server)
await browser.signIn(token)
const formToken = await browser.formToken()
const cookie = [...browser.cookies].map((pair) => pair.join('=')).join('; ')

const location = await given(Location, { name: 'Utrecht' })
const item = `/locations/${location.id}`
const membership = `/organization-users/${(await api.get('/organization-users')).body.member[0].id}`
const evil = 'https://evil.example'

afterEach(async () => {
  expect((await api.get(item)).body.name).toBe('Utrecht')
  expect((await api.get('/locations')).body.totalItems).toBe(1)
  expect((await browser.open('/meetings')).status).toBe(200)
})

describe('A read with the cookie', () => {
  test.each([
    ['from a page of this server', 'same-origin', 200],
    ['from the address bar', 'none', 200],
    ['from a browser without Fetch Metadata', undefined, 200],
    ['from another site', 'cross-site', 401],
    ['from another origin of this site', 'same-site', 401],
    ['from nowhere that is known', 'elsewhere', 401],
  ])('%s is answered with %s: %i', async (_, site, status) => {
    for (const method of ['get', 'head'] as const) {
      const test = browser.send(method, '/meetings')
      if (site) test.set('Sec-Fetch-Site', site)
      await test.expect(status)
    }
  })

  test('is readable for no page of another origin: CORS allows no credentials', async () => {
    for (const origin of [evil, publicUrl]) {
      const { headers } = await browser.open('/meetings').set('Origin', origin)
      expect(headers).not.toHaveProperty('access-control-allow-credentials')
    }
    const { headers } = await request(server)
      .options('/meetings')
      .set({ Origin: evil, 'Access-Control-Request-Method': 'POST' })
    expect(headers).not.toHaveProperty('access-control-allow-credentials')
  })
})

describe('The cookie changes nothing', () => {
  const bodies: [string, string][] = [
    ['application/json', '{"name":"Stolen"}'],
    ['application/ld+json', '{"name":"Stolen"}'],
    ['text/turtle', '[] <http://schema.org/name> "Stolen" .'],
    ['application/x-www-form-urlencoded', 'name=Stolen'],
    [
      'multipart/form-data; boundary=b',
      '--b\r\nContent-Disposition: form-data; name="name"\r\n\r\nStolen\r\n--b--\r\n',
    ],
    ['text/plain', '{"name":"Stolen"}'],
  ]
  test.each(bodies)('in a POST of %s, not even from this origin', async (type, body) => {
    for (const site of ['same-origin', 'none', 'cross-site', 'same-site'])
      await browser
        .send('post', '/locations')
        .set({ 'Content-Type': type, 'Sec-Fetch-Site': site, Origin: publicUrl })
        .send(body)
        // A form without its token is refused as one of another session.
        .expect(/form/.test(type) ? 403 : 401)
  })

  test.each(['patch', 'delete'] as const)('in a %s, not even from this origin', async (method) => {
    for (const type of ['application/merge-patch+json', 'application/x-www-form-urlencoded'])
      await browser
        .send(method, membership)
        .set({ 'Content-Type': type, 'Sec-Fetch-Site': 'same-origin', Origin: publicUrl })
        .send('{"name":"Stolen"}')
        .expect(401)
  })

  test('and the refusal says that it counts only for pages and forms', async () => {
    const remedy = 'This needs a bearer token: send it as "Authorization: Bearer …".'
    // A script that sends a text by fetch sends it as text/plain.
    for (const type of ['text/plain', 'application/json']) {
      const refused = browser.send('post', '/locations').set({ 'Content-Type': type, 'Sec-Fetch-Site': 'same-origin' })
      const { body } = await refused.set('Accept', 'application/json').send('{"name":"Stolen"}').expect(401)
      expect(body.detail).toBe(`${remedy} The cookie counts only for pages and forms of this server.`)
    }
    const { body } = await request(server).post('/locations').send({ name: 'Stolen' }).expect(401)
    expect(body.detail).toBe(remedy)
  })

  test('in a request without a body', async () => {
    await browser.send('post', '/organizations/clear').set('Sec-Fetch-Site', 'same-origin').expect(401)
  })
})

describe('A form of the session', () => {
  const end = (fields: Record<string, string>, headers: Record<string, string>) =>
    browser.send('post', '/session/end').type('form').set(headers).send(new URLSearchParams(fields).toString())
  const fields = { _token: formToken, which: 'all' }

  test.each([
    ['another site', { 'Sec-Fetch-Site': 'cross-site', Origin: publicUrl }],
    ['another origin of this site', { 'Sec-Fetch-Site': 'same-site' }],
    ['the address bar', { 'Sec-Fetch-Site': 'none' }],
    ['another origin, in a browser without Fetch Metadata', { Origin: evil }],
    ['a page that hides its origin', { Origin: 'null' }],
    ['nowhere that is known', {}],
  ])('is refused from %s, even with its form token', async (_, headers) => {
    await end(fields, headers as Record<string, string>).expect(403)
  })

  test.each([
    ['none', ''],
    ['a short one', formToken.slice(0, 40)],
    ['a changed one', `${formToken.slice(0, -2)}${formToken.endsWith('AA') ? 'BB' : 'AA'}`],
    ['the cookie', cookie.split('=')[1]],
  ])('is refused with a form token that is %s', async (_, wrong) => {
    await end({ ...fields, _token: wrong }, { 'Sec-Fetch-Site': 'same-origin' }).expect(403)
  })

  test('is refused with the form token of another session', async () => {
    const other = new Browser(server)
    await other.signIn(token)
    await end({ ...fields, _token: await other.formToken() }, { 'Sec-Fetch-Site': 'same-origin' }).expect(403)
  })

  test('has another form token in each page, and all of them work', async () => {
    const one = new Browser(server)
    await one.signIn(await tokenOf(tenant.users.member))
    const [first, second] = [await one.formToken(), await one.formToken()]
    expect(first).not.toBe(second)
    const organization = tenant.organization.id
    for (const formToken of [first, second])
      await one.submit('/session/organization', { _token: formToken, organization }).expect(303)
    await one.submit('/session/end', { _token: first, which: 'this' }).set('Sec-Fetch-Site', 'same-origin').expect(303)
  })

  test('is accepted by its origin where the browser has no Fetch Metadata', async () => {
    const old = new Browser(server)
    await old.signIn(token)
    const form = new URLSearchParams({ _token: await old.formToken(), which: 'this' }).toString()
    await old.send('post', '/session/end').type('form').set('Origin', publicUrl).send(form).expect(303)
  })
})

test('another site cannot sign a browser in', async () => {
  const ways: Record<string, string>[] = [{ token }, { person: 'owner' }]
  for (const fields of ways) await new Browser(server).submit('/session', fields, 'cross-site').expect(403)
})

test('a cookie that an attacker has chosen becomes no session', async () => {
  const fixed = new Browser(server)
  const [name] = browser.cookies.keys()
  fixed.cookies.set(name, 'A'.repeat(43))
  await fixed.open('/meetings').expect(401)
  await fixed.signIn(token)
  expect(fixed.cookies.get(name)).not.toBe('A'.repeat(43))
})

test('neither the token nor the cookie is in a page, an address, a header or a line of the log', async () => {
  const lines: string[] = []
  const log = pino({ level: 'trace' }, { write: (line: string) => lines.push(line) })
  const app = await createApp({ ...services, log })
  const started = app.listen(0)
  const logged = new Browser(started)
  const answers = [await logged.submit('/session', { token, return: '/meetings' })]
  const [, secret] = [...logged.cookies][0]
  for (const path of ['/session', '/meetings', '/meetings.json', '/', '/users/me', '/nowhere'])
    answers.push(await logged.open(path))
  answers.push(await logged.submit('/session', { token: `${token}x` }))
  answers.push(await logged.submit('/session/end', { _token: 'wrong', token }))
  for (const { text, headers } of answers) {
    expect(text ?? '').not.toContain(token)
    expect(text ?? '').not.toContain(secret)
    const { 'set-cookie': _, ...others } = headers
    expect(JSON.stringify(others)).not.toContain(token)
    expect(JSON.stringify(others)).not.toContain(secret)
  }
  expect(lines.length).toBeGreaterThan(5)
  expect(lines.join()).not.toContain(token)
  expect(lines.join()).not.toContain(secret)
  await new Promise((resolve) => started.close(resolve))
})

test('an address with a token signs in no browser', async () => {
  const visitor = new Browser(server)
  const { text, headers } = await visitor.open(`/session?token=${token}`).expect(200)
  expect(headers['set-cookie']).toBeUndefined()
  expect(text).not.toContain(token)
})

test('a session ends after its own time, although its token is still valid', async () => {
  const late = new Browser(server)
  await late.signIn(await tokenOf(tenant.users.admin))
  await late.open('/meetings').expect(200)
  await database.manager.update(Session, { subject: tenant.users.admin.subject }, { expiresAt: new Date() })
  await late.open('/meetings').expect(401)
})

test('a session whose key is gone from SECRETS_KEY has ended', async () => {
  const lost = new Browser(server)
  await lost.signIn(await tokenOf(tenant.users.admin))
  await lost.open('/meetings').expect(200)
  await database.manager.update(
    Session,
    { subject: tenant.users.admin.subject },
    { sealedTokens: `v1.00000000.${'A'.repeat(16)}.${'A'.repeat(22)}.AAAA` },
  )
  await lost.open('/meetings').expect(401)
})
