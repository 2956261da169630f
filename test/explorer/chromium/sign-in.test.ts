import type { Page } from 'playwright-core'
import { people, seedDemo } from '../../../src/demo/demo.ts'
import { describeInChromium, Visitor } from '../../support/chromium.ts'
import { openWorld } from '../../support/world.ts'

const { database, publicUrl, tenant, tokenOf } = await openWorld()

describeInChromium('In Chromium', (browser) => {
  beforeAll(() => seedDemo(database, publicUrl, { manualBilling: true }), 120_000)

  describe.each([
    ['on', true],
    ['off', false],
  ])('with JavaScript %s', (_, javaScriptEnabled) => {
    let visitor: Visitor
    let page: Page

    beforeAll(async () => {
      visitor = await Visitor.open(browser(), publicUrl, { javaScriptEnabled })
      page = await visitor.context.newPage()
    })

    afterAll(async () => {
      expect(visitor.complaints).toEqual([])
      await visitor.context.close()
    })

    async function signInBy(token: string): Promise<void> {
      await page.locator('#token').fill(token)
      await page.locator('#by-token ~ form button').click()
    }

    const leaveForSignIn = () => page.getByRole('main').getByRole('link', { name: 'Sign in' }).click()

    test.each(Object.entries(people))(
      'the %s of the demo signs in with a click, comes back, and signs out',
      async (id, { name }) => {
        await page.goto(`${publicUrl}/meetings`)
        await leaveForSignIn()
        await page.getByRole('button', { name: `${name} (${id})` }).click()
        await page.waitForURL(`${publicUrl}/meetings`)
        await page.goto(`${publicUrl}/session`)
        await page.getByText(`You are signed in as ${name}.`).waitFor()
        expect(await visitor.context.cookies()).toMatchObject([{ httpOnly: true, sameSite: 'Strict' }])
        await page.getByRole('button', { name: 'Sign out', exact: true }).click()
        await page.locator('#token').waitFor()
        expect(await visitor.context.cookies()).toEqual([])
      },
      120_000,
    )

    test('a wrong token is refused with a sentence, and the right one leads back', async () => {
      await page.goto(`${publicUrl}/session?return=/employees`)
      await signInBy('wrong')
      await page.getByRole('alert').getByText('The token is invalid').waitFor()
      await signInBy(await tokenOf(tenant.users.owner))
      await page.waitForURL(`${publicUrl}/employees`)
    }, 120_000)

    test('an expired session leads to the sign-in and back', async () => {
      await database.query(`UPDATE "session" SET "expiresAt" = now()`)
      expect((await page.goto(`${publicUrl}/meetings`))?.status()).toBe(401)
      await leaveForSignIn()
      await signInBy(await tokenOf(tenant.users.owner))
      await page.waitForURL(`${publicUrl}/meetings`)
    }, 120_000)
  })
})
