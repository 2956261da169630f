import { load } from 'cheerio'
import { Meeting } from '../../entities/index.ts'
import { raw } from '../support/requests/raw-responses.ts'
import { morning, openWorld } from '../support/world.ts'
import { open, textOf } from './browser.ts'

const { given, tenant, tokenOf } = await openWorld()
const { owner, member } = tenant.users
const meeting = await given(Meeting, morning)
const missing = '/meetings/00000000-0000-7000-8000-000000000000'

/** Sends a request as a program that prefers HTML. */
async function send(method: string, path: string, headers: Record<string, string>, body?: string) {
  const Authorization = `Bearer ${await tokenOf(owner)}`
  const answer = await raw(method, path, { Accept: 'text/html', Authorization, ...headers }, body)
  return { ...answer, page: load(answer.text) }
}

const hrefs = ({ page }: Awaited<ReturnType<typeof open>>) =>
  page('main a')
    .map((_, { attribs }) => attribs.href)
    .get()

describe('A problem is a page that says what is wrong and what to do:', () => {
  test('400 leads to the collection without its parameters', async () => {
    const found = await open('/meetings?page=0')
    expect([found.status, textOf(found.page, 'h1')]).toEqual([400, 'This address cannot be read'])
    expect(textOf(found.page, '.reason')).toBe('page must be a whole number from 1.')
    expect(hrefs(found)).toContain('/meetings')
  })

  test('401 leads to the sign-in and back', async () => {
    const found = await open('/meetings?itemsPerPage=2', null)
    expect([found.status, found.headers['www-authenticate']]).toEqual([401, 'Bearer'])
    expect(hrefs(found)).toEqual(['/session?return=%2Fmeetings%3FitemsPerPage%3D2', '/'])
    expect((await open(hrefs(found)[0], null)).status).toBe(200)
  })

  test('403 says which role may', async () => {
    const found = await open('/integrations', member)
    expect([found.status, textOf(found.page, 'h1')]).toEqual([403, 'You may not do this'])
    expect(textOf(found.page, '.reason')).toBe('This is for the role admin or owner; yours is member.')
    expect(hrefs(found)).toEqual(['/'])
    expect(found.page('nav.collections a[href="/meetings"]')).toHaveLength(1)
  })

  test('404 leads to the collection, or to the start', async () => {
    const found = await open(missing)
    expect([found.status, textOf(found.page, 'h1')]).toEqual([404, 'There is nothing at this address'])
    expect(hrefs(found)).toEqual(['/meetings', '/'])
    expect(hrefs(await open('/nowhere'))).toEqual(['/'])
  })

  test('405 is a page, and 406 is JSON where the client accepts no page', async () => {
    expect(textOf((await send('DELETE', '/meetings', {})).page, '.status')).toBe('405 Method Not Allowed')
    expect((await send('GET', '/meetings', { Accept: 'image/png' })).headers['content-type']).toContain('problem+json')
  })

  test('412 offers to load the page again', async () => {
    const path = `/meetings/${meeting.id}`
    const found = await send('GET', path, { 'If-Match': '"other"' })
    expect([found.status, textOf(found.page, 'h1')]).toEqual([412, 'The page changed while you looked at it'])
    expect(hrefs(found)).toContain(path)
  })

  test('422 lists each violation', async () => {
    const type = { 'Content-Type': 'application/json' }
    const found = await send('POST', '/meetings', type, '{"dateFrom":"2026-01-02T00:00:00Z"}')
    expect([found.status, textOf(found.page, 'h1')]).toEqual([422, 'Some values are not accepted'])
    expect(found.page('main li strong').text()).toContain('dateTo')
  })

  test('in the language that the browser prefers', async () => {
    const found = await open(missing, owner, { 'Accept-Language': 'nl' })
    expect(textOf(found.page, 'h1')).toBe('Op dit adres is niets')
    expect(found.page('html').attr('lang')).toBe('nl')
    expect(found.page('footer a[lang="en"]').attr('href')).toBe(`${missing}?lang=en`)
  })
})

test('a page of a problem is stored by no cache, and loads nothing from elsewhere', async () => {
  const { headers, page } = await open(missing)
  expect(headers['cache-control']).toBe('no-store')
  expect(headers['content-security-policy']).toMatch(/^default-src 'none'/)
  expect((headers.vary as string).split(', ')).toEqual(expect.arrayContaining(['Accept', 'Accept-Language', 'Cookie']))
  expect(page('script')).toHaveLength(0)
})

test('an address that names another server is no link', async () => {
  for (const path of ['//evil.example/meetings', '/%5Cevil.example', '//evil.example/%zz', '/meetings/%zz']) {
    const { status, page } = await open(path, null)
    expect(status).toBeGreaterThanOrEqual(400)
    const links = page('a').map((_, { attribs }) => attribs.href)
    expect(links.get().filter((href) => !/^(#|\/(?!\/))/.test(href))).toEqual([])
  }
})

test('markup in an address shows as text', async () => {
  const { text, page } = await open('/meetings?itemsPerPage=%3Cimg%20src=x%20onerror=alert(1)%3E&lang=%22%3E%3Cb%3E')
  expect(page('main img, main b')).toHaveLength(0)
  expect(text).not.toContain('<img')
})

test('programs get problems in JSON', async () => {
  for (const accept of ['*/*', 'application/json', 'application/ld+json, text/html', 'text/html;q=0.1, */*'])
    expect((await send('GET', missing, { Accept: accept })).headers['content-type']).toContain('problem+json')
})
