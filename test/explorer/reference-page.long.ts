import type { Page } from 'playwright-core'
import { describeInChromium } from '../support/chromium.ts'
import { openWorld } from '../support/world.ts'

const { publicUrl, tenant, tokenOf } = await openWorld()

const screenshots = process.env.SCREENSHOTS

describeInChromium('Swagger UI in a browser', (browser) => {
  const errors: string[] = []

  async function open(width: number, colorScheme: 'light' | 'dark'): Promise<Page> {
    const page = await browser().newPage({ viewport: { width, height: 900 }, colorScheme })
    page.setDefaultTimeout(30_000)
    page.on('pageerror', ({ message }) => errors.push(message))
    page.on('console', (message) => message.type() === 'error' && errors.push(message.text()))
    await page.goto(`${publicUrl}/docs`)
    await page.getByText('List', { exact: false }).first().waitFor()
    await page.locator('.opblock').first().waitFor()
    return page
  }

  test.each([
    [390, 'dark', 40],
    [1400, 'light', 255],
  ] as const)(
    'fits %i pixels and follows the %s theme',
    async (width, theme, brightness) => {
      const page = await open(width, theme)
      await page.locator('#operations-Meeting-createMeeting .opblock-summary-control').click()
      await page.locator('#operations-Meeting-createMeeting .opblock-body').waitFor()
      if (screenshots) await page.screenshot({ path: `${screenshots}/docs-${width}-${theme}.png` })
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width)
      const background = await page.evaluate<string>('getComputedStyle(document.body).backgroundColor')
      const [red] = (background.match(/\d+/g) as string[]).map(Number)
      expect(Math.abs(red - brightness)).toBeLessThan(40)
      const text = await page.locator('#operations-Meeting-createMeeting').textContent()
      expect(text).not.toContain('실례')
      expect(text).toContain('/employees/')
      expect(errors).toEqual([])
      await page.close()
    },
    60_000,
  )

  test('shows the class that the address of a term names', async () => {
    const page = await browser().newPage({ viewport: { width: 390, height: 900 }, locale: 'nl-NL' })
    page.on('console', (message) => message.type() === 'error' && errors.push(message.text()))
    await page.goto(`${publicUrl}/docs.jsonld#Meeting`)
    expect(page.url()).toBe(`${publicUrl}/docs/reference#Meeting`)
    const heading = page.locator('h3:target')
    expect(await heading.textContent()).toBe('Vergadering')
    expect((await heading.boundingBox())?.y).toBeLessThan(100)
    await page.locator('svg.diagram a[href="#Employee"]').first().click()
    expect(page.url()).toBe(`${publicUrl}/docs/reference#Employee`)
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(390)
    expect(errors).toEqual([])
    await page.close()
  }, 60_000)

  test('keeps the token for one tab only', async () => {
    const page = await open(1400, 'light')
    const token = await tokenOf(tenant.users.owner)
    await page.locator('.btn.authorize').first().click()
    await page.locator('.modal-ux input').fill(token)
    await page.locator('.modal-ux .btn.authorize').click()
    await page.reload()
    await page.locator('.btn.authorize.locked, .btn.authorize .locked').first().waitFor()
    expect(await page.evaluate('[sessionStorage.length, localStorage.length]')).toEqual([1, 0])
    const other = await browser().newPage()
    await other.goto(`${publicUrl}/docs`)
    expect(await other.evaluate('sessionStorage.length + localStorage.length')).toBe(0)
    expect(errors).toEqual([])
  }, 120_000)
})
