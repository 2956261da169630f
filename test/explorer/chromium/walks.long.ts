import type { Page } from 'playwright-core'
import sharp from 'sharp'
import { Employee, Location } from '../../../entities/index.ts'
import { linkBank, pull, setUpBanking, waitForRow } from '../../banking/linked-bank.ts'
import { describeInChromium, Visitor } from '../../support/chromium.ts'
import { rowsOf } from '../../support/rows/sample-rows.ts'
import { openWorld } from '../../support/world.ts'
import { openAsOwner } from './owner-visit.ts'

const { api, banking, database, given, kontomatik, organization, publicUrl, tenant, tokenOf } = await openWorld()
await rowsOf(tenant)

setUpBanking()
beforeAll(async () => {
  for (let count = 10; count < 45; count++) await given(Employee, { name: `Worker ${count}` })
})

// walks.test.ts has the walks that are short. test/explorer/session-browser.long.ts signs in, with each role, a wrong token and an expired session, and signs out.
describeInChromium('In Chromium', (browser) => {
  describe.each([
    ['on', true],
    ['off', false],
  ])('with JavaScript %s', (_, javaScriptEnabled) => {
    let visitor: Visitor
    let page: Page

    openAsOwner(browser, javaScriptEnabled, (...opened) => {
      ;[page, visitor] = opened
    })

    const submit = () => page.locator('form.operation [type=submit]:not([name])').click()
    const firstRow = () => page.locator('tbody th').first().textContent()

    test('a collection is filtered, ordered and paged, and its address keeps all of that', async () => {
      await page.goto(`${publicUrl}/employees?itemsPerPage=10`)
      await page.getByRole('link', { name: 'Filter' }).click()
      await page.locator('form.filters [name=name]').fill('worker')
      await page.getByRole('button', { name: 'Apply' }).click()
      await page.getByText('35 in total').waitFor()
      await page.getByRole('columnheader', { name: 'Name' }).getByRole('link').click()
      await page.locator('th[aria-sort=ascending]').waitFor()
      expect(await firstRow()).toBe('Worker 10')
      await page.getByRole('columnheader', { name: 'Name' }).getByRole('link').click()
      await page.locator('th[aria-sort=descending]').waitFor()
      expect(await firstRow()).toBe('Worker 44')
      await page.getByRole('link', { name: 'Next' }).click()
      await page.getByRole('link', { name: 'Previous' }).waitFor()
      expect(await firstRow()).toBe('Worker 34')
      expect(await page.locator('form.filters [name=name]').inputValue()).toBe('worker')
      await page.reload()
      expect(await firstRow()).toBe('Worker 34')
    }, 120_000)

    test('a logo is uploaded, and the page shows it', async () => {
      const color = javaScriptEnabled ? '#08f' : '#f80'
      const buffer = await sharp({ create: { width: 8, height: 8, channels: 3, background: color } })
        .png()
        .toBuffer()
      const former = (await api.get(`/organizations/${organization.id}`)).body.logo
      await page.goto(`${publicUrl}/organizations/${organization.id}?view=uploadLogo`)
      await page.locator('input[type=file]').setInputFiles({ name: 'logo.png', mimeType: 'image/png', buffer })
      await submit()
      await page.waitForURL((url) => url.search === '')
      const { logo } = (await api.get(`/organizations/${organization.id}`)).body
      expect(logo).not.toBe(former)
      await page.locator('dd img').first().scrollIntoViewIfNeeded()
      const shown = await visitor.context.request.get(new URL(logo, publicUrl).href)
      expect(shown.headers()['content-type']).toMatch(/^image\//)
      expect(await page.locator('dd img').first().getAttribute('src')).toBe(logo)
    }, 120_000)

    test('the pull of a bank shows a page that leads to the integration by itself', async () => {
      const link = await linkBank()
      banking.timing.requestMs = 100
      kontomatik.fault({ kind: 'slow', path: 'default-import', delay: 600 })
      await page.goto(`${publicUrl}${link['@id']}?view=pull`)
      await Promise.all([page.waitForURL(publicUrl + pull), submit()])
      await page.waitForURL(publicUrl + link['@id'])
      kontomatik.clearFaults()
      await waitForRow(link.id, { status: 'active' })
      await page.reload()
      await page
        .locator('dd')
        .getByText(/^active$/i)
        .first()
        .waitFor()
    }, 120_000)
  })

  test('no script can read the token or the cookie, and markup in stored texts shows as text', async () => {
    const markup = `<img src=/x onerror="console.error(1)"><script>console.error(2)</script>"'><b id=b>`
    const location = await given(Location, { name: markup })
    const employee = await given(Employee, { name: markup, jobTitle: markup, location })
    await database.query(`UPDATE "organization" SET "name" = $1 WHERE "id" = $2`, [markup, organization.id])
    const visitor = await Visitor.open(browser(), publicUrl)
    const token = await tokenOf(tenant.users.owner)
    const page = await visitor.signIn(token)
    for (const path of [
      `/locations/${location.id}`,
      '/locations?view=source',
      `/locations?name=${encodeURIComponent(markup)}`,
      `/employees/${employee.id}?view=update`,
      `/employees/${employee.id}`,
      `/organizations/${organization.id}`,
      '/employees?view=filters',
      '/session',
    ]) {
      await page.goto(publicUrl + path)
      const text = await page.locator('main').textContent()
      const values = await page.locator('input').evaluateAll((all) => all.map((one) => (one as HTMLInputElement).value))
      expect(text + values.join()).toContain('<img src=/x')
      expect(await page.locator('#b, img[src="/x"]').count()).toBe(0)
      const readable = await page.evaluate(() =>
        [
          document.cookie,
          JSON.stringify({ ...localStorage, ...sessionStorage }),
          document.documentElement.outerHTML,
        ].join(),
      )
      expect(readable).not.toContain(token.slice(-40))
      expect(await page.evaluate(() => document.cookie)).toBe('')
    }
    expect(visitor.complaints).toEqual([])
    await visitor.context.close()
  }, 120_000)

  test('the fastest of ten loads paints a page of thirty rows within 300 ms', async () => {
    const visitor = await Visitor.open(browser(), publicUrl)
    const page = await visitor.signIn(await tokenOf(tenant.users.owner))
    const painted: number[] = []
    for (let load = 0; load < 10; load++) {
      await page.goto(`${publicUrl}/employees`)
      await page.waitForFunction(() => performance.getEntriesByName('first-contentful-paint').length > 0)
      painted.push(await page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0].startTime))
    }
    expect(Math.min(...painted)).toBeLessThan(300)
    await visitor.context.close()
  }, 120_000)
})
