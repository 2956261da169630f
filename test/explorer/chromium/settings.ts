import type { Browser, Page } from 'playwright-core'
import { Visitor } from '../../support/chromium.ts'

export const languages = ['en', 'nl'] as const

/** How a person sees pages. */
export interface Setting {
  language: (typeof languages)[number]
  theme: 'light' | 'dark'
  width: 390 | 1280
}

/** The settings stand in pairs of opposites: in language, theme and width. */
const order = [0, 7, 1, 6, 2, 5, 3, 4]

/** The eight settings. */
export const settings: Setting[] = order.map((bits) => ({
  language: bits & 1 ? 'nl' : 'en',
  theme: bits & 2 ? 'dark' : 'light',
  width: bits & 4 ? 390 : 1280,
}))

/** The setting of a visit. The first two visits of a page meet both languages, both themes and both widths. */
export function settingOf(page: number, visit: number): Setting {
  return settings[(2 * (page % 4) + visit) % settings.length]
}

/**
 * A person's browsers, one for each language, with a tab each. The tab takes one theme and one width after another: a browser for each
 * setting would cost seconds.
 */
export class Tabs {
  private constructor(
    private readonly visitors: Visitor[],
    private readonly pages: Page[],
  ) {}

  /** @param token the bearer token to sign in with; undefined for an anonymous person */
  static async open(browser: Browser, origin: string, token?: string): Promise<Tabs> {
    const first = await Visitor.open(browser, origin, { locale: languages[0] })
    const page = token === undefined ? await first.context.newPage() : await first.signIn(token)
    const storageState = await first.context.storageState()
    const second = await Visitor.open(browser, origin, { locale: languages[1], storageState })
    return new Tabs([first, second], [page, await second.context.newPage()])
  }

  /** Runs each visit in its setting. The tabs work at the same time. */
  async run(visits: { setting: Setting; visit: (page: Page) => Promise<unknown> }[]): Promise<void> {
    const runIn = async (page: Page, language: string) => {
      for (const { setting, visit } of visits.filter((one) => one.setting.language === language)) {
        await show(page, setting)
        await visit(page)
      }
    }
    await Promise.all(this.pages.map((page, index) => runIn(page, languages[index])))
  }

  /** @returns what was wrong with their pages */
  async close(): Promise<string[]> {
    for (const { context } of this.visitors) await context.close()
    return this.visitors.flatMap(({ complaints }) => complaints)
  }
}

/** Gives a tab the theme and the width of a setting. */
export async function show(page: Page, { theme, width }: Setting): Promise<void> {
  await page.emulateMedia({ colorScheme: theme })
  await page.setViewportSize({ width, height: 900 })
}
