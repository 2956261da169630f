import { Location, Meeting, Subscription } from '../../entities/index.ts'
import { preferencesOf } from '../../src/hydra/http/headers/preferences.ts'
import { expectProblem, raw } from '../support/requests/raw-responses.ts'
import { morning, openWorld } from '../support/world.ts'

const { api, database, given, givenAddress, publicUrl, tenant, tokenOf } = await openWorld()

const minimal = 'return=minimal'

test('return=minimal on a create returns the address and the ETag without a document', async () => {
  const answer = await api.post('/locations', { name: 'Delft' }).set('Prefer', minimal)
  const { headers } = answer
  expect([answer.status, answer.text, headers['content-length']]).toEqual([201, '', '0'])
  expect(headers).not.toHaveProperty('content-type')
  expect(headers['preference-applied']).toBe(minimal)
  expect(headers.vary).toContain('Prefer')

  const read = await api.get(headers.location)
  expect(read.body.name).toBe('Delft')
  expect(read.headers.etag).toBe(headers.etag)
  expect((await api.patch(headers.location, { name: 'Delfzijl' }).set('If-Match', headers.etag)).status).toBe(200)
})

test('return=minimal on a change returns the new ETag without a document', async () => {
  const path = `/meetings/${(await given(Meeting, morning)).id}`
  const answer = await api.patch(path, { notes: 'new' }).set('Prefer', minimal)
  expect([answer.status, answer.text, answer.headers['preference-applied']]).toEqual([204, '', minimal])
  const { body, headers } = await api.get(path)
  expect([body.notes, headers.etag]).toEqual(['new', answer.headers.etag])
})

test('return=minimal applies to actions too', async () => {
  const { id } = await given(Subscription, { organizationAddress: await givenAddress(), seats: 9 })
  const cancel = () => api.post(`/subscriptions/${id}/cancel`, { immediately: true }).set('Prefer', minimal)
  const [first, again] = [await cancel(), await cancel()]
  expect([first.status, first.text, first.headers.location]).toEqual([201, '', `/subscriptions/${id}`])
  expect([again.status, again.text, again.headers.etag]).toEqual([204, '', first.headers.etag])
})

test('a repeated Idempotency-Key may ask for the document that the first request did not want', async () => {
  const post = (prefer: string) =>
    api.post('/locations', { name: 'Gouda' }).set({ Prefer: prefer, 'Idempotency-Key': 'prefer-1' })
  const first = await post(minimal)
  const again = await post('return=representation')
  expect([first.status, first.text, again.status, again.body.name]).toEqual([201, '', 201, 'Gouda'])
  expect(again.headers.etag).toBe(first.headers.etag)
  expect(again.headers).not.toHaveProperty('preference-applied')
})

test.each(['return=representation', 'return=maximal', 'minimal', 'x="return=minimal"', 'return=x, return=minimal', ''])(
  'Prefer: %s returns the whole document',
  async (prefer) => {
    const { id } = await given(Location, { name: `Place ${prefer}` })
    const answer = await api.patch(`/locations/${id}`, { officeOpenHour: 8, officeCloseHour: 9 }).set('Prefer', prefer)
    expect([answer.status, answer.body.officeOpenHour]).toEqual([200, 8])
    expect(answer.headers).not.toHaveProperty('preference-applied')
  },
)

test('an error is complete under return=minimal', async () => {
  expectProblem((await api.post('/locations', {}).set('Prefer', minimal)) as never, 422)
})

test('a GET returns its document under return=minimal', async () => {
  const { status, headers, text } = await raw('GET', '/locations', {
    Authorization: `Bearer ${await tokenOf(tenant.users.owner)}`,
    Prefer: minimal,
  })
  expect([status, text.length > 0]).toEqual([200, true])
  expect(headers).not.toHaveProperty('preference-applied')
})

test('a response under handling=strict has Preference-Applied', async () => {
  const strict = (body: object, prefer = 'handling=strict') => api.post('/locations', body).set('Prefer', prefer)
  const count = await database.manager.count(Location)
  const refused = await strict({ name: 'Hoorn', colour: 'red' })
  expectProblem(refused as never, 422)
  expect(refused.headers['preference-applied']).toBe('handling=strict')
  expect(await database.manager.count(Location)).toBe(count)

  const created = await strict({ name: 'Hoorn' }, `Handling = "Strict" ; x, respond-async, ${minimal}`)
  expect([created.status, created.text]).toEqual([201, ''])
  expect(created.headers['preference-applied']).toBe(`handling=strict, ${minimal}`)
  expect((await strict({ name: 'Edam', colour: 'red' }, 'handling=lenient, handling=strict')).status).toBe(201)
})

test('handling=strict refuses a selection of unknown properties, of items and of collections', async () => {
  const meeting = `/meetings/${(await given(Meeting, morning)).id}`
  for (const path of ['/meetings', meeting]) {
    const named = async (query: string) => (await api.get(`${path}?${query}`)).body
    const nodeOf = (body: { member?: object[] }) => body.member?.at(-1) ?? body
    const whole = Object.keys(nodeOf(await named('')))
    const keywords = path === meeting ? ['@context', '@id', '@type'] : ['@id', '@type']
    // Without handling=strict an unknown name is ignored; an empty name, as a form sends it, is not a selection.
    expect(Object.keys(nodeOf(await named('properties[]=nothing&properties[]=notes')))).toEqual([...keywords, 'notes'])
    for (const query of ['properties[]=@id', 'properties=toString', 'properties[0]=__proto__'])
      expect(Object.keys(nodeOf(await named(query)))).toEqual(keywords)
    for (const query of ['properties[]=', 'properties=&properties[0]='])
      expect(Object.keys(nodeOf(await named(query)))).toEqual(whole)

    const strict = (query: string) => api.get(`${path}?${query}`).set('Prefer', 'handling=strict')
    const refused = await strict('properties[]=notes&properties[]=nothing&properties[3]=__proto__')
    const { detail } = expectProblem(refused as never, 400)
    expect(detail).toBe('Meeting has no property "nothing", "__proto__".')
    expect(refused.headers['preference-applied']).toBe('handling=strict')
    const { status, headers } = await strict('properties[]=notes&properties[]=@type')
    expect([status, headers['preference-applied']]).toEqual([200, 'handling=strict'])
    expectProblem((await strict('colour=red')) as never, 400)
  }
  const cancel = await api.get('/subscriptions?properties[]=cancel').set('Prefer', 'handling=strict')
  expect(cancel.status).toBe(200)
})

test('view and lang are parameters of pages alone: handling=strict refuses them elsewhere', async () => {
  const meeting = `/meetings/${(await given(Meeting, morning)).id}`
  for (const path of ['/meetings', meeting]) {
    const strict = (query: string, accept: string) =>
      api.get(`${path}?${query}`).set({ Prefer: 'handling=strict', Accept: accept })
    expect((await strict('view=source&lang=nl', 'text/html')).status).toBe(200)
    expect((await strict('view=source&lang=nl&colour=red', 'text/html')).status).toBe(400)
    for (const query of ['view=source', 'lang=nl']) {
      const { detail } = expectProblem((await strict(query, 'application/ld+json')) as never, 400)
      expect(detail).toContain(`"${query.split('=')[0]}"`)
      expect((await api.get(`${path}?${query}`)).status).toBe(200)
    }
  }
})

describe('The @type of a body under handling=strict', () => {
  const strict = (body: object, path = '/locations') => api.post(path, body).set('Prefer', 'handling=strict')
  const vocabulary = `${publicUrl}/docs.jsonld#`
  const refusal = { propertyPath: '@type', message: '@type must be "Location", or be left out.', code: 'isClass' }

  test.each([
    ['Location'],
    [['Location', 'Other']],
    [`${vocabulary}Location`],
    ['schema:Place'],
    ['https://schema.org/Place'],
    [null],
    [[]],
  ])('%j is accepted', async (type) => {
    expect((await strict({ '@type': type, name: `Place ${JSON.stringify(type).length}` })).status).toBe(201)
  })

  test.each([['Meeting'], [['Meeting', 'Employee']], ['location'], [`${vocabulary}Meeting`], [''], [42], [{}]])(
    '@type %j is refused, and passed over otherwise',
    async (type) => {
      const body = { '@type': type, name: `Other ${JSON.stringify(type)}` }
      expect(expectProblem((await strict(body)) as never, 422).violations).toEqual([refusal])
      expect((await api.post('/locations', body)).status).toBe(201)
    },
  )

  test('must be the right class in a PATCH, under a foreign context, and in a referenced node', async () => {
    const { id } = await given(Location, { name: 'Assen' })
    const patch = api.patch(`/locations/${id}`, { '@type': 'Meeting' }).set('Prefer', 'handling=strict')
    expect(expectProblem((await patch) as never, 422).violations).toEqual([refusal])
    const foreign = { '@context': { '@vocab': 'https://schema.org/' }, '@type': 'Event', name: 'Foreign' }
    expect(expectProblem((await strict(foreign)) as never, 422).violations).toEqual([refusal])
    expect((await strict({ ...foreign, '@type': 'Place' })).status).toBe(201)

    const node = (rest: object) =>
      strict({ name: 'Ada', location: { '@id': `/locations/${id}`, ...rest } }, '/employees')
    const { violations } = expectProblem((await node({ '@type': 'Meeting', name: 'Assen' })) as never, 422)
    expect(violations).toEqual([
      { ...refusal, propertyPath: 'location.@type' },
      {
        propertyPath: 'location.name',
        message: 'location takes an IRI: name cannot be written here.',
        code: 'isUnknown',
      },
    ])
    expect((await node({ '@type': 'Location' })).status).toBe(201)
  })
})

test.each([
  ['return=minimal', { return: 'minimal' }],
  [' Return = "minimal" ; foo="a,b" , wait=5,priority', { return: 'minimal', wait: '5', priority: '' }],
  ['a="b,c", return=minimal', { return: 'minimal' }],
  ['wait=1, wait=2', { wait: '1' }],
  [',,;=, "x', {}],
])('Prefer: %s', (header, preferences) => {
  expect(Object.fromEntries(preferencesOf(header))).toMatchObject(preferences)
})
