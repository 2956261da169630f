import { Employee, Location, Meeting } from '../../entities/index.ts'
import { openWorld } from '../support/world.ts'
import { open, textOf } from './browser.ts'

const { api, given, tenant } = await openWorld()
const { member } = tenant.users

const location = await given(Location, { name: 'Breda' })
const mia = await given(Employee, { name: 'Mia', location, active: false })
const noor = await given(Employee, { name: 'Noor', jobTitle: 'Monteur' })
for (let day = 1; day <= 5; day++) {
  const date = `2026-03-0${day}`
  await given(Meeting, {
    ...{ employee: day < 4 ? mia : noor, notes: `Visit ${day}` },
    ...{ dateFrom: new Date(`${date}T08:00:00Z`), dateTo: new Date(`${date}T09:00:00Z`) },
  })
}

type Opened = Awaited<ReturnType<typeof open>>

const headings = ({ page }: Opened) =>
  page('thead th')
    .map((_, cell) => page(cell).find('.term > a').text())
    .get()

/** The texts of one column, from the top. */
function column(opened: Opened, label: string): string[] {
  const { page } = opened
  const index = headings(opened).indexOf(label)
  return page('tbody tr')
    .map((_, row) => page(row).children().eq(index).text())
    .get()
}

/** Sends a form as a browser does: the values that stand in it, and those that the reader changes. */
function send({ page }: Opened, form: string, changes: Record<string, string[]>): Promise<Opened> {
  const found = page(form)
  const given = found.serializeArray().filter(({ name }) => !(name in changes))
  const changed = Object.entries(changes).flatMap(([name, values]) => values.map((value) => ({ name, value })))
  for (const { name } of changed) expect(found.find(`[name="${name}"]`).length).toBeGreaterThan(0)
  const query = new URLSearchParams([...given, ...changed].map(({ name, value }) => [name, value] as [string, string]))
  return open(`${found.attr('action')}?${query}`)
}

describe('A collection', () => {
  test('is a table, with a row for each member that leads to it', async () => {
    const opened = await open('/meetings?order[dateFrom]=asc')
    expect(textOf(opened.page, 'h1')).toBe('Meetings')
    expect(textOf(opened.page, '.total')).toBe('5 in total')
    expect(headings(opened)).toEqual(['From', 'Employee', 'To', 'Notes', 'Time'])
    expect(column(opened, 'Employee')).toEqual(['Mia', 'Mia', 'Mia', 'Noor', 'Noor'])
    const row = opened.page('tbody tr').first().find('th a')
    expect((await api.get(row.attr('href') as string)).body.notes).toBe('Visit 1')
  })

  test('has its filters in one order: from, to, and whether there is a value', async () => {
    const { page } = await open('/meetings?view=filters')
    const inputs = page('.filters [name*="time"]').map((_, input) => page(input).attr('name'))
    expect(inputs.get()).toEqual(['time[after]', 'time[before]', 'exists[time]', 'exists[time]'])
  })

  test('says who adds its rows, where no caller can', async () => {
    const said = async (path: string) => textOf((await open(path)).page, '.empty')
    expect(await said('/bank-transactions')).toContain('The server adds them by itself')
    expect(await said('/organization-addresses')).toContain('The next step is at the end of this page')
  })

  test('is ordered by a click on a heading, and by a second click the other way round', async () => {
    const orderBy = ({ page }: Opened) =>
      open(
        page('thead th .term > a')
          .filter((_, found) => page(found).text() === 'From')
          .attr('href') as string,
      )
    const ascending = await orderBy(await open('/meetings?itemsPerPage=4&page=2'))
    expect(column(ascending, 'Notes')).toEqual(['Visit 1', 'Visit 2', 'Visit 3', 'Visit 4'])
    expect(ascending.page('th[aria-sort="ascending"]').text()).toContain('From')
    const descending = await orderBy(ascending)
    expect(column(descending, 'Notes')).toEqual(['Visit 5', 'Visit 4', 'Visit 3', 'Visit 2'])
    expect(descending.page('th[aria-sort]')).toHaveLength(1)
  })

  test('has the pages that its view links to', async () => {
    const first = await open('/meetings?itemsPerPage=2&order[dateFrom]=asc')
    const next = await open(first.page('nav.pager a[rel="next"]').attr('href') as string)
    expect(column(next, 'Notes')).toEqual(['Visit 3', 'Visit 4'])
    const last = await open(next.page('nav.pager a[rel="last"]').attr('href') as string)
    expect(column(last, 'Notes')).toEqual(['Visit 5'])
    expect(last.page('nav.pager a[rel="next"]')).toHaveLength(0)
  })

  test('shows the columns that the reader chooses, and the address keeps them', async () => {
    const opened = await open('/meetings?order[dateFrom]=asc')
    const chosen = await send(opened, '.tools form:not(.filters)', { 'properties[]': ['notes', 'dateTo'] })
    expect(headings(chosen)).toEqual(['From', 'To', 'Notes'])
    expect(column(chosen, 'Notes')[0]).toBe('Visit 1')
    expect(chosen.page('input[name="properties[]"][checked]')).toHaveLength(3)
  })

  test('names its rows also where the name is no chosen column', async () => {
    const opened = await open('/employees?properties[]=jobTitle&order[name]=asc')
    expect(column(opened, 'Name').slice(-2)).toEqual(['Mia', 'Noor'])
    const document = JSON.parse(opened.page('script[type="application/ld+json"]').text())
    expect(Object.keys(document.member[0])).toEqual(['@id', '@type', 'jobTitle'])
  })

  test('has a link to its rows in CSV, without the limits of the page', async () => {
    const opened = await open(`/meetings?itemsPerPage=1&employee=/employees/${mia.id}&lang=en`)
    const { text } = await api.get(opened.page('.formats a[type="text/csv"]').attr('href') as string)
    expect(text.match(/Visit \d/g)).toEqual(['Visit 1', 'Visit 2', 'Visit 3'])
  })

  test('that is empty says so, and names the next step', async () => {
    const owner = await open('/organization-addresses')
    expect(textOf(owner.page, '.empty')).toContain('“Create an organization address”')
    expect(owner.page('#actions ~ .action .button').text()).toContain('Create an organization address')
    const other = await open('/organization-addresses', member)
    expect(textOf(other.page, '.empty')).toContain('admin or owner')
    const filtered = await open('/meetings?q=nowhere')
    const clear = filtered.page('.empty a')
    expect(clear.text()).toBe('Clear all filters')
    expect((await open(clear.attr('href') as string)).page('tbody tr')).toHaveLength(5)
    const beyond = await open('/meetings?page=9')
    expect((await open(beyond.page('.empty a').attr('href') as string)).page('tbody tr')).toHaveLength(5)
  })
})

describe('The filters of a collection', () => {
  const filters = async (path: string) => {
    const opened = await open(path)
    const link = opened.page('.tools > a').filter((_, found) => opened.page(found).text() === 'Filter')
    return open(link.attr('href') as string)
  }

  test.each<[name: string, changes: Record<string, string[]>, found: string[]]>([
    ['a reference', { employee: [`/employees/${noor.id}`] }, ['Visit 4', 'Visit 5']],
    [
      'a day and an hour in the time zone of the organization',
      { 'dateFrom[after]': ['2026-03-04T09:00'] },
      ['Visit 4', 'Visit 5'],
    ],
    [
      'both ends of a period',
      { 'dateFrom[after]': ['2026-03-02T00:00'], 'dateFrom[before]': ['2026-03-03T23:59'] },
      ['Visit 2', 'Visit 3'],
    ],
    ['a text', { notes: ['visit 2'] }, ['Visit 2']],
    ['a search', { q: ['visit'] }, ['Visit 1', 'Visit 2', 'Visit 3', 'Visit 4', 'Visit 5']],
    [
      'a property that is empty',
      { 'exists[time]': ['false'] },
      ['Visit 1', 'Visit 2', 'Visit 3', 'Visit 4', 'Visit 5'],
    ],
    ['a property that is filled in', { 'exists[time]': ['true'] }, []],
  ])('find rows by %s', async (_, changes, found) => {
    const opened = await send(await filters('/meetings?order[dateFrom]=asc'), 'form.filters', changes)
    expect(column(opened, 'Notes')).toEqual(found)
    // The form keeps what was asked.
    for (const [name, [value]] of Object.entries(changes)) {
      const kept = opened
        .page('form.filters')
        .serializeArray()
        .find((field) => field.name === name)
      expect([name, kept?.value]).toEqual([name, value])
    }
  })

  test('offer the items of a reference by name, the values of an enumeration, and yes and no', async () => {
    const meetings = await filters('/meetings')
    const options = meetings.page('select[name="employee"] option').map((_, { attribs }) => attribs.value)
    expect(options.get()).toEqual(expect.arrayContaining(['', `/employees/${mia.id}`, `/employees/${noor.id}`]))
    expect(meetings.page('select[name="employee"]').text()).toContain('Noor')
    const employees = await filters('/employees')
    expect(employees.page('select[name="active"]').text()).toBe('anyYesNo')
    const idle = await send(employees, 'form.filters', { active: ['false'] })
    expect(column(idle, 'Name')).toEqual(['Mia'])
    const roles = await filters('/organization-users')
    expect(
      roles
        .page('select[name="role"] option')
        .map((_, { attribs }) => attribs.value)
        .get(),
    ).toContain('admin')
  })

  test('have a field for everything that the search of the collection names', async () => {
    for (const path of ['/meetings', '/employees', '/locations', '/bank-transactions', '/invoices', '/organizations']) {
      const { page } = await open(`${path}?view=filters`)
      const { mapping } = (await api.get(path)).body.search
      const names = (mapping as { variable: string }[]).map(({ variable }) => decodeURIComponent(variable))
      const hidden = /^(order\[|properties|page|itemsPerPage|id$)|\[\]$|\[(strictly_\w+|gt|lt|between)\]$/
      const missing = names.filter((name) => !hidden.test(name) && page(`form.filters [name="${name}"]`).length === 0)
      expect({ path, missing }).toEqual({ path, missing: [] })
    }
  })

  test('keep order, columns, language and page size', async () => {
    const query = 'order%5BdateFrom%5D=desc&properties%5B%5D=notes&itemsPerPage=3&lang=en'
    const opened = await send(await filters(`/meetings?${query}`), 'form.filters', { q: ['visit'] })
    expect(column(opened, 'Notes')).toEqual(['Visit 5', 'Visit 4', 'Visit 3'])
    expect(headings(opened)).toEqual(['From', 'Notes'])
  })

  test('that the address repeats stay a choice of several', async () => {
    const { page } = await open(`/meetings?employee[]=/employees/${mia.id}&employee[]=/employees/${noor.id}`)
    expect(page('select[name="employee[]"][multiple] option[selected]')).toHaveLength(2)
  })
})
