const { api, as, elsewhere, given, publicUrl } = await openWorld()

// The same mistake could be wherever a client sends an id: path, reference in any form of body, filter, setting.
import { Employee, Location, Meeting } from '../../entities/index.ts'
import { openWorld } from '../support/world.ts'

const ada = await given(Employee, { name: 'Ada' })
const meeting = await given(Meeting, {
  employee: ada,
  dateFrom: new Date('2026-04-01T08:00:00Z'),
  dateTo: new Date('2026-04-01T10:00:00Z'),
})
const upper = (id: string) => id.toUpperCase()
const address = { kind: 'visiting', name: 'Acme', street: 'Damrak', city: 'Gent' }
const window = { dateFrom: '2026-04-01T08:00:00Z', dateTo: '2026-04-01T10:00:00Z' }

const values: [string, (country: string) => unknown][] = [
  ['a path', (country) => country],
  ['an absolute URL', (country) => publicUrl + country],
  ['a node', (country) => ({ '@id': country })],
]

// ISO 3166-1 §5.2: country codes have upper-case letters; a code in another case means the same country.
test.each(values)(
  'a country reference as %s is accepted in either case and returned in canonical form',
  async (_, form) => {
    for (const country of ['/countries/be', '/countries/Be', '/countries/BE']) {
      const { status, body } = await api.post('/organization-addresses', { ...address, country: form(country) })
      expect([status, body.country]).toEqual([201, '/countries/BE'])
      const patched = await api.patch(body['@id'], { country: form('/countries/nl') })
      expect(patched.body.country).toBe('/countries/NL')
    }
    expect((await api.post('/organization-addresses', { ...address, country: '/countries/xx' })).status).toBe(422)
  },
)

test('a country in Turtle, expanded JSON-LD or plain JSON is accepted in either case', async () => {
  const turtle = `@prefix s: <https://schema.org/> . @prefix v: <${publicUrl}/docs.jsonld#> .
    [] a v:OrganizationAddress ; v:OrganizationAddress\\/kind "visiting" ; s:name "Acme" ; s:streetAddress "Damrak" ;
       s:addressLocality "Gent" ; s:addressCountry <${publicUrl}/countries/be> .`
  const read = await api.post('/organization-addresses').set('Content-Type', 'text/turtle').send(turtle)
  expect([read.status, read.body.country]).toEqual([201, '/countries/BE'])
  const plain = await api
    .post('/organization-addresses')
    .set('Content-Type', 'application/json')
    .send(JSON.stringify({ ...address, country: '/countries/be' }))
  expect([plain.status, plain.body.country]).toEqual([201, '/countries/BE'])
})

test.each([
  'country=/countries/be',
  'country=be',
  'country=BE',
  `country[]=${publicUrl}/countries/be&country[]=/countries/lu`,
])('the filter %s finds addresses in that country', async (query) => {
  await api.post('/organization-addresses', { ...address, country: '/countries/BE' })
  const { status, body } = await api.get(`/organization-addresses?${query}`)
  expect([status, body.totalItems > 0]).toEqual([200, true])
  for (const { country } of body.member) expect(country).toBe('/countries/BE')
})

test('every resource finds items by their ids in either case', async () => {
  const found = async (path: string) => (await api.get(path)).body.member.map((node: { '@id': string }) => node['@id'])
  expect(await found('/countries?id[]=/countries/be')).toEqual(['/countries/BE'])
  expect(await found('/languages?id[]=/languages/NL')).toEqual(['/languages/nl'])
  expect(await found(`/meetings?id[]=/meetings/${upper(meeting.id)}`)).toEqual([`/meetings/${meeting.id}`])
  expect(await found(`/meetings?id=${upper(meeting.id)}`)).toEqual([`/meetings/${meeting.id}`])
  expect(await found(`/meetings?employee=/employees/${upper(ada.id)}`)).toEqual([`/meetings/${meeting.id}`])
})

// RFC 9562 §4: UUIDs are written in lower case and accepted in either.
test('a UUID in upper case is the same reference, and its path redirects to the item', async () => {
  const created = await api.post('/meetings', { employee: `/employees/${upper(ada.id)}`, ...window })
  expect([created.status, created.body.employee]).toEqual([201, `/employees/${ada.id}`])

  const canonical = `/meetings/${meeting.id}`
  const other = `/meetings/${upper(meeting.id)}`
  const { status, headers } = await api.get(`${other}?properties[]=notes`).redirects(0)
  expect([status, headers.location]).toEqual([301, `${canonical}?properties[]=notes`])
  expect((await api.get(other).redirects(1)).body['@id']).toBe(canonical)
  // RFC 9110 §15.4.9: 308 keeps the method.
  const patched = await api.patch(other, { notes: 'x' }).redirects(0)
  expect([patched.status, patched.headers.location]).toEqual([308, canonical])
  const action = await api.post(`/subscriptions/${upper(meeting.id)}/cancel`, {}).redirects(0)
  expect(action.status).toBe(404)
})

test('an item of another organization is not found in either case', async () => {
  const { id } = await given(Location, { name: 'Far', organizationId: elsewhere.organization.id })
  for (const one of [id, upper(id)]) {
    expect((await api.get(`/locations/${one}`).redirects(0)).status).toBe(404)
    expect((await api.post('/employees', { name: 'Eve', location: `/locations/${one}` })).status).toBe(422)
  }
})

// BCP 47 §2.1.1: tags are not case-sensitive.
test.each(['language', 'legalLanguage'])(
  'the setting %s accepts a language tag in any case and stores its canonical form',
  async (key) => {
    const { body } = await api.get(`/organization-configs?key=${key}`)
    const iri = body.member[0]['@id']
    for (const [value, canonical] of [
      ['nl-be', 'nl-BE'],
      ['NL', 'nl'],
      ['sr-latn-rs', 'sr-Latn-RS'],
      ['deu', 'de'],
    ]) {
      const patched = await api.patch(iri, { value })
      expect([patched.status, patched.body.value]).toEqual([200, canonical])
    }
    expect((await api.get('/languages/NL').redirects(0)).headers.location).toBe('/languages/nl')
  },
)

test('a format suffix is not part of an id', async () => {
  expect((await as().get('/countries/be.jsonld').redirects(0)).headers.location).toBe('/countries/BE')
})
