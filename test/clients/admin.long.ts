import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { build } from 'esbuild'
import type { Locator, Page } from 'playwright-core'
import { Employee, Location, Meeting } from '../../entities/index.ts'
import { describeInChromium } from '../support/chromium.ts'
import { collections, entrypoint } from '../support/docs.ts'
import { eventually } from '../support/eventually.ts'
import { morning, openWorld } from '../support/world.ts'

const { api, database, given, publicUrl, tenant, tokenOf } = await openWorld()

const html =
  '<!doctype html><html lang="en"><link rel="icon" href="data:,"><main></main><script src="/app.js"></script></html>'

test('@api-platform/admin can be bundled for an entrypoint', async () => {
  expect(await bundle('a token')).toContain(publicUrl)
})

describeInChromium('@api-platform/admin, on another origin', (browser) => {
  const complaints: string[] = []
  let server: Server
  let page: Page
  let origin: string

  beforeAll(async () => {
    server = await serve(await bundle(await tokenOf(tenant.users.owner)))
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    page = await browser().newPage({ viewport: { width: 1600, height: 1000 }, timezoneId: 'Europe/Amsterdam' })
    page.setDefaultTimeout(15_000)
    page.on('pageerror', ({ message }) => complaints.push(message))
    page.on('requestfailed', (request) => {
      const error = request.failure()?.errorText
      if (error !== 'net::ERR_ABORTED') complaints.push(`${request.url()} ${error}`)
    })
    page.on('response', (response) => {
      const known = response.status() < 400 || response.status() === 422
      if (!known) complaints.push(`${response.status()} ${response.url()}`)
    })
    const location = await given(Location, { name: 'Amsterdam' })
    const employee = await given(Employee, { name: 'Mia', location, user: tenant.users.member })
    for (let count = 0; count < 12; count++) await given(Meeting, { employee, ...morning, notes: `Number ${count}` })
  }, 60_000)

  afterAll(() => {
    server?.close()
  })

  test('has every collection in its menu', async () => {
    await page.goto(origin)
    await page.getByRole('menuitem').first().waitFor()
    const links = await page
      .getByRole('menuitem')
      .evaluateAll((items) => items.map((item) => item.getAttribute('href')))
    const paths = [...collections.keys()].map((key) => `#${entrypoint[key]}`)
    expect(links.sort()).toEqual(paths.sort())
  })

  test('lists pages of meetings with the names of their employees', async () => {
    await open('meetings')
    await expectRows(10)
    await rows().filter({ hasText: 'Mia4/1/20264/1/2026Number 0' }).waitFor()
    await page.getByRole('button', { name: 'Go to page 2' }).click()
    await rows().filter({ hasText: 'Number 11' }).waitFor()
    await expectRows(2)
  })

  test('lists employees and locations', async () => {
    await open('employees')
    await rows()
      .filter({ hasText: 'Mia' })
      .filter({ hasText: 'acme-member' })
      .filter({ hasText: 'Amsterdam' })
      .waitFor()
    await expectRows(1)
    await open('locations')
    await rows().filter({ hasText: 'Amsterdam' }).waitFor()
    await expectRows(1)
  })

  test('sorts employees by name, which their search offers', async () => {
    await open('employees')
    await expectRows(1)
    const sorted = page.waitForResponse((response) => decodeURIComponent(response.url()).includes('order[name]='))
    await content().locator('thead').getByText('Name', { exact: true }).click()
    expect((await sorted).status()).toBe(200)
  })

  test('shows an employee with links to its user and location', async () => {
    await open('employees')
    await rows().first().getByRole('link', { name: 'Show' }).click()
    await content()
      .filter({ hasText: /User\s*acme-member\s*Location\s*Amsterdam/ })
      .waitFor()
    await content().getByText('Amsterdam').click()
    await page.waitForURL(/#\/locations\/%2Flocations%2F/)
    await content().getByText('Office open hour').waitFor()
  })

  test('creates a location after correcting its violations, and updates it', async () => {
    await open('locations/create')
    await fill({ Name: 'Utrecht', 'Office open hour': '17', 'Office close hour': '17' })
    await save()
    const fault = content().getByText('officeCloseHour must differ from officeOpenHour; 0 to 24 means the whole day.')
    await fault.waitFor()
    expect(await content().getByLabel('Office close hour').getAttribute('aria-invalid')).toBe('true')
    expect(await content().getByLabel('Office close hour').getAttribute('aria-describedby')).toBe(
      await fault.locator('xpath=ancestor-or-self::p').getAttribute('id'),
    )
    expect(await database.manager.countBy(Location, { name: 'Utrecht' })).toBe(0)

    await fill({ 'Office open hour': '8', 'Office close hour': '18' })
    await save()
    const row = rows().filter({ hasText: 'Utrecht' })
    await row.waitFor()
    const created = await database.manager.findOneByOrFail(Location, { name: 'Utrecht' })
    expect(created).toMatchObject({ organizationId: tenant.organization.id, officeOpenHour: 8, officeCloseHour: 18 })

    const read = page.waitForResponse(
      (response) => response.request().method() === 'GET' && response.url() === `${publicUrl}/locations/${created.id}`,
    )
    await row.getByRole('link', { name: 'Edit' }).click()
    await content().getByRole('button', { name: 'Save' }).waitFor()
    await read
    await fill({ Name: 'Utrecht Centraal' })
    const changed = page.waitForResponse((response) => response.request().method() === 'PATCH')
    await save()
    expect((await changed).url()).toBe(`${publicUrl}/locations/${created.id}`)
    await rows().filter({ hasText: 'Utrecht Centraal' }).waitFor()
    const { name, officeOpenHour } = await database.manager.findOneByOrFail(Location, { id: created.id })
    expect({ name, officeOpenHour }).toEqual({ name: 'Utrecht Centraal', officeOpenHour: 8 })
  })

  test('shows the violation of a duplicate name at its field', async () => {
    await open('locations/create')
    await fill({ Name: 'Amsterdam' })
    await save()
    await content().locator('[aria-invalid=true]').waitFor()
    expect(await content().getByLabel('Name').getAttribute('aria-invalid')).toBe('true')
  })

  test('creates a meeting with the employee and the local times that are entered, and moves it', async () => {
    await open('meetings/create')
    await content().getByLabel('Employee').click()
    await page.getByRole('option', { name: 'Mia' }).click()
    const [from, to] = ['2026-05-04T09:00', '2026-05-04T10:30']
    await fill({ 'Date from': from, 'Date to': to, Time: '2026-05-04T09:15', Notes: 'Ketel' })
    await save()
    const row = rows().filter({ hasText: 'Mia5/4/20265/4/2026Ketel5/4/2026' })
    await row.waitFor()
    const [created] = await meetings('Ketel')
    expect(created).toEqual({
      ...{ '@id': expect.any(String), '@type': 'Meeting', employee: expect.any(String) },
      ...{ dateFrom: '2026-05-04T07:00:00Z', dateTo: '2026-05-04T08:30:00Z' },
      ...{ notes: 'Ketel', time: '2026-05-04T07:15:00Z' },
    })
    expect((await api.get(created.employee)).body.name).toBe('Mia')

    await row.getByRole('link', { name: 'Edit' }).click()
    await eventually(
      () => content().getByLabel('Date from').inputValue(),
      (value) => expect(value).toBe(from),
    )
    expect(await content().getByLabel('Date to').inputValue()).toBe(to)
    await fill({ 'Date to': '2026-05-04T11:00' })
    await save()
    await eventually(
      () => meetings('Ketel'),
      (found) => expect(found).toEqual([{ ...created, dateTo: '2026-05-04T09:00:00Z' }]),
    )
  })

  test('sent no request that the server refused', () => {
    expect(complaints).toEqual([])
  })

  const content = (): Locator => page.locator('#main-content')
  const rows = (): Locator => content().locator('tbody tr')
  const save = () => content().getByRole('button', { name: 'Save' }).click()

  /** The members of the first page of meetings with these notes, as the API answers them. */
  async function meetings(notes: string) {
    return (await api.get(`/meetings?notes=${notes}`)).body.member
  }

  async function open(path: string): Promise<void> {
    await page.goto('about:blank')
    await page.goto(`${origin}/#/${path}`)
    await content().waitFor()
  }

  async function expectRows(count: number): Promise<void> {
    await rows()
      .nth(count - 1)
      .waitFor()
    expect(await rows().count()).toBe(count)
  }

  async function fill(values: Record<string, string>): Promise<void> {
    for (const [label, value] of Object.entries(values)) await content().getByLabel(label).fill(value)
  }
})

async function bundle(token: string): Promise<string> {
  const define = { entrypoint: publicUrl, authorization: `Bearer ${token}`, 'process.env.NODE_ENV': 'production' }
  const { outputFiles } = await build({
    entryPoints: ['test/clients/admin/app.jsx'],
    bundle: true,
    write: false,
    // The project's own pages are drawn by Preact.
    tsconfigRaw: {},
    jsx: 'automatic',
    define: Object.fromEntries(Object.entries(define).map(([name, value]) => [name, JSON.stringify(value)])),
  })
  return outputFiles[0].text
}

async function serve(script: string): Promise<Server> {
  const server = createServer(({ url }, response) => {
    response.setHeader('Content-Type', url === '/app.js' ? 'text/javascript' : 'text/html')
    response.end(url === '/app.js' ? script : html)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return server
}
