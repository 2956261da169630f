import jsonld, { type JsonLdDocument } from 'jsonld'
import { Writer } from 'n3'
import { toNode } from '../../src/hydra/formats/triples.ts'
import { publicUrl } from '../support/world.ts'
import { ask, browser, collections, items, profile, typeOf, types } from './asking.ts'
import { documentLoader, meaning, reading, triplesOf } from './reading.ts'

const compact = jsonld.compact as (document: object, context: object, options: object) => Promise<object>

test('the documentation is a graph too, and has one address for all of them', async () => {
  const docs = await ask('/docs.jsonld')
  expect(typeOf(await ask('/docs', 'image/png'))[0]).toBe(406)
  for (const accept of ['image/png', browser, '*/*']) expect((await ask('/docs.jsonld', accept)).text).toBe(docs.text)
  for (const [accept, type] of [
    ['text/turtle', types.turtle],
    ['application/n-quads', types.nquads],
  ]) {
    const answer = await ask('/docs.jsonld', accept)
    expect(typeOf(answer)).toEqual([200, type])
    expect(await triplesOf(answer)).toHaveLength(((await jsonld.toRDF(JSON.parse(docs.text), reading)) as []).length)
  }
})

describe('The same is said in every format:', () => {
  test.each(['/', '/errors/404', '/organizations/mail-footer', ...collections, ...items])('%s', async (path) => {
    const document: JsonLdDocument = JSON.parse((await ask(path)).text)
    const meant = await jsonld.canonize(document, { ...reading, algorithm: 'URDNA2015' })
    expect(meant).not.toBe('')
    for (const form of ['expanded', 'flattened'])
      expect(await meaning(JSON.parse((await ask(path, `application/ld+json;profile=${profile}${form}`)).text))).toBe(
        meant,
      )
    for (const accept of ['text/turtle', 'application/n-quads']) {
      const quads = new Writer({ format: 'N-Quads' }).quadsToString(await triplesOf(await ask(path, accept)))
      expect(
        await jsonld.canonize(quads as never, { inputFormat: 'application/n-quads', algorithm: 'URDNA2015' }),
      ).toBe(meant)
      expect(await meaning((await jsonld.fromRDF(quads as never)) as JsonLdDocument)).toBe(meant)
    }
  })

  test('every class that has items is among them', () => {
    expect(items.length).toBe(collections.length)
  })
})

test.each(['/', ...collections, ...items])('all that %s says has a meaning', async (path) => {
  const document = JSON.parse((await ask(path)).text)
  const context = await documentLoader(publicUrl + document['@context'])
  const again = await compact(document, context.document, { ...reading, safe: true })
  expect(again).toMatchObject({ '@type': document['@type'] })
})

test('an IRI cannot end the IRI that it is written into', () => {
  const { value } = toNode({ termType: 'NamedNode', value: 'http://x.example/é?a=b#> <urn:y> .\n' })
  expect(value).toBe('http://x.example/é?a=b#%3E%20%3Curn:y%3E%20.%0A')
})
