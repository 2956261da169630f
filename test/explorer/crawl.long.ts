import { createServer } from 'node:http'
import { type CheerioAPI, load } from 'cheerio'
import { Employee, type User } from '../../entities/index.ts'
import { createApp } from '../../src/app.ts'
import { Browser } from '../support/browser.ts'
import { rowsOf } from '../support/rows/sample-rows.ts'
import { openWorld } from '../support/world.ts'
import { open, textOf } from './browser.ts'

const { config, database, given, operator, person, services, tenant } = await openWorld()
await rowsOf(tenant)
const { owner, admin, member } = tenant.users
const guest = await person('newcomer')

describe('Every page', () => {
  const people: [string, User | null][] = [
    ['anonymous', null],
    ['guest', guest],
    ['member', member],
    ['admin', admin],
    ['owner', owner],
    ['operator', operator],
  ]

  beforeAll(async () => {
    for (let count = 0; count < 31; count++) await given(Employee, { name: `Employee ${count}` })
  })

  /** The page of one item stands for those of its class, and one value of a filter for all. */
  const patternOf = (path: string) =>
    path
      .replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, '{id}')
      .replace(/^(\/countries\/).*/, '$1')
      .replace(/([?&](?!view=)[^=&]+)=[^&]*/g, '$1=')

  // The sign-in has its own tests.
  const isOfPages = (path: string) => !/^\/(session|docs|contexts)\b/.test(path)

  test.each(people)(
    'that the %s can reach opens, and every link leads to something',
    async (_, user) => {
      const pages = new Map<string, number>()
      const patterns = new Map<string, number>()
      const waiting = ['/']
      for (let path = waiting.shift(); path !== undefined; path = waiting.shift()) {
        const seen = patterns.get(patternOf(path)) ?? 0
        if (pages.has(path) || seen > 0) continue
        patterns.set(patternOf(path), seen + 1)
        const { status, page, headers } = await open(path, user)
        pages.set(path, status)
        // A calendar without a period leads to a week.
        if (status === 302) waiting.push(headers.location as string)
        if (status === 302 || !`${headers['content-type']}`.startsWith('text/html')) continue
        const ids = page('[id]').map((_, { attribs }) => attribs.id)
        const repeated = ids.get().filter((id, index, all) => all.indexOf(id) !== index)
        expect({ path, titles: page('h1').length, repeated }).toEqual({ path, titles: 1, repeated: [] })
        expect(textOf(page, 'h1')).not.toMatch(/^\/|[0-9a-f]{8}-[0-9a-f]{4}-/)
        const links = page('a')
          .not('.data pre a')
          .map((_, { attribs }) => attribs.href.replace(/#.*/, ''))
        // One order and one language of a page stand for all.
        waiting.push(
          ...links.get().filter((href) => href.startsWith('/') && isOfPages(href) && !/order|lang=/.test(href)),
        )
      }
      expect([...pages].filter(([, status]) => status !== 200 && status !== 302)).toEqual([])
      expect(pages.size).toBeGreaterThan(user === null ? 2 : 5)
    },
    60_000,
  )
})

describe('The page of a problem that passes says how long to wait, and offers the same page again:', () => {
  const again = (page: CheerioAPI) => page('main a.button').first().attr('href')

  test('429 after too many requests', async () => {
    const limited = await createApp({ ...services, config: { ...config, limits: { usual: 1, few: 1 } } })
    const browser = new Browser(createServer(limited))
    await browser.open('/session')
    const { status, text } = await browser.open('/meetings?itemsPerPage=2')
    const page = load(text)
    expect([status, textOf(page, 'h1')]).toEqual([429, 'Too many requests'])
    expect(textOf(page, 'main')).toMatch(/Wait a moment, and load the page again.Try again after \d+ seconds./)
    expect(again(page)).toBe('/meetings?itemsPerPage=2')
  })

  test('503 while a list takes longer than its limit', async () => {
    await database.transaction(async (manager) => {
      await manager.query('LOCK TABLE "meeting" IN ACCESS EXCLUSIVE MODE')
      const { status, page, headers } = await open('/meetings?q=a', owner)
      expect([status, textOf(page, 'h1')]).toEqual([503, 'The server is busy'])
      expect(textOf(page, 'main')).toContain(`Request id: ${headers['x-request-id']}`)
      expect(textOf(page, 'main')).toContain('Try again after 2 seconds.')
      expect(again(page)).toBe('/meetings?q=a')
    })
  })
})
