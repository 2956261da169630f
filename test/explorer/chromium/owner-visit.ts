import type { Browser, Page } from 'playwright-core'
import { Visitor } from '../../support/chromium.ts'
import { openWorld } from '../../support/world.ts'

const { publicUrl, tenant, tokenOf } = await openWorld()

/** Lets the owner sign in before the tests of a block. After them, nothing has been wrong with the pages. */
export function openAsOwner(
  browser: () => Browser,
  javaScriptEnabled: boolean,
  opened: (page: Page, visitor: Visitor) => void,
): void {
  let visitor: Visitor

  beforeAll(async () => {
    visitor = await Visitor.open(browser(), publicUrl, { javaScriptEnabled })
    opened(await visitor.signIn(await tokenOf(tenant.users.owner)), visitor)
  }, 120_000)

  afterAll(async () => {
    expect(visitor.complaints).toEqual([])
    await visitor.context.close()
  })
}
