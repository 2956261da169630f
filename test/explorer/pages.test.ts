import type { CheerioAPI } from 'cheerio'
import { BankTransaction } from '../../entities/index.ts'
import { rowsOf } from '../support/rows/sample-rows.ts'
import { openWorld } from '../support/world.ts'
import { open, textOf } from './browser.ts'

const { as, given, operator, tenant } = await openWorld()
const rows = await rowsOf(tenant)
const { owner, admin, member } = tenant.users

/** The value of a property on the page of an item, by its label. */
const shownAt = (page: CheerioAPI, label: string) =>
  page('.properties > div')
    .filter((_, row) => page(row).find('dt a').text() === label)
    .find('dd')

test('an operation says in words for people what it does, who may use it, and which words are code', async () => {
  const { page } = await open('/locations', owner)
  expect(page('.actions .note').text()).toMatch(/^Hours are wall-clock .* For: admin, owner\.$/)
  const { page: form } = await open('/subscriptions?view=create', owner)
  const [description] = form('main > p').get()
  expect(form(description).text()).not.toMatch(/`|Creates a/)
  expect(form(description).find('code').text()).toContain('confirmationSecret')
})

describe('In Dutch', () => {
  const dutch = { 'Accept-Language': 'nl' }

  test('operations have Dutch titles and descriptions, and say in Dutch which roles may use them', async () => {
    const { page } = await open('/organization-user-invitations', owner, dutch)
    const action = page('.actions .action').filter((_, one) => page(one).find('a').text() === 'Een persoon uitnodigen')
    expect(action.find('.note').text()).toMatch(/^Een mail brengt het token .* Voor: beheerder, eigenaar\.$/)
    const { page: rooms } = await open('/locations', owner, dutch)
    expect(rooms('.actions a').text()).toContain('Locatie toevoegen')
    const { page: form } = await open('/locations?view=create', owner, dutch)
    expect(textOf(form, 'h1')).toBe('Locatie toevoegen')
    expect(form('main').text()).not.toContain('Creates a')
  })

  test('values of a closed set have labels, on pages, in filters and in forms', async () => {
    const invitation = `/organization-user-invitations/${rows.OrganizationUserInvitation.id}`
    const { page } = await open(invitation, owner, dutch)
    expect([shownAt(page, 'Rol').text(), shownAt((await open(invitation)).page, 'Role').text()]).toEqual([
      'Lid',
      'Member',
    ])
    const { page: filters } = await open('/organization-users?view=filters', owner, dutch)
    const choices = filters('select[name=role] option').map((_, one) => `${filters(one).val()}=${filters(one).text()}`)
    expect(choices.get()).toEqual(['=alles', 'member=Lid', 'admin=Beheerder', 'owner=Eigenaar'])
    const { page: list } = await open('/organization-modules', owner, dutch)
    expect(list('tbody th').text()).toMatch(/Bankieren|Facturatie|Planning|Rapportage/)
  })
})

describe('The page of an item', () => {
  test('has a title from its name, and the way to it', async () => {
    const { page } = await open(`/employees/${rows.Employee.id}`)
    expect(textOf(page, 'h1')).toBe('Mia')
    expect(textOf(page, 'title')).toBe('Mia · Organization API')
    const trail = page('nav.breadcrumbs li').map((_, item) => page(item).text())
    expect(trail.get()).toEqual(['Start', 'Employees', 'Mia'])
  })

  test('has a title from its class and its first date where it has no name, and never its IRI', async () => {
    const meeting = await open(`/meetings/${rows.Meeting.id}`)
    expect(textOf(meeting.page, 'h1')).toMatch(/^Meeting, 1 Apr 2026, 10:00/)
    // The script changes the time of a title with all others.
    for (const place of ['h1', '.breadcrumbs [aria-current]'])
      expect(meeting.page(`${place} time`).attr('datetime')).toBe('2026-04-01T08:00:00Z')
    expect(textOf((await open(`/languages/fr`)).page, 'h1')).toBe('Language fr')
  })

  test('shows references by name, dates in the time zone of the organization, and money as money', async () => {
    const { page } = await open(`/meetings/${rows.Meeting.id}`)
    const employee = shownAt(page, 'Employee').find('a')
    expect([employee.text(), employee.attr('href')]).toEqual(['Mia', `/employees/${rows.Employee.id}`])
    const from = shownAt(page, 'From').find('time')
    expect([from.attr('datetime'), from.text()]).toEqual(['2026-04-01T08:00:00Z', expect.stringContaining('10:00')])
    expect(page('main').text()).toContain('Europe/Amsterdam')
    const bill = await open(`/invoices/${rows.Invoice.id}`)
    expect(shownAt(bill.page, 'Total').text()).toBe('€50.00')
    const payment = await given(BankTransaction, {
      ...{ accountId: rows.BankAccount.id, transactionOn: '2026-02-27', amount: '-1234.50', currency: 'PLN' },
    })
    const transaction = await open(`/bank-transactions/${payment.id}`, owner, { 'Accept-Language': 'nl' })
    expect(shownAt(transaction.page, 'Bedrag').text()).toMatch(/^PLN\s-1\.234,50$/)
    expect(shownAt(transaction.page, 'Transactiedatum').text()).toBe('27 feb 2026')
  })

  test('shows another time zone as soon as the organization has changed it', async () => {
    const path = `/meetings/${rows.Meeting.id}`
    const shown = async () => (await open(path)).page('.properties time').first().text()
    const { body } = await as(owner).get('/organization-configs?key=timezone')
    const moveTo = (value: string) => as(owner).patch(body.member[0]['@id'], { value })
    const before = await shown()
    expect((await moveTo('Asia/Tokyo')).status).toBe(200)
    expect([before, await shown()]).toEqual([expect.stringContaining('10:00'), expect.stringContaining('17:00')])
    expect((await moveTo('Europe/Amsterdam')).status).toBe(200)
  })

  test('shows a reference that the caller may not open as text', async () => {
    const { page } = await open(`/subscriptions/${rows.Subscription.id}`)
    expect(shownAt(page, 'Billing address').find('a').attr('href')).toMatch(/^\/organization-addresses\//)
    const { page: shown } = await open(`/organizations/${tenant.organization.id}`, operator)
    expect(shown('.properties a[href^="/subscriptions"]')).toHaveLength(0)
  })

  test('describes its properties beside their labels, reachable by keyboard', async () => {
    const { page } = await open(`/meetings/${rows.Meeting.id}`)
    const label = page('dt a[aria-describedby]').first()
    const tip = page(`[id="${label.attr('aria-describedby')}"]`)
    expect(tip.attr('role')).toBe('tooltip')
    expect(tip.text().length).toBeGreaterThan(20)
    expect(label.attr('href')).toBe('/docs/reference#Meeting/employee')
  })

  test.each([
    ['owner', owner, true],
    ['admin', admin, true],
    ['member', member, false],
  ])('offers the %s only the operations that the role may use now', async (_, user, isOffered) => {
    const { page } = await open(`/employees/${rows.Employee.id}`, user)
    expect(page('#actions ~ .action .button').text().includes('Update an employee')).toBe(isOffered)
  })

  test('leads to the collections that refer to it', async () => {
    const { page } = await open(`/employees/${rows.Employee.id}`)
    const link = page('#related ~ ul a').filter((_, found) => page(found).text().startsWith('Meetings'))
    const { page: list } = await open(link.attr('href') as string)
    expect(list('tbody tr')).toHaveLength(1)
  })

  test('has its document in other formats one click away, and the request that gets it', async () => {
    const path = `/meetings/${rows.Meeting.id}`
    const { page } = await open(path)
    const links = page('.formats a').map((_, { attribs }) => `${attribs.type} ${attribs.href}`)
    expect(links.get()).toEqual([
      `application/ld+json ${path}.jsonld`,
      `application/json ${path}.json`,
      `text/turtle ${path}.ttl`,
      `application/n-quads ${path}.nq`,
    ])
    expect(page('.data pre').first().text()).toMatch(/^curl -H "Authorization: Bearer \$TOKEN" 'http:.*\.jsonld'$/)
  })
})

describe('The language of a page', () => {
  test.each([
    ['en', 'What you can do'],
    ['nl', 'Wat u kunt doen'],
    ['fr, nl;q=0.5', 'Wat u kunt doen'],
    ['fr', 'What you can do'],
  ])('for "Accept-Language: %s" has the heading "%s"', async (language, heading) => {
    const { page, headers } = await open(`/meetings/${rows.Meeting.id}`, owner, { 'Accept-Language': language })
    expect(textOf(page, '#actions')).toBe(heading)
    expect(page('html').attr('lang')).toBe(heading.startsWith('Wat') ? 'nl' : 'en')
    expect((headers.vary as string).split(', ')).toContain('Accept-Language')
  })

  test('can be chosen by the address, and links keep it', async () => {
    const { page } = await open(`/meetings?lang=nl`, owner, { 'Accept-Language': 'en' })
    expect(page('html').attr('lang')).toBe('nl')
    const hrefs = page('main tbody a, nav.collections a').map((_, { attribs }) => attribs.href)
    expect(hrefs.get().filter((href) => !/[?&]lang=nl/.test(href))).toEqual([])
    expect(page('footer nav a[lang="en"]').attr('href')).toBe('/meetings?lang=en')
  })
})

test('a page shows an anonymous caller the way to sign in and back', async () => {
  const { status, page, headers } = await open('/meetings?itemsPerPage=2', null)
  expect([status, headers['www-authenticate']]).toEqual([401, 'Bearer'])
  expect(page('main a.button').attr('href')).toBe('/session?return=%2Fmeetings%3FitemsPerPage%3D2')
  expect((await as().get('/meetings')).body.status).toBe(401)
})
