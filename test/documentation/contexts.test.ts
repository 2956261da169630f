import { schemas } from '../support/docs.ts'
import { rowsOf } from '../support/rows/sample-rows.ts'
import { openWorld } from '../support/world.ts'

const { api, as, publicUrl, tenant } = await openWorld()

type Definition = string | { '@id': string; '@type'?: string; '@container'?: string }

interface Schema {
  type?: string | string[]
  format?: string
  items?: { format?: string }
}

/** Keywords of JSON-LD are not terms of a context. */
const isProperty = ([name]: [string, unknown]) => !name.startsWith('@')

describe.each([...Object.keys(schemas), 'Error', 'Entrypoint'])('/contexts/%s', (name) => {
  let context: Record<string, Definition>

  beforeAll(async () => {
    context = (await as().get(`/contexts/${name}`)).body['@context']
  })

  test('is JSON-LD that clients may cache', async () => {
    const { status, headers, text } = await as().get(`/contexts/${name}`)
    expect(status).toBe(200)
    expect(headers['content-type']).toBe('application/ld+json; charset=utf-8')
    expect(headers['cache-control']).toMatch(/^public, max-age=\d+$/)
    expect(headers.etag).toMatch(/^"[\w-]+"$/)

    const again = await as().get(`/contexts/${name}`).set('If-None-Match', headers.etag)
    expect({ status: again.status, text: again.text }).toEqual({ status: 304, text: '' })
    expect((await as().get(`/contexts/${name}.jsonld`)).text).toBe(text)
  })

  test('has the vocabulary of the API, the terms of Hydra, and its own terms', () => {
    const links = ['first', 'last', 'previous', 'next'].map((link) => [
      link,
      { '@id': `hydra:${link}`, '@type': '@id' },
    ])
    const types = ['Collection', 'PartialCollectionView', 'IriTemplate', 'title', 'description', 'totalItems', 'view']
    expect(context).toMatchObject({
      '@vocab': `${publicUrl}/docs.jsonld#`,
      hydra: 'http://www.w3.org/ns/hydra/core#',
      member: { '@id': 'hydra:member', '@container': '@set' },
      ...Object.fromEntries(types.map((term) => [term, `hydra:${term}`])),
      ...Object.fromEntries(links),
    })
  })

  test('gives no two terms the same IRI', () => {
    const iris = Object.values(context).map((term) => (typeof term === 'string' ? term : term['@id']))
    expect(iris.filter((iri, index) => iris.indexOf(iri) !== index)).toEqual([])
  })

  test('types links, lists, date-times and free-form JSON', () => {
    for (const [title, schema] of Object.entries<Schema>(schemas[name]?.properties ?? {}).filter(isProperty)) {
      const { format, items } = schema
      const definition = context[title]
      const term = typeof definition === 'string' ? { '@id': definition } : definition
      const many = [schema.type].flat().includes('array')
      const described = { title, type: term['@type'], set: term['@container'] === '@set' || term['@type'] === '@json' }
      expect(described).toMatchObject({ title, set: many || term['@type'] === '@json' })
      if ((format ?? items?.format) === 'iri-reference') expect(described).toMatchObject({ title, type: '@id' })
      if (format === 'date-time') expect(described).toMatchObject({ title, type: 'xsd:dateTime' })
      if (schema.type === undefined) expect(described).toMatchObject({ title, type: '@json' })
    }
  })
})

test('the properties of an item are in the order of its context', async () => {
  await rowsOf(tenant)
  const { body: entrypoint } = await api.get('/')
  for (const path of Object.values<string>(entrypoint).filter((value) => /^\/[a-z-]+$/.test(value))) {
    const [item] = (await api.get(path)).body.member
    const { body } = await api.get(`/contexts/${item['@type']}`)
    const terms = Object.keys(body['@context']).filter((term) => term in item)
    expect(Object.keys(item)).toEqual(['@id', '@type', ...terms])
    expect(Object.keys((await api.get(item['@id'])).body)).toEqual(['@context', ...Object.keys(item)])
  }
})
