import type { ContextFile, Contexts, LanguageMap } from './context.ts'
import type { Shape } from './shape.ts'

/** The labels and descriptions of every class, property and link, from the context files. */
export class Labels {
  private readonly files: Map<string, ContextFile>
  /** The language of texts that are served in one language only. */
  readonly defaultLanguage: string

  /**
   * @param listed the classes that have a collection
   * @param languages the languages that every text must have; the first is the default
   * @throws Error that names the first missing text
   */
  constructor(contexts: Contexts, shapes: Shape[], listed: string[], languages: readonly string[] = []) {
    this.files = new Map(shapes.map(({ name }) => [name, contexts.read(name)]))
    this.defaultLanguage = languages[0] ?? 'en'
    for (const { name, fields, links } of shapes)
      for (const property of [undefined, ...fields.map((field) => field.name), ...links.keys()])
        for (const language of languages) {
          const of = property ? `"${property}"` : name
          const lacks = `${contexts.path(name)} lacks the`
          if (!this.labels(name, property)[language]) throw new Error(`${lacks} label of ${of} in "${language}".`)
          if (!property && listed.includes(name) && !this.plurals(name)[language])
            throw new Error(`${lacks} plural of ${of} in "${language}".`)
          if (!this.descriptions(name, property)[language])
            throw new Error(`${lacks} description of ${of} in "${language}".`)
        }
  }

  /** The label of a class, or of one of its properties or links; its name where no label exists. */
  label(language: string, type: string, property?: string): string {
    return this.in(language, this.labels(type, property)) ?? property ?? type
  }

  /** The label of a collection; the name of its class where no label exists. */
  plural(language: string, type: string): string {
    return this.in(language, this.plurals(type)) ?? type
  }

  /** The description of a class, or of one of its properties or links. */
  description(language: string, type: string, property?: string): string | undefined {
    return this.in(language, this.descriptions(type, property))
  }

  /** A label in every language. */
  labels(type: string, property?: string): LanguageMap {
    const file = this.files.get(type)
    return (property ? file?.labels?.[property] : file?.label) ?? {}
  }

  /** The label of a collection in every language. */
  plurals(type: string): LanguageMap {
    return this.files.get(type)?.plural ?? {}
  }

  /** A description in every language. */
  descriptions(type: string, property?: string): LanguageMap {
    const file = this.files.get(type)
    return (property ? file?.description?.[property] : file?.about) ?? {}
  }

  private in(language: string, texts: LanguageMap): string | undefined {
    return texts[language] ?? texts[this.defaultLanguage]
  }
}

/** The indefinite article of a name in English: "an employee", "a user". */
export function indefiniteArticle(name: string): 'a' | 'an' {
  return /^(?!us)[aeiou]/i.test(name) ? 'an' : 'a'
}
