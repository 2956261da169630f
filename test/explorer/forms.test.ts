import { load } from 'cheerio'
import sharp from 'sharp'
import { Employee, Location, Meeting } from '../../entities/index.ts'
import { Browser } from '../support/browser.ts'
import { morning, openWorld } from '../support/world.ts'

const { api, database, given, givenAddress, organization, server, tenant, tokenOf } = await openWorld()

/** A browser of a person who has signed in. */
async function browserOf(role: keyof typeof tenant.users): Promise<Browser> {
  const browser = new Browser(server)
  await browser.signIn(await tokenOf(tenant.users[role]))
  return browser
}

const browser = await browserOf('owner')

/** The fields of the form of a page as the browser would send them, and where it sends them. */
async function formAt(
  path: string,
  by = browser,
): Promise<{ action: string; fields: [string, string][]; text: string }> {
  const { text } = await by.open(path).expect(200)
  return fieldsOf(text)
}

function fieldsOf(text: string) {
  const $ = load(text)
  const form = $('form.operation')
  return {
    action: form.attr('action') as string,
    fields: form.serializeArray().map(({ name, value }): [string, string] => [name, value]),
    text,
  }
}

/** Changes fields of a form. */
const fill = (fields: [string, string][], changes: Record<string, string>) => [
  ...fields.filter(([name]) => !(name in changes)),
  ...Object.entries(changes),
]

const send = (action: string, fields: [string, string][], by = browser) => by.submit(action, fields)

test('a form creates an item by the very same operation, and leads to its page', async () => {
  const { action, fields } = await formAt('/locations?view=create')
  const { status, headers } = await send(
    action,
    fill(fields, { name: 'Almere', officeOpenHour: '8', officeCloseHour: '18' }),
  )
  expect(status).toBe(303)
  const { body } = await api.get(headers.location)
  expect(body).toMatchObject({ name: 'Almere', officeOpenHour: 8, officeCloseHour: 18 })
})

test('a form that is sent twice creates one item', async () => {
  const { action, fields } = await formAt('/locations?view=create')
  const filled = fill(fields, { name: 'Twice' })
  const [one, other] = [await send(action, filled), await send(action, filled)]
  expect([one.status, other.status]).toEqual([303, 303])
  expect(other.headers.location).toBe(one.headers.location)
  expect(await database.manager.countBy(Location, { name: 'Twice' })).toBe(1)
})

test('a refused form keeps what was typed, names each violation at its field, and can be sent again', async () => {
  const { action, fields } = await formAt('/locations?view=create')
  const refused = await send(action, fill(fields, { name: 'Zwolle', officeOpenHour: '30', officeCloseHour: '18' }))
  expect(refused.status).toBe(422)
  const $ = load(refused.text)
  expect($('[name=name]').val()).toBe('Zwolle')
  const described = $('[name=officeOpenHour]').attr('aria-describedby')?.split(' ') ?? []
  expect(described.map((id) => $(`#${id}`).text()).join(' ')).toContain('officeOpenHour must not be greater than 23')
  expect($('[name=officeOpenHour]').attr('aria-invalid')).toBe('true')
  expect($('[role=alert] a[href="#field-officeOpenHour"]')).toHaveLength(1)
  const again = fieldsOf(refused.text)
  expect((await send(again.action, fill(again.fields, { officeOpenHour: '8' }))).status).toBe(303)
})

test('an edit sends If-Match, and a conflict shows both versions', async () => {
  const { id } = await given(Location, { name: 'Breda' })
  const path = `/locations/${id}`
  const { action, fields } = await formAt(`${path}?view=update`)
  expect((await api.patch(path, { name: 'Breda Noord' })).status).toBe(200)
  const conflict = await send(action, fill(fields, { name: 'Breda Zuid' }))
  expect(conflict.status).toBe(412)
  const $ = load(conflict.text)
  expect(
    $('[role=alert] tbody td')
      .map((_, cell) => $(cell).text())
      .get(),
  ).toEqual(['Breda Zuid', 'Breda Noord'])
  const again = fieldsOf(conflict.text)
  expect((await send(again.action, again.fields)).status).toBe(303)
  expect((await api.get(path)).body.name).toBe('Breda Zuid')
})

test('the comparison of both versions is in the language of the page, with titles of items and times of the organization', async () => {
  const [ada, noor] = [await given(Employee, { name: 'Ada' }), await given(Employee, { name: 'Noor' })]
  const { id } = await given(Meeting, { ...morning, employee: ada })
  const { action, fields } = await formAt(`/meetings/${id}?view=update&lang=nl`)
  await api.patch(`/meetings/${id}`, { employee: `/employees/${noor.id}` })
  const conflict = await send(action, fill(fields, { dateTo: '2026-04-01T13:30' }))
  expect(conflict.status).toBe(412)
  const $ = load(conflict.text)
  const row = (_: number, one: object) =>
    $(one as never)
      .children()
      .map((_, cell) => $(cell).text())
      .get()
      .join(' | ')
  expect($('[role=alert] tbody tr').map(row).get()).toEqual([
    'Medewerker | Ada | Noor',
    'Tot | 1 apr 2026, 13:30 | 1 apr 2026, 12:00',
  ])
})

test('a form of a session that has ended leads to the sign-in, and from there to a page that exists', async () => {
  const path = '/subscriptions/019b8a6c-4000-7000-8000-000000000001'
  for (const [action, back] of [
    [`${path}/cancel?lang=nl`, `${path}?lang=nl`],
    ['/organizations/clear', '/organizations'],
    ['/employees', '/employees'],
  ]) {
    const { status, text } = await new Browser(server).submit(action, { _token: 'gone' })
    const href = load(text)('main a.button').first().attr('href') as string
    expect([status, new URL(href, 'http://x').searchParams.get('return')]).toEqual([401, back])
  }
})

test('times are in the time zone of the organization, and an unchanged time keeps its instant', async () => {
  const employee = await given(Employee, { name: 'Mia' })
  // 02:30 occurs twice on this night in Amsterdam.
  const dateFrom = new Date('2026-10-25T01:30:12.345Z')
  const { id } = await given(Meeting, { ...morning, dateFrom, dateTo: new Date('2026-10-25T09:00:00Z'), employee })
  const { action, fields, text } = await formAt(`/meetings/${id}?view=update`)
  expect(text).toContain('Europe/Amsterdam')
  expect(Object.fromEntries(fields)).toMatchObject({
    dateFrom: '2026-10-25T02:30',
    employee: `/employees/${employee.id}`,
  })
  expect((await send(action, fill(fields, { dateTo: '2026-10-25T11:00', employee: '' }))).status).toBe(303)
  expect((await api.get(`/meetings/${id}`)).body).toMatchObject({
    dateFrom: '2026-10-25T01:30:12.345Z',
    dateTo: '2026-10-25T10:00:00Z',
    employee: null,
  })
})

test('a required property that may be null can be sent empty', async () => {
  const { action, fields, text } = await formAt('/meetings?view=create')
  const $ = load(text)
  expect($('[name=dateFrom]').attr('required')).toBeDefined()
  expect($('[name=employee]').attr('required')).toBeUndefined()
  const times = { dateFrom: '2026-06-01T09:00', dateTo: '2026-06-01T10:00' }
  const { status, headers } = await send(action, fill(fields, { ...times, employee: '' }))
  expect(status).toBe(303)
  expect((await api.get(headers.location)).body.employee).toBeNull()
})

test('a reference to many items is searched for, without losing what was typed', async () => {
  for (let count = 0; count < 40; count++) await given(Employee, { name: `Worker ${String(count).padStart(2, '0')}` })
  const { action, fields } = await formAt('/meetings?view=create')
  const searched = await send(action, [
    ...fill(fields, { notes: 'Typed', '_find[employee]': 'worker 37' }),
    ['_search', 'employee'],
  ])
  expect(searched.status).toBe(200)
  const $ = load(searched.text)
  expect($('[name=notes]').val()).toBe('Typed')
  expect(
    $('select[name=employee] option')
      .map((_, option) => $(option).text())
      .get(),
  ).toEqual(['none', 'Worker 37'])
})

test('a filter by a reference to many items is searched for in the same way, and keeps its choice', async () => {
  const { text } = await browser.open('/meetings?view=filters').expect(200)
  expect(load(text)('.filters [name="_find[employee]"]')).toHaveLength(1)
  const found = load((await browser.open('/meetings?_find[employee]=worker+38').expect(200)).text)
  const options = found('.filters select[name=employee] option')
  expect(options.map((_, option) => found(option).text()).get()).toEqual(['any', 'Worker 38'])
  expect(found('.filters label[for=filter-employee]').text()).toBe('Employee')
  expect(found('.data a[type="application/ld+json"]').attr('href')).toBe('/meetings.jsonld')
  const chosen = options.last().val()
  const applied = load((await browser.open(`/meetings?employee=${chosen}&_find[employee]=worker+37`).expect(200)).text)
  expect(applied('.filters select[name=employee]').val()).toBe(chosen)
})

test('a form that is drawn again, and a filter, name a reference that is none of the first choices', async () => {
  const { id } = await given(Employee, { name: 'Worker 99' })
  const { action, fields } = await formAt('/meetings?view=create')
  const chosenIn = (text: string, form: string) => load(text)(`${form} select[name=employee] option[selected]`).text()
  const times = { dateFrom: '2026-05-04T10:00', dateTo: '2026-05-04T09:00' }
  const refused = await send(action, fill(fields, { ...times, employee: `/employees/${id}` }))
  expect([refused.status, chosenIn(refused.text, 'form.operation')]).toEqual([422, 'Worker 99'])
  const unknown = await send(action, fill(fields, { ...times, employee: '/employees/no-id' }))
  expect([unknown.status, chosenIn(unknown.text, 'form.operation')]).toEqual([422, 'Employee'])
  const { text } = await browser.open(`/meetings?employee=/employees/${id}`).expect(200)
  expect(chosenIn(text, 'form.filters')).toBe('Worker 99')
})

test('a look-up asks in the language of its page', async () => {
  const sourceAt = async (path: string) => load((await browser.open(path).expect(200)).text)('[source]').attr('source')
  expect(await sourceAt('/meetings?view=create&lang=nl')).toBe('/meetings?view=create&lang=nl')
  expect(await sourceAt('/meetings?view=filters&lang=nl')).toBe('/meetings?view=filters&itemsPerPage=1&lang=nl')
})

test('a refused form leads back to the page that offers it, and to the same form in another language', async () => {
  const path = `/organizations/${organization.id}`
  const address = `${path}?view=setupKontomatik.setup`
  const { action, fields } = await formAt(address)
  const refused = await send(action, fields)
  expect(refused.status).toBe(422)
  const $ = load(refused.text)
  expect($('form.operation .buttons a').attr('href')).toBe(path)
  const dutch = $('footer a[lang=nl]').attr('href') as string
  expect(dutch).toBe(`${address}&lang=nl`)
  expect((await formAt(dutch)).action).toBe(`${action}?lang=nl`)
  const forged = await send(action, fill(fields, { _page: '//evil.example/' }))
  expect(load(forged.text)('form.operation .buttons a').attr('href')).toBe('/integrations')
})

test('a box that is not ticked is false, and a new item has the defaults of its class', async () => {
  const { action, fields } = await formAt('/employees?view=create')
  expect(fields.filter(([name]) => name === 'active')).toEqual([
    ['active', 'false'],
    ['active', 'true'],
  ])
  const { headers } = await send(action, [
    ...fields.filter(([name]) => !['active', 'name'].includes(name)),
    ['name', 'Bram'],
    ['active', 'false'],
  ])
  expect((await api.get(headers.location)).body).toMatchObject({ name: 'Bram', active: false })
})

test('an item is removed after a confirmation, and the form leads to the collection', async () => {
  const { id } = await given(Location, { name: 'Removed' })
  const { text } = await browser.open(`/locations/${id}`).expect(200)
  expect(text).not.toContain('view=remove')
  const address = await givenAddress()
  const page = await formAt(`/organization-addresses/${address.id}?view=remove`)
  expect(load(page.text)('.confirmation input[required]')).toHaveLength(1)
  const { status, headers } = await send(page.action, page.fields)
  expect([status, headers.location]).toEqual([303, '/organization-addresses'])
  expect((await api.get(`/organization-addresses/${address.id}`)).status).toBe(404)
})

test('a list of objects is a group of fields for each object', async () => {
  await givenAddress()
  const { action, fields } = await formAt('/subscriptions?view=create')
  const changes = { seats: '5', 'metadata[0][name]': 'project', 'metadata[0][value]': 'X' }
  const { status, headers } = await send(action, fill(fields, changes))
  expect(status).toBe(303)
  const { body } = await api.get(headers.location)
  expect(body).toMatchObject({ seats: 5, metadata: [{ name: 'project', value: 'X' }] })
  const dutch = load((await formAt('/subscriptions?view=create&lang=nl')).text)
  expect(dutch('[name="metadata[0][value]"]').closest('label').text()).toBe('Waarde')
})

test('an uploaded logo is shown on the page of the organization', async () => {
  const path = `/organizations/${organization.id}`
  const { text } = await browser.open(path).expect(200)
  const link = load(text)('a.button')
    .filter((_, a) => /logo/.test(load(a).text()))
    .first()
    .attr('href') as string
  const { action, fields } = await formAt(link)
  const logo = await sharp({ create: { width: 8, height: 8, channels: 3, background: '#08f' } })
    .png()
    .toBuffer()
  const upload = browser.upload(action, fields, logo, 'logo.png')
  expect((await upload).status).toBe(303)
  expect((await api.get(path)).body.logo).toMatch(/^https?:|^\//)
})

test.each([
  [
    'without the form token',
    (fields: [string, string][]) => fields.filter(([name]) => name !== '_token'),
    'same-origin',
  ],
  [
    'with the token of another session',
    (fields: [string, string][]) => fill(fields, { _token: 'a'.repeat(86) }),
    'same-origin',
  ],
  ['from another site', (fields: [string, string][]) => fields, 'cross-site'],
])('a form %s changes nothing', async (_, change, site) => {
  const { action, fields } = await formAt('/locations?view=create')
  const filled = change(fill(fields, { name: 'Forged' }))
  expect((await browser.submit(action, filled, site)).status).toBe(403)
  expect(await database.manager.countBy(Location, { name: 'Forged' })).toBe(0)
})

test('an upload without the form token is refused, and stores nothing', async () => {
  const [{ count }] = await database.query('SELECT count(*)::int AS "count" FROM "image"')
  for (const fields of [[], [['_token', 'a'.repeat(86)]]] as [string, string][][]) {
    const upload = browser.upload('/organizations/logo', fields, Buffer.alloc(300_000), 'logo.png')
    expect((await upload).status).toBe(403)
  }
  expect(await database.query('SELECT count(*)::int AS "count" FROM "image"')).toEqual([{ count }])
})

test('a role sees only the forms of operations that it may use', async () => {
  const member = await browserOf('member')
  const { text } = await member.open('/locations?view=create').expect(200)
  expect(load(text)('form.operation')).toHaveLength(0)
})

test('markup in what was typed is shown as text', async () => {
  const { action, fields } = await formAt('/locations?view=create')
  const { text } = await send(action, fill(fields, { name: '"><script>alert(1)</script>', officeOpenHour: '99' }))
  expect(load(text)('script:not([type="application/ld+json"])').not('[src]')).toHaveLength(0)
})
