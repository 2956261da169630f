import axe from 'axe-core'
import type { Page } from 'playwright-core'
import { Employee } from '../../../entities/index.ts'
import { newToken } from '../../../src/invitations/invitation-token.ts'
import { describeInChromium, Visitor } from '../../support/chromium.ts'
import { givenInvitation, rowsOf } from '../../support/rows/sample-rows.ts'
import { openWorld } from '../../support/world.ts'
import { languages, type Setting, settings, show, Tabs } from './settings.ts'

const { given, publicUrl, tenant, tokenOf } = await openWorld()
const rows = await rowsOf(tenant)
const { owner } = tenant.users

const { token, tokenHash } = newToken()
await givenInvitation({ invitedBy: owner, tokenHash })

/** Violations of WCAG 2.2, levels A and AA, with the elements that have them. The page has axe. */
async function violationsOf(page: Page): Promise<string[]> {
  const results = await page.evaluate((tags) => {
    const runner = (window as unknown as { axe: typeof axe }).axe
    return runner.run(document, { runOnly: tags, resultTypes: ['violations'], preload: false })
  }, wcag)
  return results.violations.flatMap(({ id, nodes }) =>
    nodes.slice(0, 3).map(({ html, failureSummary }) => `${id}: ${html.slice(0, 200)} ${failureSummary}`),
  )
}

const wcag = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22a', 'wcag22aa']

/** One page of each kind, for a person who has signed in. */
const kinds: [kind: string, open: (page: Page) => Promise<unknown>][] = [
  ['start', (page) => page.goto(`${publicUrl}/`)],
  ['collection', (page) => page.goto(`${publicUrl}/employees?itemsPerPage=5`)],
  ['filters', (page) => page.goto(`${publicUrl}/meetings?view=filters`)],
  ['item', (page) => page.goto(`${publicUrl}/meetings/${rows.Meeting.id}`)],
  ['form', (page) => page.goto(`${publicUrl}/subscriptions?view=create`)],
  ['refused form', refuse],
  ['problem', (page) => page.goto(`${publicUrl}/meetings/${rows.Employee.id}`)],
  ['account', (page) => page.goto(`${publicUrl}/session`)],
]

/** Pages that take seconds to open, or have parts like other pages. Two opposite settings show them in each language, theme and width. */
const otherKinds: typeof kinds = [
  ['calendar', (page) => page.goto(`${publicUrl}/meetings?view=week&dateTo[strictly_after]=2026-04-01`)],
  ['sums', (page) => page.goto(`${publicUrl}/invoices?view=months`)],
  ['invitation', (page) => page.goto(`${publicUrl}/invitation?token=${token}`)],
  ['reference', openReference],
  ['Swagger UI', openSwagger],
]

/** A form with a value that the server refuses. */
async function refuse(page: Page): Promise<void> {
  await page.goto(`${publicUrl}/locations?view=create`)
  await page.locator('[name=name]').fill('Utrecht')
  for (const name of ['officeOpenHour', 'officeCloseHour']) await page.locator(`[name=${name}]`).fill('8')
  await page.locator('form.operation [type=submit]').click()
  await page.locator('.refusal').waitFor()
}

async function openSwagger(page: Page): Promise<void> {
  await page.goto(`${publicUrl}/docs`)
  await page.locator('.opblock-tag').first().waitFor()
  await page.evaluate(keepFirst, ['.opblock-tag-section', '.json-schema-2020-12'])
}

async function openReference(page: Page): Promise<void> {
  await page.goto(`${publicUrl}/docs/reference`)
  await page.evaluate(keepFirst, ['main .class'])
}

/** Runs in the page: removes parts of a long page that are like its first one, as axe takes seconds for all of them. */
function keepFirst(selectors: string[]): void {
  for (const selector of selectors)
    for (const element of [...document.querySelectorAll(selector)].slice(1)) element.remove()
}

beforeAll(async () => {
  for (let count = 0; count < 31; count++) await given(Employee, { name: `Employee ${count}` })
})

describeInChromium('In Chromium', (browser) => {
  test('one page of each kind has no violation of WCAG 2.2 AA that axe finds, in all eight settings or in two opposite ones', async () => {
    const found: string[] = []
    // The theme and the width change on the open page; a language needs a page of its own.
    const check = (kind: string, open: (page: Page) => Promise<unknown>, chosen: Setting[]) =>
      languages
        .map((language) => chosen.filter((setting) => setting.language === language))
        .map((inLanguage) => ({
          setting: inLanguage[0],
          visit: async (page: Page) => {
            await open(page)
            // The debugger evaluates it, so no policy of the page must be relaxed.
            await page.evaluate(axe.source)
            for (const setting of inLanguage) {
              await show(page, setting)
              found.push(...(await violationsOf(page)).map((one) => `${kind} ${JSON.stringify(setting)} ${one}`))
            }
          },
        }))
    const tabs = await Tabs.open(browser(), publicUrl, await tokenOf(owner))
    await tabs.run([
      ...kinds.flatMap(([kind, open]) => check(kind, open, settings)),
      ...otherKinds.flatMap(([kind, open]) => check(kind, open, settings.slice(0, 2))),
    ])
    const anonymous = await Tabs.open(browser(), publicUrl)
    await anonymous.run(check('sign-in', (page) => page.goto(`${publicUrl}/session`), settings))
    found.push(...(await tabs.close()), ...(await anonymous.close()))
    expect(found).toEqual([])
  }, 300_000)

  test('the keyboard alone reaches every action of a page in order, and shows where it is', async () => {
    const visitor = await Visitor.open(browser(), publicUrl)
    const page = await visitor.signIn(await tokenOf(owner))
    for (const path of [
      '/employees?itemsPerPage=3',
      '/meetings?view=filters',
      `/meetings/${rows.Meeting.id}`,
      '/meetings?view=create',
      '/session',
    ]) {
      await page.goto(publicUrl + path)
      const expected = await page.evaluate(focusable)
      // A page may give the focus to one of its parts; behind the last one it begins again.
      while (await page.evaluate(focused)) await page.keyboard.press('Tab')
      const reached: Focus[] = []
      for (;;) {
        await page.keyboard.press('Tab')
        const focus = await page.evaluate(focused)
        if (!focus) break
        if (focus.name !== reached.at(-1)?.name) reached.push(focus)
      }
      const hidden = reached.filter(({ isOutlined, isInView }) => !isOutlined || !isInView)
      const names = reached.map(({ name }) => name).filter((name) => expected.includes(name))
      expect({ path, hidden, names }).toEqual({ path, hidden: [], names: expected })
      expect(expected.length).toBeGreaterThan(10)
    }
    await visitor.context.close()
  }, 120_000)

  test('a form that is drawn again has the focus where the person must look', async () => {
    const visitor = await Visitor.open(browser(), publicUrl)
    const page = await visitor.signIn(await tokenOf(owner))
    await refuse(page)
    expect(await page.locator('.refusal:focus').count()).toBe(1)
    await page.goto(`${publicUrl}/meetings`)
    await page.getByRole('link', { name: 'Filter' }).press('Enter')
    await page.locator('summary:focus').waitFor()
    await visitor.context.close()
  }, 60_000)

  // With the script, the search is a field that looks up while the person types.
  test('without JavaScript, a search for the items of a reference moves the focus to them', async () => {
    const visitor = await Visitor.open(browser(), publicUrl, { javaScriptEnabled: false })
    const page = await visitor.signIn(await tokenOf(owner))
    await page.goto(`${publicUrl}/meetings?view=create`)
    await page.getByRole('searchbox').first().fill('Employee 7')
    await page.getByRole('searchbox').first().press('Tab')
    await page.keyboard.press('Enter')
    await page.locator('select:focus').getByText('Employee 7').waitFor({ state: 'attached' })
    await visitor.context.close()
  }, 60_000)
})

interface Focus {
  name: string
  isOutlined: boolean
  isInView: boolean
}

/** Runs in the page: marks the elements that a person can act on, in their order. */
function focusable(): string[] {
  const found = document.querySelectorAll<HTMLElement>(
    'a[href], button, input, select, textarea, summary, [tabindex="0"]',
  )
  const visible = [...found].filter((element) => element.checkVisibility() && element.getAttribute('type') !== 'hidden')
  return visible.map((element, index) => {
    element.dataset.stop = `${index} ${element.tagName} ${element.textContent?.slice(0, 30)}`
    return element.dataset.stop
  })
}

/** Runs in the page: the element that has the focus. */
function focused(): Focus | undefined {
  const element = document.activeElement as HTMLElement | null
  if (!element || element === document.body) return undefined
  const { outlineStyle, outlineWidth } = getComputedStyle(element)
  const { top, bottom } = element.getBoundingClientRect()
  return {
    name: element.dataset.stop ?? element.tagName,
    isOutlined: outlineStyle !== 'none' && outlineWidth !== '0px',
    isInView: bottom > 0 && top < innerHeight,
  }
}
