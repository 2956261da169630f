import type { Page } from 'playwright-core'
import { type OrganizationAddress, Subscription } from '../../../entities/index.ts'
import { describeInChromium } from '../../support/chromium.ts'
import { rowsOf } from '../../support/rows/sample-rows.ts'
import { openWorld } from '../../support/world.ts'
import { openAsOwner } from './owner-visit.ts'

const { api, given, publicUrl, tenant } = await openWorld()
const rows = await rowsOf(tenant)

// The walks of `npm test`; walks.long.ts has the others.
describeInChromium('In Chromium', (browser) => {
  describe.each([
    ['on', true],
    ['off', false],
  ])('with JavaScript %s', (state, javaScriptEnabled) => {
    let page: Page

    openAsOwner(browser, javaScriptEnabled, (opened) => {
      page = opened
    })

    const heading = (name: string | RegExp) => page.getByRole('heading', { level: 1, name }).waitFor()
    const submit = () => page.locator('form.operation [type=submit]:not([name])').click()

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

    test('a person who signs out must sign in before the next page', async () => {
      await page.goto(`${publicUrl}/session`)
      await page.getByRole('button', { name: 'Sign out', exact: true }).click()
      await page.locator('#token').waitFor()
      await page.goto(`${publicUrl}/meetings`)
      await page.getByRole('main').getByRole('link', { name: 'Sign in' }).waitFor()
    }, 120_000)
  })
})
