import { type CheerioAPI, load } from 'cheerio'
import { reference } from '../documentation/reference.ts'
import { classes, docs, type Operation, operations, propertiesOf, schemas } from '../support/docs.ts'
import { rowsOf } from '../support/rows/sample-rows.ts'
import { openWorld } from '../support/world.ts'

const { api, as, publicUrl, tenant } = await openWorld()

const rows: Record<string, { id: string }> = await rowsOf(tenant)
const paths: Record<string, string> = { Meeting: '/meetings', Organization: '/organizations', Invoice: '/invoices' }

const browser = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8'
const read = (path: string, language: string) => as().get(path).set('Accept', browser).set('Accept-Language', language)
const dutch = await read('/docs/reference', 'nl-NL,nl;q=0.9,en;q=0.8')
const english = await read('/docs/reference', 'en')
const [nl, en] = [load(dutch.text), load(english.text)]

interface Texts {
  labels: Record<string, string>
  comments: Record<string, string>
}

/** The elements of each page by their identifiers. */
const elements = new Map(
  [nl, en].map((page) => [
    page,
    new Map(
      page('[id]')
        .get()
        .map((one) => [one.attribs.id, one]),
    ),
  ]),
)

/** The element with an identifier, without a search through the page. */
const at = (page: CheerioAPI, id: string) => page([elements.get(page)?.get(id)].flatMap((found) => found ?? []))

/** The rows of the first table below a heading of a class: their cells, without further details. */
function rowsBelow(page: CheerioAPI, name: string, heading: string): string[][] {
  const section = at(page, name).parent()
  const title = section.find('h4').filter((_, found) => page(found).text() === heading)
  return title
    .nextAll('section')
    .first()
    .find('tbody tr')
    .map((_, row) => [
      page(row)
        .find('td')
        .map((_, cell) => page(cell).contents().not('.note, details').text().trim())
        .get(),
    ])
    .get() as unknown as string[][]
}

describe('In Dutch the reference has', () => {
  test('the chapter, its sentence and the names of the API reference', () => {
    expect(nl('html').attr('lang')).toBe('nl')
    expect(nl('h1').text()).toBe('API-referentie')
    const chapter = nl('#chapter-1')
    expect(chapter.text()).toBe('Organisatie & configuratie')
    expect(chapter.next('p').text()).toBe(
      'Organisatie, locaties, integraties en abonnement — configureer uw werkruimte.',
    )
    const names = chapter.parent().find('h3')
    expect(names.map((_, name) => nl(name).text()).get()).toEqual([
      ...['Organisatie', 'Locatie', 'Land', 'Taal', 'Integratie', 'Vergadering', 'Abonnement'],
    ])
  })

  test.each(reference)('the endpoints of $name, in the order of the API reference and to the letter', (section) => {
    const rows = rowsBelow(nl, section.name, 'Endpoints').map((cells) => cells.slice(0, 3))
    const expected = section.endpoints.map(({ method, path, sentence }) => [method, path, sentence])
    expect(rows.filter((row) => expected.some((other) => other.join() === row.join()))).toEqual(expected)
  })

  test.each(reference.filter(({ fields }) => fields.length > 0))(
    'the fields of $name in its order, each with its type, and a star where the API reference has one',
    ({ name, fields }) => {
      const rows = rowsBelow(nl, name, 'Schema-velden')
      for (const [index, field] of fields.entries()) {
        const [title, type, description] = rows[index]
        expect([field.name, `${field.name}*`]).toContain(title)
        if (field.required) expect(title).toBe(`${field.name}*`)
        const format = field.format ? ` (${field.format})` : ''
        const isNullable = field.nullable || `${name}.${field.name}` === 'Subscription.organizationAddress'
        expect([field.name, type]).toEqual([field.name, `${field.type}${isNullable ? ',null' : ''}${format}`])
        expect(description).toMatch(/\p{L}+.*\. \p{Lu}.+/u)
      }
    },
  )
})

describe.each([
  ['Dutch', nl, 'Schema-velden', 'nl'],
  ['English', en, 'Schema fields', 'en'],
] as const)('In %s the reference has', (_, page, heading, tag) => {
  test('every class, every operation with its roles, and every field with a label and a description', () => {
    const ids = new Set(elements.get(page)?.keys())
    for (const name of Object.keys(schemas)) {
      expect(ids).toContain(name)
      for (const { title } of propertiesOf(name)) expect(ids).toContain(`${name}/${title}`)
      for (const [, , description] of rowsBelow(page, name, heading)) expect(description).toMatch(/^\p{L}.*\. \p{Lu}/u)
    }
    const all = [...operations, ...docs.seeAlso[0].operation] as (Operation & { roles?: string[] })[]
    for (const { '@id': id, method, roles = ['anonymous'], possibleStatus } of all) {
      const cells = at(page, id.slice(1)).children('td')
      const [by, statuses] = [cells.eq(3).text(), cells.eq(4).text()]
      expect([id, cells.eq(0).text()]).toEqual([id, method])
      expect([id, statuses]).toEqual([id, possibleStatus.map(({ statusCode }) => statusCode).join(', ')])
      const named = roles.filter((role) => !['anonymous', 'guest'].includes(role))
      expect([id, by]).toEqual([
        id,
        roles.includes('anonymous') ? expect.any(String) : expect.stringContaining(named.join(', ')),
      ])
    }
  })

  test.each(['Entrypoint', 'Error', 'ConstraintViolation', 'Violation', 'Change'])(
    'the class %s, with the label and the description of each property in that language',
    (name) => {
      const { labels, comments } = classes.get(name) as unknown as Texts
      expect(at(page, name).text()).toBe(labels[tag])
      expect(at(page, name).next('p').text()).toBe(comments[tag])
      for (const property of propertiesOf(name).filter(() => name !== 'Entrypoint')) {
        const row = at(page, name)
          .parent()
          .find('tbody tr')
          .filter((_, tr) => page(tr).find('code').first().text() === property.title)
        const { labels, comments } = property as unknown as Texts
        expect(row.find('td').last().text()).toContain(`${labels[tag]}. ${comments[tag]}`)
      }
      for (const { title, property } of propertiesOf(name).filter(() => name === 'Entrypoint')) {
        const cells = at(page, `Entrypoint/${title}`).find('td')
        expect(cells.eq(1).text()).toContain(property.supportedOperation?.[0].method)
        expect(cells.eq(2).text()).toMatch(/\p{L}+.*\. \p{Lu}.+/u)
      }
    },
  )

  test('one element for each identifier, and no link without a target', () => {
    const ids = page('[id]').map((_, { attribs }) => attribs.id)
    expect(new Set(ids).size).toBe(ids.length)
    const fragments = page('a[href^="#"]').map((_, { attribs }) => attribs.href.slice(1))
    expect(fragments.length).toBeGreaterThan(200)
    expect(fragments.get().filter((id) => !ids.get().includes(id))).toEqual([])
  })

  test('a class diagram with a link for each resource, and the same as text', () => {
    const resources = propertiesOf('Entrypoint').length
    const links = page('svg.diagram a').map((_, { attribs }) => attribs.href)
    expect(new Set(links).size).toBeGreaterThan(resources)
    expect(links.get()).toEqual(
      expect.arrayContaining(['#Meeting', '#Meeting/employee', '#Organization/subscriptions']),
    )
    expect(page('svg.diagram').attr('aria-label')).toBe(page('#diagram').text())
    const texts = page('#diagram').parent().find('details li')
    const meeting = texts.filter((_, item) => page(item).find('a').first().attr('href') === '#Meeting')
    expect(meeting.find('a').last().attr('href')).toBe('#Employee')
  })

  test('no inline style and no script', () => {
    expect(page('style, [style], script')).toHaveLength(0)
  })
})

test.each(['Meeting', 'Organization', 'Invoice'])(
  'each property on the page of a %s leads to its definition, in the language of the page',
  async (name) => {
    const { text } = await api.get(`${paths[name]}/${rows[name].id}?lang=nl`).set('Accept', browser)
    const page = load(text)
    const hrefs = page('.properties .term > a').map((_, { attribs }) => attribs.href)
    expect(hrefs.length).toBeGreaterThan(3)
    for (const href of hrefs) {
      const [address, id] = href.split('#')
      expect(address).toBe('/docs/reference?lang=nl')
      expect([id, nl(`[id="${id}"]`).length]).toEqual([id, 1])
    }
  },
)

test('permissions and statuses are those of the documentation', () => {
  const [, , , roles, statuses] = rowsBelow(en, 'Meeting', 'Endpoints')[1]
  expect(roles).toBe('member, admin, owner')
  const { possibleStatus } = docs.supportedClass
    .find(({ title }: { title: string }) => title === 'Entrypoint')
    .supportedProperty.find(({ title }: { title: string }) => title === 'meeting')
    .property.supportedOperation.find(({ method }: { method: string }) => method === 'POST')
  const documented = possibleStatus.map(({ statusCode }: { statusCode: number }) => statusCode)
  expect(statuses).toBe(documented.join(', '))
  expect(rowsBelow(en, 'Country', 'Endpoints')[0][3]).toBe('no token needed')
})

test('filters are those of the collection', async () => {
  const names = rowsBelow(nl, 'Meeting', 'Filters').map(([name]) => name)
  const { mapping } = (await api.get('/meetings')).body.search
  const variables = mapping.map(({ variable }: { variable: string }) => variable)
  expect(names.filter((name) => !variables.includes(name))).toEqual([])
  expect(rowsBelow(nl, 'Meeting', 'Filters')).toContainEqual(['dateFrom[after]', 'Van is op dit tijdstip of later.'])
  expect(rowsBelow(en, 'Employee', 'Filters')).toContainEqual([
    'name',
    'Name contains this text, in any case. name[] takes several texts.',
  ])
})

test('each resource has an example from the demo with the members of a real document, and nothing of any caller', async () => {
  for (const { title } of propertiesOf('Entrypoint')) {
    const name = title[0].toUpperCase() + title.slice(1)
    const example = JSON.parse(en(`section[aria-labelledby="${name}"] pre`).text())
    expect([example['@context'], example['@type']]).toEqual([`/contexts/${name}`, name])
    const fields = propertiesOf(name).filter(({ property }) => !property.supportedOperation)
    expect(Object.keys(example)).toEqual(expect.arrayContaining(fields.map((field) => field.title)))
  }
  const ids = Object.values(rows).flatMap(({ id }) => (/^[\da-f-]{36}$/.test(id) ? [id] : []))
  expect(ids.length).toBeGreaterThan(10)
  expect(ids.filter((id) => english.text.includes(id))).toEqual([])
  const meeting = JSON.parse(en('section[aria-labelledby="Meeting"] pre').text())
  expect(meeting).toMatchObject({ dateFrom: '2026-01-05T08:00:00Z', notes: 'Onderhoud cv-ketel' })
})

describe('The page', () => {
  test('is public, the same for every caller, and kept by browsers under the policy of all pages', async () => {
    expect(dutch.status).toBe(200)
    expect(dutch.headers['content-type']).toBe('text/html; charset=utf-8')
    expect(dutch.headers['cache-control']).toBe('public, max-age=3600')
    expect(dutch.headers['content-security-policy']).toMatch(
      /^default-src 'none'; script-src 'self'; style-src 'self';/,
    )
    expect(dutch.headers.vary).toMatch(/Accept-Language/)
    expect((await api.get('/docs/reference').set('Accept-Language', 'nl')).text).toBe(dutch.text)
    const again = await read('/docs/reference', 'nl').set('If-None-Match', dutch.headers.etag)
    expect(again.status).toBe(304)
    expect((await as().post('/docs/reference', {})).status).toBe(405)
  })

  test('has a switch of its language, which its address and its links keep', async () => {
    expect(en('footer a[hreflang="nl"]').attr('href')).toBe('/docs/reference?lang=nl')
    const chosen = load((await read('/docs/reference?lang=nl', 'en')).text)
    expect(chosen('h1').text()).toBe('API-referentie')
    expect(chosen('header .brand').attr('href')).toBe('/?lang=nl')
    expect(chosen('#Status\\/404 a').attr('href')).toBe('/errors/404?lang=nl')
  })
})

test('a browser that opens a term of the vocabulary gets the reference, where the fragment of the address is', async () => {
  const { status, headers } = await read('/docs.jsonld?lang=nl', 'en')
  expect([status, headers.location]).toEqual([303, '/docs/reference?lang=nl'])
  expect(headers.vary).toMatch(/Accept\b/)
  for (const accept of ['*/*', 'application/ld+json', 'application/ld+json, text/html;q=0.5']) {
    const { text } = await as().get('/docs.jsonld').set('Accept', accept).buffer()
    expect(JSON.parse(text)['@id']).toBe('/docs.jsonld')
  }
  expect(propertiesOf('Meeting').every(({ title }) => nl(`[id="Meeting/${title}"]`).length === 1)).toBe(true)
  expect(publicUrl).toMatch(/^http/)
})
