import { type CheerioAPI, load } from 'cheerio'
import { linkBank, pull, setUpBanking } from '../banking/linked-bank.ts'
import { Browser } from '../support/browser.ts'
import { rowsOf } from '../support/rows/sample-rows.ts'
import { openWorld } from '../support/world.ts'

const { banking, kontomatik, server, tenant, tokenOf } = await openWorld()

setUpBanking()
beforeAll(() => rowsOf(tenant))

async function browserOf(role: 'owner' | 'admin' | 'member'): Promise<Browser> {
  const browser = new Browser(server)
  await browser.signIn(await tokenOf(tenant.users[role]))
  return browser
}

const links = (page: CheerioAPI, selector: string): string[] =>
  page(selector)
    .map((_, link) => page(link).attr('href'))
    .get()

const isForm = (href: string) => /[?&]view=/.test(href) && !/view=(filters|source)/.test(href)

test('an import that takes long answers its form with a page that renews itself, and leads to the integration', async () => {
  const link = await linkBank()
  banking.timing.requestMs = 100
  kontomatik.fault({ kind: 'slow', path: 'default-import', delay: 600 })
  const browser = await browserOf('owner')
  const { text } = await browser.open(`${link['@id']}?view=pull`).expect(200)
  const form = load(text)('form.operation')
  expect(form.attr('action')).toBe(pull)
  // Another active link exists, so the form must name the one whose page offers it.
  expect(form.find('[name=integration]').val()).toBe(link['@id'])
  const fields = form.serializeArray().map(({ name, value }): [string, string] => [name, value])
  const { headers } = await browser.submit(pull, fields).expect(202)
  expect(headers.refresh).toBe(`5; url=${link['@id']}`)
}, 60_000)

test.each(['owner', 'admin', 'member'] as const)(
  'every form that the %s is offered opens, with a token, labels and no id twice',
  async (role) => {
    const browser = await browserOf(role)
    const start = load((await browser.open('/').expect(200)).text)
    const forms = new Set<string>()
    for (const collection of new Set(links(start, 'nav.collections a'))) {
      const list = load((await browser.open(collection).expect(200)).text)
      const [item] = links(list, 'tbody th a')
      const pages = [list, ...(item ? [load((await browser.open(item).expect(200)).text)] : [])]
      for (const page of pages) for (const href of links(page, '#actions ~ .action a').filter(isForm)) forms.add(href)
    }
    expect(forms.size).toBeGreaterThan(role === 'member' ? 1 : 12)
    for (const href of forms) {
      const page = load((await browser.open(href).expect(200)).text)
      const form = page('form.operation')
      expect({ href, forms: form.length, token: form.find('[name=_token]').val() }).toEqual({
        href,
        forms: 1,
        token: expect.stringMatching(/^[\w-]{86}$/),
      })
      const ids = page('[id]')
        .map((_, element) => page(element).attr('id'))
        .get()
      const unnamed = form
        .find('input:not([type=hidden]), select, textarea')
        .filter((_, element) => {
          const input = page(element)
          const label = page(`label[for="${input.attr('id')}"]`)
          return !input.attr('aria-label') && input.closest('label').length === 0 && label.length === 0
        })
        .map((_, element) => page(element).attr('name'))
        .get()
      expect({ href, unnamed, repeated: ids.filter((id, index) => ids.indexOf(id) !== index) }).toEqual({
        href,
        unnamed: [],
        repeated: [],
      })
    }
  },
  60_000,
)
