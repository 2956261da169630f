import type { Browser, Page } from 'playwright-core'
import { Visitor } from '../../support/chromium.ts'

/** How a person sees pages. */
export interface Setting {
  language: 'en' | 'nl'
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

/** A person's browsers, one for each setting, with one tab. */
export class Tabs {
  private readonly opened = new Map<Setting, Promise<{ visitor: Visitor; page: Page }>>()
  private signedIn: Promise<Visitor> | undefined

  /** @param token the bearer token to sign in with; undefined for an anonymous person */
  constructor(
    private readonly browser: Browser,
    private readonly origin: string,
    private readonly token?: string,
  ) {}

  /** The tab of a setting. */
  async at(setting: Setting): Promise<Page> {
    const opened = this.opened.get(setting) ?? this.open(setting)
    this.opened.set(setting, opened)
    return (await opened).page
  }

  /** Closes all of them. @returns what was wrong with their pages */
  async close(): Promise<string[]> {
    const all = await Promise.all(this.opened.values())
    for (const { visitor } of all) await visitor.context.close()
    await (await this.signedIn)?.context.close()
    return all.flatMap(({ visitor }) => visitor.complaints)
  }

  private async open({ language, theme, width }: Setting) {
    const options = { locale: language, colorScheme: theme, viewport: { width, height: 900 } } as const
    const visitor = await Visitor.open(this.browser, this.origin, { ...options, storageState: await this.cookies() })
    return { visitor, page: await visitor.context.newPage() }
  }

  /** All browsers have the cookie of one session. */
  private async cookies() {
    if (this.token === undefined) return undefined
    this.signedIn ??= this.signIn(this.token)
    return (await this.signedIn).context.storageState()
  }

  private async signIn(token: string): Promise<Visitor> {
    const visitor = await Visitor.open(this.browser, this.origin)
    await (await visitor.signIn(token)).close()
    return visitor
  }
}
