import jsonld, { type JsonLdDocument } from 'jsonld'
import { Writer } from 'n3'
import { toNode } from '../../src/hydra/formats/triples.ts'
import { openWorld } from '../support/world.ts'
import { canonicalGraph, documentLoader, jsonldOptions, triplesOf } from './rdf.ts'
import { ask, browser, collections, items, profile, typeOf, types } from './representations.ts'

const { publicUrl } = await openWorld()

const compact = jsonld.compact as (document: object, context: object, options: object) => Promise<object>

test('the documentation is a graph with one IRI in every format', async () => {
  const docs = await ask('/docs.jsonld')
  expect(typeOf(await ask('/docs', 'image/png'))[0]).toBe(406)
  for (const accept of ['image/png', '*/*']) expect((await ask('/docs.jsonld', accept)).text).toBe(docs.text)
  expect((await ask('/docs.jsonld', browser)).headers.location).toBe('/docs/reference')
  for (const [accept, type] of [
    ['text/turtle', types.turtle],
    ['application/n-quads', types.nquads],
  ]) {
    const answer = await ask('/docs.jsonld', accept)
    expect(typeOf(answer)).toEqual([200, type])
    expect(await triplesOf(answer)).toHaveLength(
      ((await jsonld.toRDF(JSON.parse(docs.text), jsonldOptions)) as []).length,
    )
  }
})

describe('Every format has the same graph:', () => {
  test.each(['/', '/errors/404', '/organizations/mail-footer', ...collections, ...items])('%s', async (path) => {
    const document: JsonLdDocument = JSON.parse((await ask(path)).text)
    const expected = await jsonld.canonize(document, { ...jsonldOptions, algorithm: 'URDNA2015' })
    expect(expected).not.toBe('')
    for (const form of ['expanded', 'flattened'])
      expect(
        await canonicalGraph(JSON.parse((await ask(path, `application/ld+json;profile=${profile}${form}`)).text)),
      ).toBe(expected)
    for (const accept of ['text/turtle', 'application/n-quads']) {
      const quads = new Writer({ format: 'N-Quads' }).quadsToString(await triplesOf(await ask(path, accept)))
      expect(
        await jsonld.canonize(quads as never, { inputFormat: 'application/n-quads', algorithm: 'URDNA2015' }),
      ).toBe(expected)
      expect(await canonicalGraph((await jsonld.fromRDF(quads as never)) as JsonLdDocument)).toBe(expected)
    }
  })

  test('every collection is among the tested items', () => {
    expect(items.length).toBe(collections.length)
  })
})

test.each(['/', ...collections, ...items])('every term of %s has an IRI', async (path) => {
  const document = JSON.parse((await ask(path)).text)
  const context = await documentLoader(publicUrl + document['@context'])
  const again = await compact(document, context.document, { ...jsonldOptions, safe: true })
  expect(again).toMatchObject({ '@type': document['@type'] })
})

test('a client’s IRI cannot inject triples', () => {
  const { value } = toNode({ termType: 'NamedNode', value: 'http://x.example/é?a=b#> <urn:y> .\n' })
  expect(value).toBe('http://x.example/é?a=b#%3E%20%3Curn:y%3E%20.%0A')
})
