import type { Page } from 'playwright-core'
import sharp from 'sharp'
import { Employee, type OrganizationAddress, Subscription } from '../../../entities/index.ts'
import { linkBank, pull, setUpBanking, waitForRow } from '../../banking/linked-bank.ts'
import { describeInChromium, type Visitor } from '../../support/chromium.ts'
import { rowsOf } from '../../support/rows/sample-rows.ts'
import { openWorld } from '../../support/world.ts'
import { openAsOwner } from './owner-visit.ts'

const { api, banking, given, kontomatik, organization, publicUrl, tenant } = await openWorld()
const rows = await rowsOf(tenant)

setUpBanking()
beforeAll(async () => {
  for (let count = 10; count < 45; count++) await given(Employee, { name: `Worker ${count}` })
})

describeInChromium('In Chromium', (browser) => {
  describe.each([
    ['on', true],
    ['off', false],
  ])('with JavaScript %s', (state, javaScriptEnabled) => {
    let visitor: Visitor
    let page: Page

    openAsOwner(browser, javaScriptEnabled, (...opened) => {
      ;[page, visitor] = opened
    })

    const heading = (name: string | RegExp) => page.getByRole('heading', { level: 1, name }).waitFor()
    const submit = () => page.locator('form.operation [type=submit]:not([name])').click()
    const firstRow = () => page.locator('tbody th').first().textContent()

    test('links lead from the start page to a meeting, and to its employee', async () => {
      await page.goto(`${publicUrl}/`)
      await page.getByRole('main').getByRole('link', { name: 'Meetings' }).click()
      await page.locator('tbody th a').first().click()
      await heading(/^Meeting, 1 Apr 2026/)
      await page.locator('dd').getByRole('link', { name: 'Mia' }).click()
      await heading('Mia')
      await page.goBack()
      await heading(/^Meeting, 1 Apr 2026/)
    }, 120_000)

    test('a refused form is corrected, and an edit that conflicts shows both versions', async () => {
      await page.goto(`${publicUrl}/locations`)
      await page.getByRole('link', { name: 'Create a location' }).click()
      await page.locator('[name=name]').fill(`Utrecht ${state}`)
      for (const name of ['officeOpenHour', 'officeCloseHour']) await page.locator(`[name=${name}]`).fill('8')
      await submit()
      await page.getByRole('alert').getByRole('link').first().click()
      expect(page.url()).toMatch(/#field-office(Open|Close)Hour$/)
      await page.locator('[name=officeCloseHour]').fill('18')
      await submit()
      await heading(`Utrecht ${state}`)
      const { pathname } = new URL(page.url())

      await page.getByRole('link', { name: 'Update a location' }).click()
      await page.locator('[name=name]').fill(`Mine ${state}`)
      await api.patch(pathname, { name: `Theirs ${state}` })
      await submit()
      const versions = page.getByRole('alert').locator('tbody td')
      await versions.first().waitFor()
      expect(await versions.allInnerTexts()).toEqual([`Mine ${state}`, `Theirs ${state}`])
      await submit()
      await heading(`Mine ${state}`)
      expect((await api.get(pathname)).body.name).toBe(`Mine ${state}`)
    }, 120_000)

    test('a subscription that is cancelled offers its cancellation no more', async () => {
      // An organization has one live subscription at most, and the walk before has ended its own.
      const organizationAddress = { id: rows.OrganizationAddress.id } as OrganizationAddress
      const { id } = javaScriptEnabled
        ? rows.Subscription
        : await given(Subscription, { organizationAddress, seats: 5 })
      await page.goto(`${publicUrl}/subscriptions/${id}`)
      const cancel = page.getByRole('link', { name: 'Cancel a subscription' })
      await cancel.click()
      await page.locator('[name=immediately][type=checkbox]').check()
      await page.locator('.confirmation input').check()
      await submit()
      await page.waitForURL(`${publicUrl}/subscriptions/${id}`)
      expect(await cancel.count()).toBe(0)
    }, 120_000)

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

    test('a person who signs out must sign in before the next page', async () => {
      await page.goto(`${publicUrl}/session`)
      await page.getByRole('button', { name: 'Sign out', exact: true }).click()
      await page.locator('#token').waitFor()
      await page.goto(`${publicUrl}/meetings`)
      await page.getByRole('main').getByRole('link', { name: 'Sign in' }).waitFor()
    }, 120_000)
  })
})
