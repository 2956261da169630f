import { gzipSync } from 'node:zlib'
import type { BrowserContext, Page } from 'playwright-core'
import { Employee } from '../../entities/index.ts'
import { describeInChromium } from '../support/chromium.ts'
import { eventually } from '../support/eventually.ts'
import { openWorld } from '../support/world.ts'

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

  beforeAll(async () => {
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
})
