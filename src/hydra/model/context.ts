import { readFileSync } from 'node:fs'

/** How one property is spoken of: its IRI, how its value is read (JSON-LD 1.1 §4.2), and whether it is always a list. */
export interface Term {
  iri: string
  type?: string
  set: boolean
}

type Definition = string | { '@id': string; '@type'?: string; '@container'?: string }
type Definitions = Record<string, Definition>

const folder = new URL('../../../contexts/', import.meta.url)

/** The terms of a context, in its order; of a file of `contexts/` with `readDefinitions`. */
export function termsOf(definitions: Definitions): Map<string, Term> {
  return new Map(Object.entries(definitions).map(([key, definition]) => [key, term(definition)]))
}

/** What `/contexts/{name}` serves: the vocabulary, the terms every document needs, and its own; all flat. */
export function servedContext(own: Definitions, vocabulary: string, prefixed = false): { '@context': object } {
  return { '@context': { '@vocab': vocabulary, ...shared(), ...(prefixed && prefixedTerms(shared())), ...own } }
}

/** Reads one file of `contexts/`; a missing or broken one stops the boot with a sentence. */
export function readDefinitions(name: string): Definitions {
  return readContext(name)['@context']
}

/** What an instance of a class is, in one sentence; it is said beside the context, and served in the documentation alone. */
export function readAbout(name: string): string | undefined {
  return readContext(name).about
}

/** The class of a public vocabulary that ours is a kind of; said and served in the same way. */
export function readParent(name: string): string | undefined {
  return readContext(name).subClassOf
}

/** What a property's values are, where that is no class of ours; said and served in the same way. */
export function readRanges(name: string): Record<string, string> {
  return readContext(name).range ?? {}
}

/** What people should know of a property that its name and its type do not tell; said and served in the same way. */
export function readDescriptions(name: string): Record<string, string> {
  return readContext(name).description ?? {}
}

/** The values of a property that is only read, where they are a closed set; said and served in the same way. */
export function readValues(name: string): Record<string, string[]> {
  return readContext(name).values ?? {}
}

/** What a property may look like, from the demo; for the OpenAPI description alone. */
export function readExamples(name: string): Record<string, unknown> {
  return readContext(name).example ?? {}
}

function readContext(name: string): {
  '@context': Definitions
  about?: string
  subClassOf?: string
  range?: Record<string, string>
  description?: Record<string, string>
  values?: Record<string, string[]>
  example?: Record<string, unknown>
} {
  const file = new URL(`${name}.jsonld`, folder)
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new Error(`contexts/${name}.jsonld cannot be read: ${(error as Error).message}`)
  }
}

/** Whether a name is one of the terms that every document needs, and so cannot be a property. */
export function isReserved(name: string): boolean {
  return name in shared()
}

/** A term's IRI as it is written in the documentation: prefixed, or a fragment of the vocabulary. */
export function documentedIri(iri: string): string {
  return iri.includes(':') ? iri : `#${iri}`
}

/** The terms that every document needs, with the prefixed names of Hydra's links read as links too. */
function shared(): Definitions {
  hydra ??= readDefinitions('Hydra')
  return hydra
}

/** The same terms under their prefixed names, for documents that are spelled so: `hydra:next` is a link too. */
export function prefixedTerms(definitions: Definitions): Definitions {
  const typed = Object.values(definitions).filter((definition) => typeof definition === 'object')
  return Object.fromEntries(typed.map((definition) => [definition['@id'], definition]))
}

let hydra: Definitions | undefined

function term(definition: Definition): Term {
  if (typeof definition === 'string') return { iri: definition, set: false }
  return { iri: definition['@id'], type: definition['@type'], set: definition['@container'] === '@set' }
}
