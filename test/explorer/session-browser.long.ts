import type { BrowserContext, Page } from 'playwright-core'
import { Location, OrganizationUser, User } from '../../entities/index.ts'
import { people, seedDemo } from '../../src/demo/demo.ts'
import { describeInChromium } from '../support/chromium.ts'
import { listen, portOf, publicUrl as withProvider } from '../support/openid-provider.ts'
import { openWorld } from '../support/world.ts'

const { api, database, given, publicUrl, tenant, tokenOf } = await openWorld()

/*
 * A real browser decides which requests carry the cookie, and follows the pages that continue by themselves. The pages of an
 * attacker have another site (localhost is not 127.0.0.1), or the same site with another port.
 */
describeInChromium('In Chromium', (browser) => {
  let attacker: string
  let neighbour: string

  beforeAll(async () => {
    await seedDemo(database, publicUrl, { manualBilling: true })
    attacker = await serveAttacks('localhost')
    neighbour = await serveAttacks('127.0.0.1')
  }, 120_000)

  const errors: string[] = []

  async function visit(javaScriptEnabled: boolean): Promise<[Page, BrowserContext]> {
    const context = await browser().newContext({ javaScriptEnabled, locale: 'en' })
    const page = await context.newPage()
    page.setDefaultTimeout(20_000)
    page.on('console', (message) => {
      const isOwn = message.location().url.startsWith(publicUrl)
      if (isOwn && message.type() === 'error' && !/status of 40[13]/.test(message.text())) errors.push(message.text())
    })
    return [page, context]
  }

  describe.each([
    ['on', true],
    ['off', false],
  ])('with JavaScript %s', (_, javaScript) => {
    test('the provider of another site signs a person in and out, with all its redirects', async () => {
      const [page, context] = await visit(javaScript)
      await page.goto(`${withProvider}/session?return=/meetings`)
      await page.getByRole('link', { name: 'Sign in at localhost' }).click()
      await page.locator('[name=login]').fill('ada')
      await page.locator('[name=password]').fill('x')
      await page.locator('[type=submit]').click()
      await page.locator('[type=submit]').click()
      await page.waitForURL(`${withProvider}/meetings`)
      await page.getByRole('link', { name: 'Account', exact: true }).click()
      await page.getByRole('button', { name: 'Sign out', exact: true }).click()
      await page.locator('[value=yes]').click()
      await page.waitForURL(/\/session(\?|$)/)
      await page.locator('#token').waitFor()
      expect((await context.cookies(withProvider)).filter(({ name }) => name.startsWith('session'))).toEqual([])
      // The provider has ended its session too: it asks who comes.
      await page.getByRole('link', { name: 'Sign in at localhost' }).click()
      await page.locator('[name=login]').waitFor()
      await context.close()
    }, 60_000)
  })

  test('a link of another site opens the page of a person who has signed in', async () => {
    for (const javaScript of [true, false]) {
      const [page, context] = await visit(javaScript)
      await page.goto(`${publicUrl}/session`)
      await page.getByRole('button', { name: people.owner.name }).click()
      await page.waitForURL(`${publicUrl}/`)
      for (const origin of [attacker, neighbour]) {
        await page.goto(`${origin}/link?${new URLSearchParams({ to: `${publicUrl}/meetings` })}`)
        await page.locator('a').click()
        await page.getByRole('heading', { name: 'Meetings' }).waitFor()
      }
      await context.clearCookies()
      await page.goto(`${attacker}/link?${new URLSearchParams({ to: `${publicUrl}/meetings` })}`)
      await page.locator('a').click()
      await page.getByRole('heading', { name: 'Sign in to see this page' }).waitFor()
      await context.close()
    }
  }, 60_000)

  test('pages of another site or another port change nothing: by form, fetch and navigation', async () => {
    const { id } = await given(Location, { name: 'Utrecht' })
    const member = await database.manager.findOneByOrFail(User, { subject: tenant.users.member.subject })
    const { id: membership } = await database.manager.findOneByOrFail(OrganizationUser, { userId: member.id })
    const [page, context] = await visit(true)
    await page.goto(`${publicUrl}/session`)
    await page.locator('#token').fill(await tokenOf(tenant.users.owner))
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.waitForURL(`${publicUrl}/`)
    const formToken = await page
      .goto(`${publicUrl}/session`)
      .then(() => page.locator('[name=_token]').first().inputValue())
    for (const origin of [attacker, neighbour]) {
      await page.goto(origin)
      const read = await page.evaluate(attackByFetch, { api: publicUrl, location: id, membership, formToken })
      expect(read).toEqual([])
      for (const [path, type] of forms) {
        await page.goto(origin)
        const query = new URLSearchParams({ to: publicUrl + path, type, formToken })
        await page.goto(`${origin}/form?${query}`)
        await Promise.all([page.waitForURL(publicUrl + path), page.locator('button').click()])
      }
    }
    expect((await api.get(`/locations/${id}`)).body.name).toBe('Utrecht')
    expect((await api.get('/locations')).body.totalItems).toBe(1)
    expect((await api.get(`/organization-users/${membership}`)).status).toBe(200)
    expect((await page.goto(`${publicUrl}/meetings`))?.status()).toBe(200)
    await context.close()
  }, 120_000)
})

const forms = [
  ['/session/end', 'application/x-www-form-urlencoded'],
  ['/session/organization', 'application/x-www-form-urlencoded'],
  ['/locations', 'application/x-www-form-urlencoded'],
  ['/locations', 'multipart/form-data'],
  ['/locations', 'text/plain'],
]

/** Runs in the attacker's page: sends what a script can, and returns the answers that it could read or that succeeded. */
async function attackByFetch(at: {
  api: string
  location: string
  membership: string
  formToken: string
}): Promise<string[]> {
  const form = new URLSearchParams({ _token: at.formToken, which: 'all', name: 'Stolen' })
  const json = { 'Content-Type': 'application/json' }
  const attempts: [string, RequestInit][] = [
    ['/meetings', {}],
    ['/users/me', { mode: 'no-cors' }],
    ['/locations', { method: 'POST', headers: json, body: '{"name":"Stolen"}' }],
    ['/locations', { method: 'POST', mode: 'no-cors', body: '{"name":"Stolen"}' }],
    ['/locations', { method: 'POST', mode: 'no-cors', body: form }],
    ['/session/end', { method: 'POST', mode: 'no-cors', body: form }],
    [`/locations/${at.location}`, { method: 'PATCH', headers: json, body: '{"name":"Stolen"}' }],
    [`/organization-users/${at.membership}`, { method: 'DELETE' }],
  ]
  const succeeded: string[] = []
  for (const [path, options] of attempts)
    await fetch(at.api + path, { ...options, credentials: 'include' }).then(
      ({ ok, status, type }) => ok && succeeded.push(`${path} ${type} ${status}`),
      () => {},
    )
  return succeeded
}

/** A server of an attacker: an empty page, a page with a form, and a page with a link. */
async function serveAttacks(host: string): Promise<string> {
  const server = await listen(host)
  server.on('request', (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', publicUrl)
    const [to, type, formToken] = ['to', 'type', 'formToken'].map((name) => searchParams.get(name))
    response.setHeader('Content-Type', 'text/html')
    if (pathname === '/form')
      response.end(
        `<form method="post" action="${to}" enctype="${type}"><input name="name" value="Stolen"><input name="which" value="all">` +
          `<input name="_token" value="${formToken}"><button>Go</button></form>`,
      )
    else response.end(pathname === '/link' ? `<a href="${to}">Go</a>` : '<title>Attack</title>')
  })
  return `http://${host}:${portOf(server)}`
}
