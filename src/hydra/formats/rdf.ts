import jsonld from 'jsonld'
import { Writer } from 'n3'
import { type Triple, written } from './triples.ts'
import { turtle } from './turtle-writer.ts'

/** What a document can be turned into. */
export type Form = 'expanded' | 'flattened' | 'turtle' | 'n-quads'

type Document = Record<string, unknown>

/** What we use of jsonld, said here because its types leave most of it out. */
const { expand, flatten, toRDF } = jsonld as unknown as {
  expand(document: Document, options: object): Promise<object[]>
  flatten(document: Document, context: null, options: object): Promise<object[]>
  toRDF(document: Document, options: object): Promise<Triple[]>
}

/** Writes a document, whose context stands within it, in another form; runs in the thread of jsonld-worker. */
export async function serializeTriples(document: Document, form: Form, base: string): Promise<string> {
  const options = { base, documentLoader: () => Promise.reject(new Error('its context is not within it')) }
  if (form === 'expanded') return JSON.stringify(await expand(document, options))
  if (form === 'flattened') return JSON.stringify(await flatten(document, null, options))
  const triples = await toRDF(document, options)
  return form === 'turtle' ? turtle(triples, document['@context']) : written(new Writer({ format: 'N-Quads' }), triples)
}
