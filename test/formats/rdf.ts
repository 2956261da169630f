import jsonld, { type JsonLdDocument } from 'jsonld'
import { Parser } from 'n3'
import type { Answer } from '../support/requests/raw-responses.ts'
import { openWorld } from '../support/world.ts'

const { as, publicUrl } = await openWorld()

export const jsonldOptions = { base: publicUrl, documentLoader }

export async function documentLoader(url: string) {
  const { body } = await as().get(url.slice(publicUrl.length))
  return { documentUrl: url, document: body }
}

export function canonicalGraph(document: JsonLdDocument): Promise<string> {
  return jsonld.canonize(document, { ...jsonldOptions, algorithm: 'URDNA2015' })
}

export async function triplesOf({ text, headers }: Answer) {
  return new Parser({ format: (headers['content-type'] as string).split(';')[0] }).parse(text)
}
