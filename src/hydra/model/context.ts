import { readFileSync } from 'node:fs'
import { basename } from 'node:path'

/** One term of a context: its IRI, the type of its value (JSON-LD 1.1 §4.2), and whether it is always a list. */
export interface Term {
  iri: string
  type?: string
  set: boolean
}

export type Definition = string | { '@id': string; '@type'?: string; '@container'?: string }
export type Definitions = Record<string, Definition>

/** A text in several languages, by language tag (BCP 47). */
export type LanguageMap = Record<string, string>

/** A context file. Its members beside `@context` describe the class; they are served in the documentation only. */
export interface ContextFile {
  '@context': Definitions
  /** The name of the class for people, as a singular noun. */
  label?: LanguageMap
  /** The name of its collection for people. */
  plural?: LanguageMap
  /** The definition of the class, in one sentence. */
  about?: LanguageMap
  /** The class of a public vocabulary that this class is a subclass of. */
  subClassOf?: string
  /** The range of a property whose values are no class of this API. */
  range?: Record<string, string>
  /** The name for people of each property and link. */
  labels?: Record<string, LanguageMap>
  /** The description of each property and link. */
  description?: Record<string, LanguageMap>
  /** The values of a read-only property that has a closed set of them. */
  values?: Record<string, string[]>
  /** The name for people of each value of a closed set, by its property. */
  valueLabels?: Record<string, Record<string, LanguageMap>>
  /** The name for people of each member of a list of objects, by its property. */
  memberLabels?: Record<string, Record<string, LanguageMap>>
  /** The titles and descriptions of the operations on the class, by their names, in the languages beside the default one. */
  operations?: Record<string, { title?: LanguageMap; description?: LanguageMap }>
  /** The properties that are amounts in the smallest unit of the currency beside them. */
  minorUnits?: string[]
  /** Example values from the demo, for the OpenAPI description. */
  example?: Record<string, unknown>
}

/** The classes of documents that belong to no resource. An application has no class of these names. */
export const engineClasses = ['Entrypoint', 'Error', 'ConstraintViolation', 'Violation', 'Change']

/** The contexts that the engine itself needs. */
const own = new Map(
  ['Hydra', 'ApiDocumentation', ...engineClasses].map((name) => [
    name,
    new URL(`./contexts/${name}.jsonld`, import.meta.url),
  ]),
)

/** The context files of an application, and those of the engine. Each is read once, at boot. */
export class Contexts {
  private readonly files = new Map<string, ContextFile>()
  /** The terms that every document needs. */
  private readonly shared: Definitions

  /** @param folder where the application has one `<Class>.jsonld` for each class; it ends with a slash */
  constructor(private readonly folder: URL) {
    this.shared = this.definitions('Hydra')
  }

  /** The path of a context file, for messages. */
  path(name: string): string {
    return `${basename(this.folder.pathname)}/${name}.jsonld`
  }

  /** @throws Error when the file is missing or not JSON */
  read(name: string): ContextFile {
    const known = this.files.get(name)
    if (known) return known
    try {
      const file = JSON.parse(readFileSync(own.get(name) ?? new URL(`${name}.jsonld`, this.folder), 'utf8'))
      this.files.set(name, file)
      return file
    } catch (error) {
      throw new Error(`${this.path(name)} cannot be read: ${(error as Error).message}`)
    }
  }

  definitions(name: string): Definitions {
    return this.read(name)['@context']
  }

  /** The document of `/contexts/{name}`: the vocabulary, the terms that every document needs, and its own terms. */
  served(definitions: Definitions, vocabulary: string, prefixed = false): { '@context': object } {
    const { shared } = this
    return { '@context': { '@vocab': vocabulary, ...shared, ...(prefixed && prefixedTerms(shared)), ...definitions } }
  }

  /** Whether a name is a term that every document needs. Such a name cannot be a property. */
  isReserved(name: string): boolean {
    return name in this.shared
  }
}

/** The terms of a context, in its order. */
export function termsOf(definitions: Definitions): Map<string, Term> {
  return new Map(Object.entries(definitions).map(([key, definition]) => [key, termOf(definition)]))
}

/** A term's IRI as the documentation writes it: prefixed, or a fragment of the vocabulary. */
export function documentedIri(iri: string): string {
  return iri.includes(':') ? iri : `#${iri}`
}

/** The same terms under their prefixed names, so that `hydra:next` is read as a link too. */
export function prefixedTerms(definitions: Definitions): Definitions {
  const typed = Object.values(definitions).filter((definition) => typeof definition === 'object')
  return Object.fromEntries(typed.map((definition) => [definition['@id'], definition]))
}

function termOf(definition: Definition): Term {
  if (typeof definition === 'string') return { iri: definition, set: false }
  return { iri: definition['@id'], type: definition['@type'], set: definition['@container'] === '@set' }
}
