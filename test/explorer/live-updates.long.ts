import { gzipSync } from 'node:zlib'
import type { BrowserContext, Page } from 'playwright-core'
import { Employee, Meeting } from '../../entities/index.ts'
import { describeInChromium } from '../support/chromium.ts'
import { eventually } from '../support/eventually.ts'
import { morning, openWorld } from '../support/world.ts'

const { api, as, given, operator, publicUrl, tenant, tokenOf } = await openWorld()

test('the script of the pages has at most 8 kB, compressed', async () => {
  const page = await api.get('/employees').set('Accept', 'text/html').expect(200)
  const [, path] = /<script type="module" src="([^"]+)"/.exec(page.text) ?? []
  const { text, headers } = await as().get(path)
  expect(headers['content-type']).toBe('text/javascript; charset=utf-8')
  expect(gzipSync(text).length).toBeLessThan(8192)
})

describeInChromium('In Chromium', (browser) => {
  let context: BrowserContext
  const errors: string[] = []
  let workers: Employee[]

  beforeAll(async () => {
    // More than a select offers.
    const names = Array.from({ length: 35 }, (_, index) => `Worker ${100 + index}`)
    workers = await Promise.all(names.map((name) => given(Employee, { name })))
    context = await browser().newContext({ locale: 'en' })
    const page = await tab('/session')
    await page.locator('#token').fill(await tokenOf(tenant.users.owner))
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.waitForURL((url) => url.pathname !== '/session')
    await page.close()
  }, 120_000)

  async function tab(path: string): Promise<Page> {
    const page = await context.newPage()
    page.setDefaultTimeout(15_000)
    page.on('pageerror', ({ message }) => errors.push(message))
    await page.goto(publicUrl + path)
    return page
  }

  const notice = (page: Page) => page.getByText('This page has changed meanwhile.')
  const streams = async (): Promise<number> => {
    const { text } = await as(operator).get('/metrics')
    return Number(/^change_streams_open (\d+)$/m.exec(text)?.[1])
  }

  test('all tabs share one stream, show that their page has changed, and go on when the first tab is closed', async () => {
    const employee = await given(Employee, { name: 'Joost' })
    const first = await tab(`/employees/${employee.id}`)
    const others = [await tab('/employees'), await tab('/locations')]
    await eventually(async () => expect(await streams()).toBe(1))
    await api.patch(`/employees/${employee.id}`).send({ jobTitle: 'Monteur' }).expect(200)
    await notice(first).waitFor()
    await notice(others[0]).waitFor()
    expect(await notice(others[1]).isVisible()).toBe(false)

    await first.close()
    await api.post('/locations').send({ name: 'Almere' }).expect(201)
    await notice(others[1]).waitFor()
    expect(await streams()).toBe(1)
    await others[1].getByRole('link', { name: 'Load it again' }).click()
    await others[1].getByText('Almere').first().waitFor()
    expect(await notice(others[1]).isVisible()).toBe(false)
    expect(errors).toEqual([])
  }, 60_000)

  /** A page that looks a reference up: the worker with a number is found while the person types. */
  async function lookUp(page: Page, text: string): Promise<void> {
    const box = page.getByRole('combobox', { name: 'Employee' })
    await box.fill('')
    await box.pressSequentially(text)
    await page.getByRole('option', { name: text }).waitFor()
    expect(await box.getAttribute('aria-expanded')).toBe('true')
    expect(await page.getByRole('option').allTextContents()).toEqual([text])
    await box.press('ArrowDown')
    await box.press('Enter')
    expect(await box.inputValue()).toBe(text)
    expect(await box.getAttribute('aria-expanded')).toBe('false')
  }

  test('a reference to many items is looked up while the person types, in a form and in a filter', async () => {
    const chosen = workers[34]
    const page = await tab('/meetings?view=create')
    await lookUp(page, chosen.name as string)
    await page.getByLabel('From').fill('2026-05-04T09:00')
    await page.getByLabel('To', { exact: false }).first().fill('2026-05-04T10:00')
    await page.getByRole('button', { name: 'Create a meeting' }).click()
    await page.waitForURL((url) => url.search === '')
    await page.getByRole('link', { name: chosen.name as string }).waitFor()

    await page.goto(`${publicUrl}${new URL(page.url()).pathname}?view=update`)
    await lookUp(page, 'Worker 101')

    const list = await tab('/meetings?view=filters')
    await lookUp(list, chosen.name as string)
    await list.getByRole('button', { name: 'Apply' }).click()
    await list.waitForURL((url) => url.searchParams.get('employee') === `/employees/${chosen.id}`)
    await list.getByText('1 in total').waitFor()
    expect(errors).toEqual([])
  }, 60_000)

  test('a look-up says how many choices it finds, that it finds none, and that it fails', async () => {
    const page = await tab('/meetings?view=create')
    const box = page.getByRole('combobox', { name: 'Employee' })
    const status = page.locator('reference-lookup').getByRole('status')
    await box.fill('Worker 13')
    await status.getByText('Choices found: 5').waitFor()
    await box.fill('Nothing has this name')
    await status.getByText('Nothing found').waitFor()
    await page.route(/_find/, (route) => route.fulfill({ status: 503 }))
    await box.fill('Worker 12')
    await status.getByText('The search failed. Type again to repeat it.').waitFor()
    await page.close()
  }, 60_000)

  test('Enter in a field sends the form, but not while a reference shows another text than its choice', async () => {
    const page = await tab('/meetings?view=create')
    await lookUp(page, 'Worker 120')
    await page.getByLabel('From').fill('2026-05-05T09:00')
    await page.getByLabel('To', { exact: false }).first().fill('2026-05-05T10:00')
    await page.getByLabel('From').press('Enter')
    await page.waitForURL((url) => url.search === '')
    await page.getByRole('link', { name: 'Worker 120' }).waitFor()

    await page.goto(`${publicUrl}${new URL(page.url()).pathname}?view=update`)
    await page.evaluate(() => {
      const { dataset } = document.body
      document.querySelector('form.operation')?.addEventListener('submit', () => (dataset.sent = 'true'))
    })
    const box = page.getByRole('combobox', { name: 'Employee' })
    expect(await box.inputValue()).toBe('Worker 120')
    await box.fill('Nothing has this name')
    await box.press('Enter')
    expect(await page.evaluate(() => [document.body.dataset.sent, location.search])).toEqual([
      undefined,
      '?view=update',
    ])
    await box.fill('')
    await box.press('Enter')
    await page.waitForURL((url) => url.search === '')
    await page.getByRole('heading', { level: 1 }).waitFor()
    expect(await page.getByRole('link', { name: 'Worker 120' }).count()).toBe(0)
    expect(errors).toEqual([])
  }, 60_000)

  test('times are in the time zone of the reader, and in that of the organization on demand', async () => {
    const { id } = await given(Meeting, { ...morning, employee: await given(Employee, { name: 'Noon' }) })
    const other = await browser().newContext({ locale: 'en', timezoneId: 'America/New_York' })
    await other.addCookies(await context.cookies())
    const page = await other.newPage()
    await page.goto(`${publicUrl}/meetings/${id}`)
    const from = page.getByRole('definition').locator('time').first()
    const heading = page.getByRole('heading', { level: 1 })
    await page.getByText('Times are in your time zone America/New_York.').waitFor()
    expect(await from.textContent()).toContain('04:00')
    expect(await from.getAttribute('title')).toBe('America/New_York')
    expect(await heading.textContent()).toBe('Meeting, 1 Apr 2026, 04:00')
    expect(await page.title()).toContain('Meeting, 1 Apr 2026, 04:00')
    await page.getByRole('button', { name: 'Show times in Europe/Amsterdam' }).click()
    await page.getByText('Times are in the time zone Europe/Amsterdam.').waitFor()
    expect(await from.textContent()).toContain('10:00')
    expect(await heading.textContent()).toBe('Meeting, 1 Apr 2026, 10:00')
    expect(await page.title()).toContain('Meeting, 1 Apr 2026, 10:00')
    await other.close()
  }, 60_000)

  test('no link and no table is cut off on a wide screen, and a shadow shows on a narrow one that there is more', async () => {
    await given(Meeting, { ...morning, notes: 'Seen' })
    const page = await tab('/meetings')
    /** The pixels of each region that lie outside of it. */
    const hidden = () =>
      page.$$eval('.collections, .scroll', (regions) => regions.map((one) => one.scrollWidth - one.clientWidth))
    await page.setViewportSize({ width: 1280, height: 800 })
    expect(await hidden()).toEqual([0, 0])
    await page.setViewportSize({ width: 390, height: 800 })
    expect(Math.min(...(await hidden()))).toBeGreaterThan(0)
    /** A strip at the right edge of the links, with its colours from left to right. */
    const edge = async () => {
      const box = await page.locator('.collections').boundingBox()
      const clip = { x: 374, y: (box?.y ?? 0) + 1, width: 16, height: 4 }
      return (await page.screenshot({ clip })).toString('base64')
    }
    const more = await edge()
    await page.$eval('.collections', (links) => links.scrollTo({ left: links.scrollWidth }))
    expect(await edge()).not.toBe(more)
  }, 60_000)

  test('the request for programs and the identifier can be copied', async () => {
    await context.grantPermissions(['clipboard-read', 'clipboard-write'])
    const { id } = await given(Employee, { name: 'Copy' })
    const page = await tab(`/employees/${id}`)
    const copy = async (index: number) => {
      const text = page.locator('copy-text').nth(index)
      await text.getByRole('button').click()
      await text.getByRole('button', { name: 'Copied' }).waitFor()
      return page.evaluate(() => navigator.clipboard.readText())
    }
    expect(await copy(0)).toBe(id)
    expect(await copy(1)).toMatch(/^curl /)
  }, 60_000)
})
