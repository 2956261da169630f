import jsonld from 'jsonld'
import { Writer } from 'n3'
import { type Triple, writeTriples } from './triples.ts'
import { writeTurtle } from './turtle-writer.ts'

/** A form that a document can be converted to. */
export type Form = 'expanded' | 'flattened' | 'turtle' | 'n-quads'

type Document = Record<string, unknown>

/** The package's types lack most of these functions. */
const { expand, flatten, toRDF } = jsonld as unknown as {
  expand(document: Document, options: object): Promise<object[]>
  flatten(document: Document, context: null, options: object): Promise<object[]>
  toRDF(document: Document, options: object): Promise<Triple[]>
}

/** Writes a document with an inline context in another form; runs in the JSON-LD thread. */
export async function convertDocument(document: Document, form: Form, base: string): Promise<string> {
  const options = { base, documentLoader: () => Promise.reject(new Error('its context is not inline')) }
  if (form === 'expanded') return JSON.stringify(await expand(document, options))
  if (form === 'flattened') return JSON.stringify(await flatten(document, null, options))
  const triples = await toRDF(document, options)
  return form === 'turtle'
    ? writeTurtle(triples, document['@context'])
    : writeTriples(new Writer({ format: 'N-Quads' }), triples)
}
