import { OrganizationUser, Session } from '../../entities/index.ts'
import { deleteExpiredSessions } from '../../src/access/session/session-rows.ts'
import { people, seedDemo } from '../../src/demo/demo.ts'
import { Browser } from '../support/browser.ts'
import { openWorld } from '../support/world.ts'

const { database, elsewhere, given, operator, organization, person, publicUrl, server, tenant, tokenOf } =
  await openWorld()
const { owner } = tenant.users
const port = new URL(publicUrl).port
const cookie = `session-${port}`

const signedIn = async (user = owner, claims = {}): Promise<Browser> => {
  const browser = new Browser(server)
  await browser.signIn(await tokenOf(user, claims))
  return browser
}

describe('The sign-in page', () => {
  test('offers the people of the demo with one click each, and a field for a bearer token', async () => {
    const { text, headers } = await new Browser(server).open('/session').expect(200)
    for (const [id, { name }] of Object.entries(people)) {
      expect(text).toContain(`value="${id}"`)
      expect(text).toContain(name)
    }
    expect(text).toContain('name="token"')
    expect(headers['cache-control']).toBe('no-store')
    expect(headers['set-cookie']).toBeUndefined()
  })

  test('leads back to the page that asked for it', async () => {
    const browser = new Browser(server)
    const { text } = await browser.open('/session?return=%2Fmeetings%3Fpage%3D2').expect(200)
    expect(text).toContain('name="return" value="/meetings?page=2"')
    const token = await tokenOf(owner)
    const { headers } = await browser.submit('/session', { token, return: '/meetings?page=2' }).expect(303)
    expect(headers.location).toBe('/meetings?page=2')
    expect((await browser.open('/session?return=/meetings').expect(200)).text).toContain(
      'href="/meetings">Back to the page',
    )
  })

  test.each([
    'https://evil.example/',
    '//evil.example',
    '/\\evil.example',
    'meetings',
    '/\n/evil.example',
    'javascript:alert(1)',
  ])('never leads to %j', async (to) => {
    const token = await tokenOf(owner)
    expect((await new Browser(server).submit('/session', { token, return: to }).expect(303)).headers.location).toBe('/')
  })

  test('is in Dutch for people who prefer that', async () => {
    expect((await new Browser(server).open('/session').set('Accept-Language', 'nl')).text).toContain('Inloggen')
  })

  test.each([
    ['no token', '', 'Paste a bearer token.'],
    ['a text that is no token', 'garbage', 'The token is invalid: check its issuer, audience, signature and claims.'],
  ])('refuses %s with a sentence, and sets no cookie', async (_, token, sentence) => {
    const { text, headers } = await new Browser(server).submit('/session', { token }).expect(401)
    expect(text).toContain(sentence)
    expect(headers['set-cookie']).toBeUndefined()
  })

  test('accepts a token with the name of its scheme', async () => {
    expect(await new Browser(server).signIn(`Bearer ${await tokenOf(owner)}`)).toBe('/')
  })
})

test('one click signs in as a person of the demo', async () => {
  await seedDemo(database, publicUrl, { manualBilling: true })
  const browser = new Browser(server)
  await browser.submit('/session', { person: 'member' }).expect(303)
  expect((await browser.open('/session').expect(200)).text).toContain(people.member.name)
  await browser.open('/meetings').expect(200)
})

// A page of another site can name this machine by its own domain (DNS rebinding).
test('people of the demo are not offered under a foreign host name', async () => {
  const rebound = new Browser(server)
  expect((await rebound.open('/session').set('Host', 'evil.example')).text).not.toContain('value="owner"')
  await rebound.submit('/session', { person: 'owner' }).set('Host', 'evil.example').expect(401)
  await rebound.submit('/session', { person: 'owner' }).set('Host', `localhost:${port}`).expect(303)
})

describe('The cookie', () => {
  test('has 256 random bits, and no page and no script of another site gets it', async () => {
    const browser = new Browser(server)
    const { headers } = await browser.submit('/session', { token: await tokenOf(owner) }).expect(303)
    const [set] = headers['set-cookie'] as unknown as string[]
    expect(set).toMatch(
      new RegExp(`^${cookie}=[\\w-]{43}; Max-Age=\\d+; Path=/; Expires=.+; HttpOnly; SameSite=Strict$`),
    )
    const other = await signedIn()
    expect(other.cookies.get(cookie)).not.toBe(browser.cookies.get(cookie))
  })

  test('is stored as a hash only, and the token is encrypted', async () => {
    const browser = await signedIn()
    const [row] = await database.query(
      `SELECT "session"::text AS "text" FROM "session" ORDER BY "createdAt" DESC LIMIT 1`,
    )
    expect(row.text).toContain('v1.')
    expect(row.text).not.toContain(browser.cookies.get(cookie))
    expect(row.text).not.toContain(await tokenOf(owner))
  })

  test('of two sessions counts for neither', async () => {
    const [browser, other] = [await signedIn(), await signedIn()]
    const both = `${cookie}=${browser.cookies.get(cookie)}; ${cookie}=${other.cookies.get(cookie)}`
    await browser.open('/meetings').set('Cookie', both).expect(401)
  })
})

test('a new sign-in ends the former session of the browser', async () => {
  const browser = await signedIn()
  const former = `${cookie}=${browser.cookies.get(cookie)}`
  await browser.signIn(await tokenOf(owner))
  await browser.open('/meetings').expect(200)
  await browser.open('/meetings').set('Cookie', former).expect(401)
})

test('a session ends with its token', async () => {
  const browser = await signedIn(owner, { lifetime: 1 })
  await browser.open('/meetings').expect(200)
  await new Promise((resolve) => setTimeout(resolve, 1100))
  await browser.open('/meetings').expect(401)
  expect((await browser.open('/session').expect(200)).text).toContain('name="token"')
  await deleteExpiredSessions({
    query: ({ text, values }: { text: string; values?: unknown[] }) => database.query(text, values) as never,
  })
  expect(await database.manager.createQueryBuilder(Session, 's').where('"expiresAt" <= now()').getCount()).toBe(0)
})

test('a bearer token, also an invalid one, wins over the cookie', async () => {
  const browser = await signedIn()
  const token = await tokenOf(operator)
  expect((await browser.open('/users/me.json').set('Authorization', `Bearer ${token}`)).body.name).toBe(operator.name)
  await browser.open('/users/me.json').set('Authorization', 'Bearer garbage').expect(401)
})

test('API clients see no difference: the answer to a cookie is the answer to its token', async () => {
  const browser = await signedIn()
  const byCookie = await browser.open('/meetings').set('Accept', 'application/ld+json')
  const byToken = await new Browser(server)
    .send('get', '/meetings')
    .set({ Accept: 'application/ld+json', Authorization: `Bearer ${await tokenOf(owner)}` })
  expect(byCookie.body).toEqual(byToken.body)
  expect(byCookie.headers.etag).toBe(byToken.headers.etag)
  for (const { headers } of [byCookie, byToken]) expect((headers.vary as string).split(', ')).toContain('Cookie')
})

describe('The organization', () => {
  test('that is chosen acts as the claim of a token does', async () => {
    const user = await person('double')
    const { id: first } = await given(OrganizationUser, { user, name: 'double', role: 'member' })
    await given(OrganizationUser, { user, organization: elsewhere.organization, name: 'double', role: 'admin' })
    const browser = await signedIn(user)
    const page = await browser.open('/session').expect(200)
    for (const { name } of [organization, elsewhere.organization]) expect(page.text).toContain(name)
    await browser.open(`/organization-users/${first}.json`).expect(200)
    const formToken = await browser.formToken()
    await browser
      .submit('/session/organization', { _token: formToken, organization: elsewhere.organization.id })
      .expect(303)
    await browser.open(`/organization-users/${first}.json`).expect(404)
    await browser.open('/subscriptions.json').expect(200)
  })

  test('of a token with a claim is the only one offered', async () => {
    const user = await person('bound')
    await given(OrganizationUser, { user, name: 'bound', role: 'member' })
    await given(OrganizationUser, { user, organization: elsewhere.organization, name: 'bound', role: 'member' })
    const browser = await signedIn(user, { organization: organization.id })
    for (const chosen of [elsewhere.organization, organization]) {
      const { text } = await browser.open('/session').expect(200)
      expect(text).toContain(`value="${organization.id}"`)
      expect(text).not.toContain(elsewhere.organization.id)
      const form = { _token: await browser.formToken(), organization: chosen.id }
      await browser.submit('/session/organization', form).expect(chosen === organization ? 303 : 403)
    }
  })

  test('of strangers cannot be chosen', async () => {
    const browser = await signedIn()
    const form = { _token: await browser.formToken(), organization: elsewhere.organization.id }
    await browser.submit('/session/organization', form).expect(403)
  })
})

describe('Signing out', () => {
  test('deletes the session and its cookie', async () => {
    const browser = await signedIn()
    const former = `${cookie}=${browser.cookies.get(cookie)}`
    await browser.submit('/session/end', { _token: await browser.formToken(), which: 'this' }).expect(303)
    expect(browser.cookies.has(cookie)).toBe(false)
    await browser.open('/meetings').set('Cookie', former).expect(401)
  })

  test('everywhere ends all sessions of the person, and no other', async () => {
    const user = await person('everywhere')
    const [one, two, other] = [await signedIn(user), await signedIn(user), await signedIn()]
    await one.submit('/session/end', { _token: await one.formToken(), which: 'all' }).expect(303)
    expect((await two.open('/session')).text).toContain('name="token"')
    await other.open('/meetings').expect(200)
  })

  test('ends one session of the list, and none of another person', async () => {
    const user = await person('lister')
    const [one, two, other] = [await signedIn(user), await signedIn(user), await signedIn()]
    const { text } = await one.open('/session').expect(200)
    expect(text.match(/Firefox, Linux/g)).toHaveLength(2)
    const [, id] = /name="which" value="([0-9a-f-]{36})"/.exec(text) as RegExpExecArray
    const [foreign] = await database.manager.find(Session, { where: { subject: owner.subject }, order: { id: 'DESC' } })
    const formToken = await one.formToken()
    await one.submit('/session/end', { _token: formToken, which: foreign.id }).expect(303)
    await other.open('/meetings').expect(200)
    await one.submit('/session/end', { _token: formToken, which: id }).expect(303)
    expect((await two.open('/session')).text).toContain('name="token"')
    expect((await one.open('/session')).text).not.toContain('name="token"')
  })
})
