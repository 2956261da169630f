import {
  BankAccount,
  BankTransaction,
  Employee,
  Integration,
  Meeting,
  OrganizationConfig,
} from '../../entities/index.ts'
import { openWorld } from '../support/world.ts'
import { open, textOf } from './browser.ts'

const { database, elsewhere, given, organization, tenant } = await openWorld()
const { member, owner } = tenant.users

const setZone = (value: string) =>
  database.manager.update(OrganizationConfig, { organizationId: organization.id, key: 'timezone' }, { value })
await setZone('Europe/Amsterdam')

const mia = await given(Employee, { name: 'Mia', userId: member.id })
const noor = await given(Employee, { name: 'Noor' })

const meet = (employee: Employee | null, from: string, to: string, notes: string | null = null) =>
  given(Meeting, { employee, notes, dateFrom: new Date(from), dateTo: new Date(to) })

/** The week in which Amsterdam changes to summer time, on its Sunday. */
const week = {
  'dateTo[strictly_after]': '2026-03-22T23:00:00.000Z',
  'dateFrom[strictly_before]': '2026-03-29T22:00:00.000Z',
}
const addressOf = (parameters: Record<string, string>) => `/meetings?${new URLSearchParams(parameters)}`
const calendar = (more: Record<string, string> = {}) => addressOf({ view: 'week', ...week, ...more })

await meet(noor, '2026-03-23T08:00:00Z', '2026-03-23T10:00:00Z', 'Boiler')
await meet(noor, '2026-03-23T12:00:00Z', '2026-03-23T13:00:00Z', 'Pump')
await meet(mia, '2026-03-29T08:00:00Z', '2026-03-29T09:00:00Z', 'Sunday')
await meet(null, '2026-03-24T22:00:00Z', '2026-03-25T05:00:00Z', 'Night')
await meet(null, '2026-03-24T22:30:00Z', '2026-03-24T23:00:00Z', '<b>Beside</b>')
await meet(mia, '2026-03-30T08:00:00Z', '2026-03-30T09:00:00Z', 'Next week')

const integration = await given(Integration, { status: 'active' })
const account = await given(BankAccount, { integration, reference: 'one', name: 'Current' })
const savings = await given(BankAccount, { integration, reference: 'two', name: 'Savings' })
const pay = (transactionOn: string, amount: string, currency: string | null, of = account) =>
  given(BankTransaction, { account: of, transactionOn, amount, currency })

type Opened = Awaited<ReturnType<typeof open>>

const texts = ({ page }: Opened, selector: string) =>
  page(selector)
    .map((_, found) => page(found).text().replace(/\s+/g, ' ').trim())
    .get()

/** The rows of each table, by the heading of its currency. */
const sumsIn = (opened: Opened) =>
  Object.fromEntries(
    opened
      .page('section.picture')
      .map((_, section) => {
        const rows = opened.page(section).find('tbody tr')
        const cells = rows.map((_, row) => [
          opened
            .page(row)
            .children()
            .map((_, cell) => opened.page(cell).text().replace(/\s/g, ' '))
            .get(),
        ])
        return [[opened.page(section).find('h2').text(), cells.get()]]
      })
      .get(),
  )

const hrefOf = ({ page }: Opened, selector: string, text: string) =>
  page(selector)
    .filter((_, found) => page(found).text() === text)
    .attr('href') as string

describe('The calendar of a class with a start and an end', () => {
  test('shows the days of a week in the zone of the organization, also where one of them has 23 hours', async () => {
    const opened = await open(calendar())
    expect(texts(opened, '.calendar thead th')).toEqual([
      ...['Employee', 'Mon 23 Mar', 'Tue 24 Mar', 'Wed 25 Mar', 'Thu 26 Mar', 'Fri 27 Mar', 'Sat 28 Mar', 'Sun 29 Mar'],
    ])
    expect(textOf(opened.page, '.picture h2')).toBe('23 – 29 March 2026')
    expect(textOf(opened.page, '.picture .note')).toContain('Europe/Amsterdam')
    const [monday, sunday] = [2, 8].map((place) => texts(opened, `.calendar tbody tr td:nth-child(${place}) li`))
    expect(monday).toEqual(['09:00–11:00 Boiler', '13:00–14:00 Pump'])
    expect(sunday).toEqual(['10:00–11:00 Sunday'])
    expect(opened.page('.calendar td:nth-child(8) .strip').attr('viewBox')).toBe(`0 0 ${23 * 60} 1`)
  })

  test('has a lane for each item that rows refer to, by its name, and one for rows without', async () => {
    const opened = await open(calendar())
    expect(texts(opened, '.calendar tbody th')).toEqual(['Mia', 'Noor', 'none'])
    expect(opened.page('.calendar tbody th a').first().attr('href')).toBe(`/employees/${mia.id}`)
  })

  test('draws what overlaps beside each other, in each of its days, and each event leads to its item', async () => {
    const opened = await open(calendar())
    const tuesday = opened.page('.calendar tbody tr:last-child td:nth-child(3)')
    expect(tuesday.find('.beside > ul')).toHaveLength(2)
    expect(texts(opened, '.calendar tbody tr:last-child td:nth-child(3) li')).toEqual([
      'from 23:00 Night',
      '23:30–00:00 <b>Beside</b>',
    ])
    expect(texts(opened, '.calendar tbody tr:last-child td:nth-child(4) li')).toEqual(['until 06:00 Night'])
    expect(textOf((await open(tuesday.find('li a').attr('href') as string)).page, 'main')).toContain('Night')
  })

  test('leads to the weeks before and after, to one day, and to the table, with the filters of the page', async () => {
    const opened = await open(calendar({ employee: `/employees/${mia.id}`, lang: 'en' }))
    expect(texts(opened, '.calendar li')).toEqual(['10:00–11:00 Sunday'])
    const next = await open(hrefOf(opened, '.picture nav a', 'Next'))
    expect(textOf(next.page, '.picture h2')).toBe('30 March – 5 April 2026')
    expect(texts(next, '.calendar li')).toEqual(['10:00–11:00 Next week'])
    const back = await open(hrefOf(next, '.picture nav a', 'Previous'))
    expect(texts(back, '.calendar li')).toEqual(['10:00–11:00 Sunday'])
    const day = await open(hrefOf(back, '.calendar thead a', 'Sun 29 Mar'))
    expect(texts(day, '.calendar thead th')).toEqual(['Employee', 'Sun 29 Mar'])
    expect(texts(await open(hrefOf(day, '.picture nav a', 'Whole week')), '.calendar thead th')).toHaveLength(8)
    const table = await open(hrefOf(opened, '.switch a', 'Table'))
    expect(table.page('tbody tr')).toHaveLength(1)
    expect(table.page('.switch [aria-current]').text()).toBe('Table')
    expect(opened.page('main a[href^="/meetings?"]:not([href*="lang=en"])')).toHaveLength(0)
  })

  test('says when rows are left out, and leads to the table of the same filter', async () => {
    const opened = await open(calendar({ itemsPerPage: '2' }))
    expect(opened.page('.calendar li')).toHaveLength(2)
    expect(textOf(opened.page, '.left-out')).toContain('Only 2 of 5 rows are drawn.')
    const table = await open(opened.page('.left-out a').attr('href') as string)
    expect(textOf(table.page, '.total')).toBe('5 in total')
    expect((await open(calendar())).page('.left-out')).toHaveLength(0)
  })

  test.each([
    ['no period', {}],
    ['a period that is no number of whole days', { ...week, 'dateTo[strictly_after]': '2026-03-22T23:30:00Z' }],
    ['one bound', { 'dateFrom[after]': '2026-03-24' }],
    ['more than a week', { ...week, 'dateFrom[strictly_before]': '2027-03-29T22:00:00Z' }],
  ])('leads from an address with %s to a week', async (_, parameters) => {
    const { status, headers } = await open(addressOf({ view: 'week', ...parameters }))
    expect(status).toBe(302)
    const opened = await open(headers.location as string)
    expect([opened.status, opened.page('.picture h2').length]).toEqual([200, 1])
    const isKnown = 'dateTo[strictly_after]' in parameters || 'dateFrom[after]' in parameters
    if (isKnown) expect(texts(opened, '.calendar thead th')).toContain('Mon 23 Mar')
    else expect(new URL(headers.location as string, 'http://x').searchParams.get('order[dateFrom]')).toBe('asc')
  })

  test('of a period without rows says so, and still leads to other periods', async () => {
    const opened = await open(calendar({ q: 'nothing' }))
    expect(textOf(opened.page, '.empty')).toBe(
      'There is nothing in this period. Choose another one, or show all of them as a table.',
    )
    expect(opened.page('.picture nav a')).toHaveLength(3)
  })

  test('shows a member its own rows alone, and no row of another tenant', async () => {
    const foreign = await given(Employee, { organizationId: elsewhere.organization.id, name: 'Foreign' })
    await given(Meeting, {
      ...{ organizationId: elsewhere.organization.id, employee: foreign, notes: 'Foreign' },
      ...{ dateFrom: new Date('2026-03-24T08:00:00Z'), dateTo: new Date('2026-03-24T09:00:00Z') },
    })
    expect(texts(await open(calendar(), member), '.calendar li')).toEqual(['10:00–11:00 Sunday'])
    expect(texts(await open(calendar(), owner), '.calendar li')).toHaveLength(6)
    expect(texts(await open(calendar(), elsewhere.users.owner), '.calendar li')).toEqual(['09:00–10:00 Foreign'])
  })
})

describe('The sums of a class with an amount and a date', () => {
  const months = (more = '') => open(`/bank-transactions?view=months${more}`)
  const days = (more = '', user = owner) => open(`/bank-transactions?view=days${more}`, user)

  test('of a collection without rows say so', async () => {
    expect(textOf((await days()).page, '.empty')).toContain('There are no rows')
  })

  test('are exact, with a total, by day and by month, for each currency on its own', async () => {
    await pay('2026-01-31', '9007199254740993.01', 'EUR')
    await pay('2026-01-31', '0.10', 'EUR')
    await pay('2026-02-01', '0.20', 'EUR', savings)
    await pay('2026-02-03', '-10', 'EUR')
    await pay('2026-02-03', '7', 'USD')
    await pay('2026-02-04', '5', null)
    await given(BankTransaction, {
      ...{ organizationId: elsewhere.organization.id, transactionOn: '2026-02-03', amount: '1000000', currency: 'EUR' },
      account: await given(BankAccount, {
        organizationId: elsewhere.organization.id,
        integration: await given(Integration, { organizationId: elsewhere.organization.id, status: 'active' }),
        ...{ reference: 'theirs', name: 'Theirs' },
      }),
    })
    expect(sumsIn(await days())).toEqual({
      EUR: [
        ['3 Feb 2026', '1', '-€10.00', '€9,007,199,254,740,983.31'],
        ['1 Feb 2026', '1', '€0.20', '€9,007,199,254,740,993.31'],
        ['31 Jan 2026', '2', '€9,007,199,254,740,993.11', '€9,007,199,254,740,993.11'],
      ],
      USD: [['3 Feb 2026', '1', 'US$7.00', 'US$7.00']],
      'without a currency': [['4 Feb 2026', '1', '5', '5']],
    })
    const opened = await months()
    expect(sumsIn(opened).EUR).toEqual([
      ['February 2026', '2', '-€9.80', '€9,007,199,254,740,983.31'],
      ['January 2026', '2', '€9,007,199,254,740,993.11', '€9,007,199,254,740,993.11'],
    ])
    expect(opened.page('svg.chart rect')).toHaveLength(4)
    expect(opened.page('svg.chart').first().attr('aria-label')).toContain('EUR')
  })

  test('are those of the rows that the filters of the page find', async () => {
    const found = sumsIn(await days(`&account=/bank-accounts/${account.id}&transactionOn[after]=2026-02-01`))
    expect(found.EUR).toEqual([['3 Feb 2026', '1', '-€10.00', '-€10.00']])
    expect(Object.keys(sumsIn(await days('&currency=USD')))).toEqual(['USD'])
  })

  test('lead from each period to its rows', async () => {
    const opened = await months('&transactionOn[after]=2026-02-02')
    const table = await open(opened.page('section.picture tbody a').first().attr('href') as string)
    expect(textOf(table.page, '.total')).toBe('1 in total')
    expect(table.page('tbody td').text()).toContain('-€10.00')
  })

  test('are shown to a member too, and have the words of the language', async () => {
    const opened = await days('&lang=nl', member)
    expect(texts(opened, '.switch a')).toEqual(['Tabel', 'Dagen', 'Maanden'])
    expect(sumsIn(opened).USD).toEqual([['3 feb 2026', '1', 'US$ 7,00', 'US$ 7,00']])
  })
})

describe('A view', () => {
  test('that a page does not have is refused with a sentence', async () => {
    const { status, page } = await open('/meetings?view=months')
    expect([status, textOf(page, '.reason')]).toEqual([
      400,
      'This page has no view "months": it has week, filters, source.',
    ])
    for (const path of [`/employees/${mia.id}?view=week`, '/employees?view=<b>', '/?view=days'])
      expect((await open(path)).status).toBe(400)
  })

  test('is offered where the class, the filters and the role allow it alone', async () => {
    expect(texts(await open('/employees'), '.switch a')).toEqual([])
    expect(texts(await open('/bank-accounts'), '.switch a')).toEqual([])
    expect(texts(await open('/meetings'), '.switch a')).toEqual(['Table', 'Week'])
    expect(texts(await open('/invoices'), '.switch a')).toEqual(['Table', 'Days', 'Months'])
    expect((await open('/invoices?view=months', member)).status).toBe(403)
  })
})
