import { Employee, Meeting } from '../../entities/index.ts'
import { expectProblem, raw } from '../support/requests/raw-responses.ts'
import { snapshot } from '../support/rows/database-snapshot.ts'
import { morning, openWorld } from '../support/world.ts'

const { api, as, elsewhere, given, publicUrl, tenant, tokenOf } = await openWorld()

const owner = `Bearer ${await tokenOf(tenant.users.owner)}`
const ada = await given(Employee, { name: 'Ada' })
const window = { dateFrom: '2026-04-01T08:00:00Z', dateTo: '2026-04-01T10:00:00Z' }
const byName = { employee: `/employees/${ada.id}`, ...window, notes: 'Boiler', time: '2026-04-01T09:00:00Z' }
const prefixes = `
  @prefix schema: <https://schema.org/> .
  @prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
  @prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> .
  @prefix our: <${publicUrl}/docs.jsonld#> .
  @prefix location: <${publicUrl}/docs.jsonld#Location/> .
`
const statements = `
  schema:attendee <${byName.employee}> ;
  schema:startDate "${byName.dateFrom}"^^xsd:dateTime ;
  schema:endDate "${byName.dateTo}"^^xsd:dateTime ;
  schema:description "Boiler" ;
  <${publicUrl}/docs.jsonld#Meeting/time> "${byName.time}"^^xsd:dateTime .
`

const send = (path: string, body: string | Buffer, headers: Record<string, string> = {}) =>
  raw('POST', path, { Authorization: owner, 'Content-Type': 'text/turtle', ...headers }, body)

test.each([
  ['a blank node', `[] a our:Meeting ; ${statements}`],
  ['a blank node with a label', `_:new a our:Meeting ; ${statements}`],
  ['the empty IRI', `<> a our:Meeting ; ${statements}`],
  ['a foreign IRI', `<http://elsewhere.example/1> ${statements}`],
  ['a node that refers to itself', `_:new schema:url _:new ; ${statements}`],
  ['a repeated triple', `[] schema:description "Boiler" , "Boiler" ; ${statements}`],
  ['schema.org over http', `[] ${statements}`.replaceAll('schema:', 'old:')],
])('a meeting written as %s is the same meeting as by name', async (_, turtle) => {
  const { status, text, headers } = await send('/meetings', `@prefix old: <http://schema.org/> . ${prefixes} ${turtle}`)
  expect({ status, text }).toMatchObject({ status: 201 })
  const created = JSON.parse(text)
  const { body: plain } = await api.post('/meetings', byName)
  expect(headers.location).toBe(created['@id'])
  expect({ ...created, '@id': '' }).toEqual({ ...plain, '@id': '' })
})

test('numbers, booleans and language tags become JSON scalars', async () => {
  const spoken = `[] schema:name "Delft"@nl ; location:officeOpenHour 9 ; location:officeCloseHour "17"^^xsd:short .`
  const { status, text } = await send('/locations', prefixes + spoken, { 'Content-Type': 'Text/Turtle; charset=utf-8' })
  expect(status).toBe(201)
  expect(JSON.parse(text)).toMatchObject({ name: 'Delft', officeOpenHour: 9, officeCloseHour: 17 })
})

test('a Turtle response can be sent back as a Turtle body', async () => {
  const { id } = await given(Meeting, { ...morning, employee: ada, notes: 'To be \\ "copied"\n…' })
  const { text } = await raw('GET', `/meetings/${id}`, { Authorization: owner, Accept: 'text/turtle' })
  const copy = await send('/meetings', text, { Accept: 'text/turtle' })
  expect([copy.status, copy.headers['content-type']]).toEqual([201, 'text/turtle; charset=utf-8'])
  expect(copy.text).toBe(text.replace(`/meetings/${id}`, copy.headers.location as string))
})

test('a Turtle body is validated by the same rules, and violations have our property names', async () => {
  const stranger = await given(Employee, { name: 'Eve', organizationId: elsewhere.organization.id })
  const before = await snapshot()
  const turtle = `[] schema:attendee </employees/${stranger.id}> ; schema:startDate "tomorrow" ; schema:description 1 , 2 .`
  const { violations } = expectProblem(await send('/meetings', prefixes + turtle), 422)
  const paths = (violations as { propertyPath: string }[]).map(({ propertyPath }) => propertyPath)
  expect(paths.sort()).toEqual(['dateFrom', 'dateTo', 'employee', 'notes'])
  const strict = await send('/locations', `${prefixes} [] schema:name "x" ; schema:color "red" .`, {
    Prefer: 'handling=strict',
  })
  expect(expectProblem(strict, 422).violations).toEqual([
    expect.objectContaining({ propertyPath: 'https://schema.org/color', code: 'isUnknown' }),
  ])
  expect(await snapshot()).toEqual(before)
})

test('a required nullable property that a graph lacks is null', async () => {
  const turtle = `[] schema:startDate "${window.dateFrom}" ; schema:endDate "${window.dateTo}" .`
  const { status, text } = await send('/meetings', prefixes + turtle)
  expect([status, JSON.parse(text).employee]).toEqual([201, null])
})

test('Accept-Post contains Turtle, and Accept-Patch does not', async () => {
  const { headers } = await as(tenant.users.owner).options('/meetings')
  expect(headers['accept-post']).toBe('application/ld+json, application/json, text/turtle')
  const { id } = await given(Meeting, morning)
  const change = { Authorization: owner, 'Content-Type': 'text/turtle' }
  const { detail } = expectProblem(await raw('PATCH', `/meetings/${id}`, change, `${prefixes} <> ${statements}`), 415)
  expect(detail).toMatch(/Send one of: application\/merge-patch\+json, application\/json, application\/ld\+json\.$/)
  for (const type of ['text/plain', 'application/n-quads', 'text/turtlex', 'application/x-turtle'])
    expect(expectProblem(await send('/meetings', statements, { 'Content-Type': type }), 415).detail).toContain(
      'text/turtle',
    )
})

const many = (count: number, what: (index: number) => string) =>
  Array.from({ length: count }, (_, n) => what(n)).join('')

/** Nested wherever it is referred to, each node would double: 2⁴⁰ nodes. */
const bomb = `_:n0 schema:a _:n1 . ${many(40, (n) => `_:n${n} schema:x _:n${n + 1} ; schema:y _:n${n + 1} . `)}`

describe('A body that describes no single resource is refused with 400:', () => {
  test.each([
    ['nothing', ''],
    ['only prefixes', prefixes],
    ['JSON', JSON.stringify(byName)],
    ['half a statement', `${prefixes} [] schema:name`],
    ['an unknown prefix', '[] unknown:name "x" .'],
    ['a graph with a name', `${prefixes} <urn:g> { [] schema:name "x" . }`],
    ['a rule of N3', `${prefixes} { ?x schema:name "x" } => { ?x schema:name "y" } .`],
    ['triples about triples', `${prefixes} [] schema:about <<( <urn:a> schema:name "x" )>> .`],
    ['several resources', `${prefixes} [] schema:name "x" . [] schema:name "y" .`],
    ['a cycle', `${prefixes} _:a schema:x _:b . _:b schema:x _:a .`],
    ['one resource, and a cycle beside it', `${prefixes} [] schema:name "x" . _:a schema:x _:b . _:b schema:x _:a .`],
    ['an exponential expansion', `${prefixes} [] schema:x _:n0 . ${bomb}`],
    [
      'deeply nested nodes',
      `${prefixes} [] schema:x ${many(1_000, () => '[ schema:x ')} 1 ${many(1_000, () => ']')} .`,
    ],
    ['lists within lists', `${prefixes} [] schema:x ${many(20_000, () => '(')} 1 ${many(20_000, () => ')')} .`],
    ['deeply nested JSON', `${prefixes} [] schema:x "${'['.repeat(9_000)}${']'.repeat(9_000)}"^^rdf:JSON .`],
    ['invalid JSON', `${prefixes} [] schema:x "{"^^rdf:JSON .`],
    ['too many triples', `${prefixes} [] schema:x ${many(20_000, (n) => `${n}, `)} 1 .`],
    [
      'a prefix that grows',
      `@prefix p: <http://x.example/${'x'.repeat(100_000)}> . ${many(9_000, (n) => `p:a p:b p:${n} . `)}`,
    ],
    ['half a character', Buffer.from([0x3c, 0xc3, 0x3e])],
    ['an invalid IRI', `${prefixes} <http://[x> schema:name "x\u0000y" . <a b> schema:name "z" .`],
  ])('%s', async (_, turtle) => {
    const before = await snapshot()
    const start = Date.now()
    expectProblem(await send('/locations', turtle), 400)
    expect(Date.now() - start).toBeLessThan(5_000)
    expect(await snapshot()).toEqual(before)
  })

  test('a Turtle body above the limit is refused with 413', async () => {
    expectProblem(await send('/locations', `${prefixes} [] schema:name "${'x'.repeat(300_000)}" .`), 413)
  })
})

test('a slow body does not delay other requests', async () => {
  const slow = `@prefix p: <http://x.example/${'x'.repeat(100_000)}> . ${many(9_000, (n) => `p:a p:b p:${n} . `)}`
  const done: string[] = []
  const sent = [1, 2].map(async () => {
    expectProblem(await send('/locations', slow), 400)
    done.push('sent')
  })
  const { status } = await raw('GET', '/locations.ttl', { Authorization: owner })
  expect([status, done.length < 2]).toEqual([200, true])
  await Promise.all(sent)
}, 20_000)
