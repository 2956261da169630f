import { Employee, Meeting } from '../../entities/index.ts'
import { expectProblem } from '../support/requests/raw-responses.ts'
import { snapshot } from '../support/rows/database-snapshot.ts'
import { morning, openWorld } from '../support/world.ts'

const { api, elsewhere, given, publicUrl } = await openWorld()

const schema = 'https://schema.org/'
const vocabulary = `${publicUrl}/docs.jsonld#`
const xsd = 'http://www.w3.org/2001/XMLSchema#'
const ada = await given(Employee, { name: 'Ada' })
const window = { dateFrom: '2026-04-01T08:00:00Z', dateTo: '2026-04-01T10:00:00Z' }
const byName = { employee: `/employees/${ada.id}`, ...window, notes: 'Boiler', time: '2026-04-01T09:00:00Z' }

/** One meeting in the JSON-LD of other systems. */
const spellings: Record<string, object> = {
  'by name': byName,
  'by name, with our context': { '@context': '/contexts/Meeting', '@type': 'Meeting', ...byName },
  'by name, with our context in full': { '@context': `${publicUrl}/contexts/Meeting`, ...byName },
  'in terms of its own': {
    '@context': {
      s: schema,
      who: { '@id': 's:attendee', '@type': '@id' },
      begins: { '@id': 's:startDate', '@type': `${xsd}dateTime` },
      ends: { '@id': 's:endDate', '@type': `${xsd}dateTime` },
      remark: 's:description',
      at: { '@id': `${vocabulary}Meeting/time`, '@type': `${xsd}dateTime` },
    },
    who: byName.employee,
    begins: byName.dateFrom,
    ends: byName.dateTo,
    remark: byName.notes,
    at: byName.time,
  },
  'in terms added to ours': {
    '@context': ['/contexts/Meeting', { remark: `${schema}description` }],
    ...byName,
    notes: undefined,
    remark: 'Boiler',
  },
  'with schema.org as its vocabulary': {
    '@context': { '@vocab': 'http://schema.org/', our: vocabulary, attendee: { '@type': '@id' } },
    '@type': 'our:Meeting',
    attendee: `${publicUrl}${byName.employee}`,
    startDate: byName.dateFrom,
    endDate: byName.dateTo,
    description: byName.notes,
    'our:Meeting/time': byName.time,
  },
  'in IRIs': {
    [`${schema}attendee`]: { '@id': byName.employee },
    [`${schema}startDate`]: byName.dateFrom,
    [`${schema}endDate`]: byName.dateTo,
    [`${schema}description`]: byName.notes,
    [`${vocabulary}Meeting/time`]: byName.time,
  },
  'with our context and compact IRIs': {
    ...{ '@context': '/contexts/Meeting', '@type': 'Meeting', 'schema:attendee': { '@id': byName.employee } },
    ...{
      dateFrom: byName.dateFrom,
      'schema:endDate': byName.dateTo,
      'schema:description': 'Boiler',
      time: byName.time,
    },
  },
  'with compact IRIs alone': {
    ...{ 'schema:attendee': { '@id': byName.employee }, 'schema:startDate': byName.dateFrom },
    ...{ 'schema:endDate': byName.dateTo, notes: 'Boiler', [`${vocabulary}Meeting/time`]: byName.time },
  },
  'by name, with value objects': {
    ...byName,
    dateFrom: { '@value': byName.dateFrom, '@type': `${xsd}dateTime` },
    notes: { '@value': 'Boiler', '@language': 'en' },
    time: [{ '@value': byName.time }],
  },
  'by name and by IRI alike': { '@context': '/contexts/Meeting', ...byName, 'schema:description': 'Boiler' },
  expanded: [
    {
      '@type': [`${vocabulary}Meeting`],
      [`${schema}attendee`]: [{ '@id': `${publicUrl}${byName.employee}` }],
      [`${schema}startDate`]: [{ '@type': `${xsd}dateTime`, '@value': byName.dateFrom }],
      [`${schema}endDate`]: [{ '@type': `${xsd}dateTime`, '@value': byName.dateTo }],
      [`${schema}description`]: [{ '@value': byName.notes, '@language': 'en' }],
      [`${vocabulary}Meeting/time`]: [{ '@value': byName.time }],
    },
  ],
}

test.each(Object.entries(spellings))('a meeting written %s is the same meeting', async (_, body) => {
  const { status, body: created, headers } = await api.post('/meetings', body)
  expect({ status, detail: created.detail }).toEqual({ status: 201 })
  expect(headers.location).toBe(created['@id'])
  expect(created).toMatchObject({ '@context': '/contexts/Meeting', '@type': 'Meeting', ...byName })
  expect((await api.get(created['@id'])).body).toEqual(created)
})

test.each([
  ['by name', { name: 'Rotterdam 0', officeOpenHour: 9, officeCloseHour: 17 }],
  [
    'with terms of its own',
    {
      '@context': { label: `${schema}name`, our: `${vocabulary}Location/` },
      label: 'Rotterdam 1',
      'our:officeOpenHour': 9,
      'our:officeCloseHour': { '@value': '17', '@type': `${xsd}integer` },
    },
  ],
  [
    'expanded',
    [
      {
        [`${schema}name`]: [{ '@value': 'Rotterdam 2' }],
        [`${vocabulary}Location/officeOpenHour`]: [{ '@value': 9 }],
        [`${vocabulary}Location/officeCloseHour`]: [{ '@value': 17 }],
      },
    ],
  ],
])('a location written %s is the same location', async (_, body) => {
  const { status, body: created } = await api.post('/locations', body)
  expect(status).toBe(201)
  expect(created).toMatchObject({ officeOpenHour: 9, officeCloseHour: 17 })
})

test('a required nullable property that a graph lacks is null: a graph has no null', async () => {
  const [begins, ends] = [`${schema}startDate`, `${schema}endDate`]
  const { status, body } = await api.post('/meetings', { [begins]: window.dateFrom, [ends]: window.dateTo })
  expect([status, body.employee, body.notes]).toEqual([201, null, null])

  const minimal = await api.post('/meetings', { [begins]: window.dateFrom })
  expect(minimal.status).toBe(422)
  expect(minimal.body.violations).toEqual([expect.objectContaining({ propertyPath: 'dateTo' })])
})

test('a foreign body is validated by the same rules, and violations have our property names', async () => {
  const stranger = await given(Employee, { name: 'Eve', organizationId: elsewhere.organization.id })
  const body = {
    '@context': { '@vocab': schema },
    attendee: { '@id': `/employees/${stranger.id}` },
    startDate: 'tomorrow',
    endDate: 5,
    description: ['a', 'b'],
  }
  const before = await snapshot()
  const { violations } = expectProblem((await api.post('/meetings', body)) as never, 422)
  expect((violations as { propertyPath: string }[]).map(({ propertyPath }) => propertyPath).sort()).toEqual([
    'dateFrom',
    'dateTo',
    'employee',
    'notes',
  ])
  expect(await snapshot()).toEqual(before)
})

test('an unknown property is ignored, or named by its IRI under handling=strict', async () => {
  const body = { '@context': { '@vocab': schema }, name: 'Veere', color: 'red' }
  expect((await api.post('/locations', body).set('Prefer', 'handling=strict')).body.violations).toEqual([
    expect.objectContaining({ propertyPath: `${schema}color`, code: 'isUnknown' }),
  ])
  expect((await api.post('/locations', body)).status).toBe(201)
})

test.each<[string, unknown]>([
  ['remote', 'https://schema.org'],
  ['remote, beside our own', ['/contexts/Meeting', 'http://127.0.0.1:1/context.jsonld']],
  ['that of another class', '/contexts/Location'],
  ['an import', { '@version': 1.1, '@import': 'http://127.0.0.1:1/context.jsonld' }],
  ['scoped to a term', { p: { '@id': 'urn:p', '@context': 'http://127.0.0.1:1/context.jsonld' } }],
  ['a file', 'file:///etc/passwd'],
  ['a number', 5],
  ['true', true],
  ['an invalid term', { name: 5 }],
  ['a keyword', { '@foo': 'bar', '@type': 5 }],
  ['a loop', { a: 'b:c', b: 'a:c' }],
])('a context that is %s is refused and never fetched', async (_, context) => {
  const before = await snapshot()
  const answer = await api.post('/meetings', { '@context': context, p: {}, employee: null, ...window })
  const { detail } = expectProblem(answer as never, 400)
  if (JSON.stringify(context).includes('http')) expect(detail).toContain('inline')
  expect(await snapshot()).toEqual(before)
})

test('a body of several resources is refused', async () => {
  const graph = [1, 2].map((n) => ({ '@id': `urn:${n}`, [`${schema}name`]: `${n}` }))
  for (const body of [graph, { '@graph': graph }]) expectProblem((await api.post('/locations', body)) as never, 400)
})

test.each([
  { notes: 'x', 'schema:description': 'y' },
  { notes: 'x', [`${schema}description`]: { '@value': 'y' } },
  { '@context': '/contexts/Meeting', 'schema:description': ['x', 'y'] },
])('%j is refused, as it gives one property two values', async (given) => {
  const { violations } = expectProblem(
    (await api.post('/meetings', { ...byName, notes: undefined, ...given })) as never,
    422,
  )
  expect(violations).toEqual([expect.objectContaining({ propertyPath: 'notes', code: 'isString' })])
})

test('plain JSON and a PATCH are read by name: an IRI as a key is refused with the name to use', async () => {
  const { id } = await given(Meeting, morning)
  const keys = ['schema:description', 'http://schema.org/description', `${vocabulary}Meeting/time`]
  const body = Object.fromEntries(keys.map((key) => [key, 'x']))
  const json = api.post('/meetings', { employee: null, ...window, ...body }).set('Content-Type', 'application/json')
  const merge = api.patch(`/meetings/${id}`, body)
  const linked = api.patch(`/meetings/${id}`, body).set('Content-Type', 'application/ld+json')
  for (const answer of [await json, await merge, await linked]) {
    const { violations } = expectProblem(answer as never, 422)
    expect(violations).toEqual(
      keys.map((propertyPath, index) => ({
        propertyPath,
        message: `"${propertyPath}" is an IRI, and this body is read by name. Send "${index < 2 ? 'notes' : 'time'}" instead.`,
        code: 'isTerm',
      })),
    )
  }
  const strange = { 'dc:title': 'x', 'urn:x': 'y' }
  expect((await api.patch(`/meetings/${id}`, strange)).status).toBe(200)
  const strict = await api.patch(`/meetings/${id}`, strange).set('Prefer', 'handling=strict')
  expect(strict.body.violations.map(({ code }: { code: string }) => code)).toEqual(['isUnknown', 'isUnknown'])
  expectProblem((await api.patch(`/meetings/${id}`, { notes: { '@value': 'x' } })) as never, 422)
})

test('a PATCH is read by name', async () => {
  const { id } = await given(Meeting, morning)
  const path = `/meetings/${id}`
  for (const body of [
    { '@context': { remark: `${schema}description` }, remark: 'x' },
    { '@context': 'https://schema.org', description: 'x' },
  ])
    for (const type of ['application/merge-patch+json', 'application/json', 'application/ld+json'])
      expectProblem((await api.patch(path, body).set('Content-Type', type)) as never, 400)
  const { status, body } = await api.patch(path, { '@context': '/contexts/Meeting', '@id': path, notes: 'x' })
  expect([status, body.notes]).toEqual([200, 'x'])
})
