import { isDeepStrictEqual } from 'node:util'
import type { Page } from 'playwright-core'
import { Employee, type User } from '../../../entities/index.ts'
import { describeInChromium } from '../../support/chromium.ts'
import { rowsOf } from '../../support/rows/sample-rows.ts'
import { openWorld } from '../../support/world.ts'
import { type Setting, settingOf, settings, Tabs } from './settings.ts'

const { given, operator, person, publicUrl, tenant, tokenOf } = await openWorld()

/*
 * Follows links from the start page and the sign-in, so pages of new resources are opened too. One role or several open each page in two
 * settings at least. test/explorer/crawl.long.ts follows the links to other formats.
 */
describeInChromium('In Chromium', (browser) => {
  const { owner, admin, member } = tenant.users
  const roles: Record<string, User | null> = { anonymous: null, guest: null, member, admin, owner, operator }
  /** The visits of each page by all roles. */
  const visits = new Map<string, { page: number; count: number; path: string; role: string }>()

  const tabsOf = async (role: string) => {
    const user = roles[role]
    return Tabs.open(browser(), publicUrl, user ? await tokenOf(user) : undefined)
  }

  beforeAll(async () => {
    roles.guest = await person('newcomer')
    await rowsOf(tenant)
    // More than a select offers, and more than a page has.
    for (let count = 0; count < 31; count++) await given(Employee, { name: `Employee ${count}` })
  }, 60_000)

  test.each(Object.keys(roles))(
    'every page and every form that the %s reaches opens without an error',
    async (role) => {
      const walk = new Walk(role, await tabsOf(role))
      await walk.everything(['/', '/session'])
      expect(walk.faults).toEqual([])
      expect(walk.opened).toBeGreaterThan({ anonymous: 5, guest: 8, member: 40, operator: 10 }[role] ?? 80)
    },
    180_000,
  )

  test('pages that one role alone can open do so in another language, theme and width', async () => {
    const once = [...visits.values()].filter(({ count }) => count === 1)
    for (const role of new Set(once.map((visit) => visit.role))) {
      const walk = new Walk(role, await tabsOf(role))
      const paths = once.filter((visit) => visit.role === role).map(({ path }) => path)
      await walk.everything(paths, false)
      expect(walk.faults).toEqual([])
    }
    expect([...visits.values()].filter(({ count }) => count < 2)).toEqual([])
  }, 60_000)

  class Walk {
    opened = 0
    readonly faults: string[] = []
    private readonly found = new Set<string>()
    private waiting: string[] = []

    constructor(
      private readonly role: string,
      private readonly tabs: Tabs,
    ) {}

    /** Opens pages, and all that their links lead to, unless told otherwise. */
    async everything(from: string[], follows = true): Promise<void> {
      this.follow(from)
      while (this.waiting.length > 0) {
        const next = this.waiting.splice(0).map((path) => ({ path, setting: this.settingFor(path) }))
        const pathsIn = (setting: Setting) => next.filter((one) => one.setting === setting).map(({ path }) => path)
        const met = settings.filter((setting) => pathsIn(setting).length > 0)
        const visit = (setting: Setting) => (page: Page) => this.openAll(page, setting, pathsIn(setting), follows)
        await this.tabs.run(met.map((setting) => ({ setting, visit: visit(setting) })))
      }
      this.faults.push(...(await this.tabs.close()))
    }

    private settingFor(path: string): Setting {
      const pattern = patternOf(path)
      const visit = visits.get(pattern) ?? { page: visits.size, count: 0, path, role: this.role }
      visits.set(pattern, visit)
      return settingOf(visit.page, visit.count++)
    }

    private async openAll(page: Page, setting: Setting, paths: string[], follows: boolean): Promise<void> {
      for (const path of paths) {
        const response = await page.goto(publicUrl + path)
        this.opened += 1
        const { links, ...seen } = await page.evaluate(lookAround)
        const language = new URLSearchParams(path.split('?')[1]).get('lang') ?? setting.language
        const expected = { status: 200, language, titles: 1, repeatedIds: [], missingIds: [], tooWide: [] }
        const found = { status: response?.status(), ...seen }
        if (!isDeepStrictEqual(found, expected)) this.faults.push(JSON.stringify({ path, setting, ...found }))
        const own = links.filter((href) => href.startsWith(`${publicUrl}/`))
        if (follows) this.follow(own.map((href) => href.slice(publicUrl.length).replace(/#.*/, '')))
      }
    }

    private follow(paths: string[]): void {
      for (const path of paths.filter(isPage)) {
        if (!this.found.has(patternOf(path))) this.waiting.push(path)
        this.found.add(patternOf(path))
      }
    }
  }
})

/** Whether an address is a page of its own: no other format, no other order or language, and no two parts at once. */
function isPage(path: string): boolean {
  const query = [...new URLSearchParams(path.split('?')[1]).keys()]
  return (
    query.length < 2 &&
    !/^\/(contexts|docs(?!\/reference))\b|\.(jsonld|json|ttl|nq|csv)\b|[?&](order|lang)\b/.test(path)
  )
}

/** One item stands for its class, one filter for all its values, one status for all, and one document for those of all collections. */
function patternOf(path: string): string {
  const [own, query] = path.split('?')
  if (query === 'view=source') return query
  const item = own
    .replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, '{id}')
    .replace(/^\/(countries|errors|languages)\/.+/, '/$1/{id}')
  const names = [...new URLSearchParams(query)].map(([name, value]) => (name === 'view' ? `${name}=${value}` : name))
  return `${item}?${names}`
}

/** Runs in the page. */
function lookAround() {
  const { lang: language, clientWidth, scrollWidth } = document.documentElement
  const elements = [...document.querySelectorAll('*')]
  const ids = elements.flatMap(({ id }) => id || [])
  const links = [...document.querySelectorAll<HTMLAnchorElement>('a[href]')]
  const fragments = links.flatMap((link) => /^#(.+)/.exec(link.getAttribute('href') ?? '')?.[1] ?? [])
  const isTooWide = scrollWidth > clientWidth
  const tooWide = isTooWide ? elements.filter((one) => one.getBoundingClientRect().right > clientWidth + 1) : []
  return {
    language,
    titles: document.querySelectorAll('h1').length,
    repeatedIds: ids.filter((id, index) => ids.indexOf(id) !== index),
    missingIds: fragments.filter((id) => !ids.includes(id)),
    tooWide: tooWide.map(({ tagName, className }) => `${tagName} ${className}`),
    // The document for programs names operations too, which are no pages.
    links: links
      .filter((link) => !link.closest('.data pre'))
      .map((link) => new URL(link.getAttribute('href') ?? '', location.href).href),
  }
}
