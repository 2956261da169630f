import jsonld, { type JsonLdDocument } from 'jsonld'
import type { Quad } from 'n3'
import { classes, collections, docs, entrypoint, operations, propertiesOf, schemas } from '../support/docs.ts'
import { rowsOf } from '../support/rows/sample-rows.ts'
import { openWorld } from '../support/world.ts'

const { api, publicUrl, tenant } = await openWorld()

test('every operation has a unique name and title, an input, an output and possible statuses', () => {
  const known = new Map(operations.map((operation) => [operation['@id'], operation]))
  for (const operation of operations) {
    expect(operation).toMatchObject({
      '@id': expect.stringMatching(/^#\w+$/),
      method: expect.stringMatching(/^(GET|POST|PATCH|DELETE)$/),
      title: expect.stringMatching(/^[A-Z].+[^.]$/),
      description: expect.stringMatching(/\.$/),
      returns: expect.any(String),
      possibleStatus: expect.arrayContaining([expect.objectContaining({ statusCode: expect.any(Number) })]),
    })
    expect(operation).toEqual(known.get(operation['@id']))
  }
  expect(new Set([...known.values()].map(({ title }) => title)).size).toBe(known.size)
})

test('operation titles use the right article and the right plural', () => {
  const titles = operations.map(({ title }) => title)
  expect(titles).toEqual(expect.arrayContaining(['Read a user', 'Read an employee', 'Create a meeting']))
  expect(titles).toEqual(
    expect.arrayContaining(['List countries', 'List organization addresses', 'List organization user invitations']),
  )
})

test('a property of several classes is described alike in each', () => {
  const known = new Map<string, unknown[]>()
  for (const { property } of [...classes.values()].flatMap(({ supportedProperty }) => supportedProperty)) {
    const meaning = [property['@type'], property.range, property['owl:maxCardinality']]
    expect([property['@id'], ...meaning]).toEqual([property['@id'], ...(known.get(property['@id']) ?? meaning)])
    known.set(property['@id'], meaning)
  }
})

test('the classes of every input and output are documented, in JSON and in expanded JSON-LD', async () => {
  const expanded = JSON.stringify(await jsonld.expand(docs as JsonLdDocument, { base: `${publicUrl}/docs.jsonld` }))
  const named = [...expanded.matchAll(/core#(?:returns|expects)":\[{"@id":"([^"]+)"/g)].map(([, iri]) => iri)
  const known = [...classes.keys()].map((name) => `${publicUrl}/docs.jsonld#${name}`)
  known.push('http://www.w3.org/ns/hydra/core#Collection', 'http://www.w3.org/2002/07/owl#Nothing')
  expect([...new Set(named)].filter((iri) => !known.includes(iri))).toEqual([])
})

test.each([
  ['#listMeeting', '/meetings?page=0'],
  ['#readCountry', '/countries/nl'],
  ['#readMeeting', '/meetings/1'],
])('%s documents the status of %s', async (id, path) => {
  const { status } = await api.get(path).redirects(0)
  const operation = operations.find((found) => found['@id'] === id)
  expect(operation?.possibleStatus.map(({ statusCode }) => statusCode)).toContain(status)
})

test('every property of an item is documented', async () => {
  await rowsOf(tenant)
  for (const iri of [...collections.keys()].map((key) => entrypoint[key])) {
    const { body } = await api.get(iri).expect(200)
    expect({ iri, items: body.member.length > 0 }).toEqual({ iri, items: true })
    for (const item of body.member) {
      const titles = propertiesOf(item['@type']).map(({ title }) => title)
      expect(Object.keys(item).filter((name) => name[0] !== '@' && !titles.includes(name))).toEqual([])
    }
  }
})

test('the documentation names the member class of each collection in both forms', () => {
  const links = Object.keys(entrypoint).filter((key) => key[0] !== '@' && entrypoint[key][0] === '/')
  expect([...collections.keys()]).toEqual(links)
  for (const [key, { '@type': type, range, memberAssertion }] of collections) {
    const target = targetOf(key)
    const members = { 'owl:onProperty': { '@id': 'hydra:member' }, 'owl:allValuesFrom': { '@id': target } }
    expect(type).toBe('Link')
    expect(range).toEqual([{ '@id': 'hydra:Collection' }, { 'owl:equivalentClass': members }])
    expect(memberAssertion).toEqual({ property: { '@id': 'rdf:type' }, object: { '@id': target } })
  }
})

// Hydra Core, section 5: a client finds the collection of a class from the entrypoint, whatever the name of its link.
test('the entrypoint lists each collection with the class of its members', async () => {
  const hydra = 'http://www.w3.org/ns/hydra/core#'
  const [start] = (await jsonld.expand(entrypoint, { base: publicUrl, documentLoader })) as Record<string, object[]>[]
  expect(start[`${hydra}collection`]).toHaveLength(collections.size)
  for (const [key, { memberAssertion }] of collections) {
    const assertion = {
      [`${hydra}property`]: [{ '@id': 'http://www.w3.org/1999/02/22-rdf-syntax-ns#type' }],
      [`${hydra}object`]: [{ '@id': `${publicUrl}/docs.jsonld${targetOf(key)}` }],
    }
    expect(memberAssertion).toBeDefined()
    expect(start[`${hydra}collection`]).toContainEqual({
      '@id': publicUrl + entrypoint[key],
      '@type': [`${hydra}Collection`],
      [`${hydra}memberAssertion`]: [assertion],
      [`${hydra}manages`]: [assertion],
    })
  }
})

// RDF Dataset Canonicalization: similar blank nodes are distinguished by trial, which has a limit.
const rdfc = { algorithm: 'RDFC-1.0' } as never as { algorithm: 'URDNA2015' }

test.each(['/docs.jsonld', '/', '/meetings', '/organizations'])(
  'the graph of %s can be canonicalized',
  async (path) => {
    const { body } = await api.get(path)
    const quads = await jsonld.canonize(body, { base: publicUrl + path, documentLoader, ...rdfc })
    expect(quads).toContain(`<${publicUrl}${path}>`)
  },
)

test('shapes, property shapes, mappings and statuses have IRIs', async () => {
  for (const path of ['/docs.jsonld', '/meetings']) {
    const { body } = await api.get(path)
    const quads = (await jsonld.toRDF(body, { base: publicUrl + path, documentLoader })) as Quad[]
    const blank = quads.filter(({ subject: { termType } }) => termType === 'BlankNode')
    expect(blank.filter(({ predicate: { value } }) => /shacl#(?!path$|in$)/.test(value))).toEqual([])
    expect(blank.filter(({ object: { value } }) => /core#(Status|IriTemplateMapping)$/.test(value))).toEqual([])
    for (const link of ['shacl#property', 'core#mapping', 'core#possibleStatus'])
      if (path === '/docs.jsonld' ? link !== 'core#mapping' : link === 'core#mapping')
        expect([link, quads.some(({ predicate: { value } }) => value.endsWith(link))]).toEqual([link, true])
  }
})

test('every shape has a unique IRI', () => {
  const iris = [...JSON.stringify(docs.defines).matchAll(/"@id":"([^"]+)"/g)].map(([, iri]) => iri)
  expect(iris.filter((iri, index) => iris.indexOf(iri) !== index)).toEqual([])
})

test('a collection names the class of its members', async () => {
  const { body } = await api.get('/meetings')
  const [collection] = await jsonld.expand(body, { base: publicUrl, documentLoader })
  expect(collection['http://www.w3.org/ns/hydra/core#memberAssertion']).toEqual([
    {
      'http://www.w3.org/ns/hydra/core#property': [{ '@id': 'http://www.w3.org/1999/02/22-rdf-syntax-ns#type' }],
      'http://www.w3.org/ns/hydra/core#object': [{ '@id': `${publicUrl}/docs.jsonld#Meeting` }],
    },
  ])
})

test('a class with a public superclass names it in the documentation, and not in its context', async () => {
  const expanded = await jsonld.expand(docs as JsonLdDocument, { base: `${publicUrl}/docs.jsonld` })
  const parents = [...JSON.stringify(expanded).matchAll(/subClassOf":\[{"@id":"https:\/\/schema\.org\/(\w+)"/g)]
  expect(parents.map(([, name]) => name)).toEqual(
    expect.arrayContaining(['Organization', 'Event', 'Person', 'Place', 'Country', 'Language', 'PostalAddress']),
  )
  expect(Object.keys((await api.get('/contexts/Meeting')).body)).toEqual(['@context'])
})

test('a reference leads to a class with a collection in the entrypoint', () => {
  const targets = [...collections.keys()].map(targetOf)
  for (const [name, { supportedProperty }] of classes)
    for (const { title, property } of supportedProperty) {
      const { format, items } = schemas[name]?.properties[title] ?? {}
      const reference = (format ?? items?.format) === 'iri-reference' && !/^(rdfs|schema):/.test(String(property.range))
      expect({ name, title, link: property['@type'] === 'Link' && !property.supportedOperation }).toEqual({
        name,
        title,
        link: reference,
      })
      if (!reference) continue
      expect(targets).toContain(property.range)
      expect(property['owl:maxCardinality']).toBe(items ? undefined : 1)
    }
})

test('a schema lists the allowed values, including null for a nullable property', () => {
  expect(schemas.KontomatikSetup.properties.accessMode.enum).toEqual(['SINGLE', 'MULTIPLE', 'MIXED', null])
  expect(schemas.Organization.properties.type.enum).toEqual(['company', 'personal', 'partner'])
  expect(schemas.Subscription.properties.modules.items.enum).toContain('planning')
})

test('a link to an action is neither readable nor writable', () => {
  const links = [...classes.values()].flatMap(({ supportedProperty }) => supportedProperty)
  const actions = links.filter(({ property: { supportedOperation: found } }) => found?.every((o) => o.method !== 'GET'))
  expect(actions.length).toBeGreaterThan(9)
  for (const { property, ...action } of actions) {
    expect(property).toMatchObject({ '@type': 'Link' })
    expect(property).not.toHaveProperty('range')
    expect(action).toMatchObject({ readable: false, writeable: false, writable: false, required: false })
  }
})

function targetOf(key: string): string {
  return `#${key[0].toUpperCase()}${key.slice(1)}`
}

async function documentLoader(url: string) {
  const { body } = await api.get(url.slice(publicUrl.length))
  return { documentUrl: url, document: body }
}

test('every class, property and link has a label and a description in Dutch and English', async () => {
  const described = [...Object.keys(schemas)].flatMap((name) => [classes.get(name), ...propertiesOf(name)])
  const lacking = described.filter((node) => {
    const { labels, comments } = node as { labels?: object; comments?: object }
    return [labels, comments].some((texts) => Object.keys(texts ?? {}).join() !== 'en,nl')
  })
  expect(lacking).toEqual([])
  expect(classes.get('Meeting')).toMatchObject({ labels: { en: 'Meeting', nl: 'Vergadering' } })
  for (const property of collections.values())
    expect(property).toMatchObject({ labels: { en: expect.any(String), nl: expect.any(String) } })
  expect(collections.get('meeting')).toMatchObject({ labels: { en: 'Meetings', nl: 'Vergaderingen' } })
})

const rdfs = 'http://www.w3.org/2000/01/rdf-schema#'
const quads = (await jsonld.toRDF(docs as JsonLdDocument)) as Quad[]
const languageOf = ({ object }: Quad) => (object as { language?: string }).language ?? ''

test('Linked Data clients read the label as rdfs:label and the description as rdfs:comment, each with its language', () => {
  const textsOf = (predicate: string) =>
    quads
      .filter((quad) => quad.subject.value.endsWith('#Meeting/time') && quad.predicate.value === rdfs + predicate)
      .map((quad) => `${quad.object.value}@${languageOf(quad)}`)
  expect(textsOf('label').sort()).toEqual(['Tijd@nl', 'Time@en', 'time@'])
  expect(textsOf('comment')).toHaveLength(2)
})

test('no class or property has two comments in one language', () => {
  const comments = quads.filter(({ predicate }) => predicate.value === `${rdfs}comment`)
  const places = comments.map((quad) => `${quad.subject.value} ${languageOf(quad)}`)
  expect(places.filter((place, index) => places.indexOf(place) < index)).toEqual([])
  expect(places.length).toBeGreaterThan(500)
})
