import { type ContextFile, type Contexts, engineClasses, type LanguageMap } from './context.ts'
import type { Resource } from './resource.ts'
import { rulesOf } from './rules.ts'
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
    const names = [...engineClasses, ...shapes.map(({ name }) => name)]
    this.files = new Map(names.map((name) => [name, contexts.read(name)]))
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
    checkValueLabels(contexts, shapes, languages)
    checkMemberLabels(contexts, shapes, languages)
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

  /** The label of a value in a closed set; the value itself where no label exists. */
  value(language: string, type: string, property: string, value: string): string {
    return this.in(language, this.files.get(type)?.valueLabels?.[property]?.[value] ?? {}) ?? value
  }

  /** The label of a member of a list of objects; its name where no label exists. */
  member(language: string, type: string, property: string, member: string): string {
    return this.in(language, this.files.get(type)?.memberLabels?.[property]?.[member] ?? {}) ?? member
  }

  /** The title and description of an operation in a language; none in the default language, in which the operation itself has them. */
  operation(language: string, type: string, name: string): { title?: string; description?: string } {
    const { title, description } = this.files.get(type)?.operations?.[name] ?? {}
    return { title: title?.[language], description: description?.[language] }
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

/** @throws Error that names the first value of a closed set without a label. Codes, which tell items apart, need none */
function checkValueLabels(contexts: Contexts, shapes: Shape[], languages: readonly string[]): void {
  for (const { name, fields } of shapes)
    for (const { name: property, term, values = [] } of fields)
      for (const value of term.iri === 'schema:identifier' ? [] : values)
        for (const language of languages)
          if (!contexts.read(name).valueLabels?.[property]?.[value]?.[language])
            throw new Error(
              `${contexts.path(name)} lacks the label of "${value}" in "valueLabels" of "${property}" in "${language}".`,
            )
}

/** @throws Error that names the first member of a list of objects without a label */
function checkMemberLabels(contexts: Contexts, shapes: Shape[], languages: readonly string[]): void {
  for (const { name, fields } of shapes)
    for (const { name: property, members } of fields)
      for (const member of members ? rulesOf(members).keys() : [])
        for (const language of languages)
          if (!contexts.read(name).memberLabels?.[property]?.[member]?.[language])
            throw new Error(
              `${contexts.path(name)} lacks the label of "${member}" in "memberLabels" of "${property}" in "${language}".`,
            )
}

/**
 * Compares the texts of operations in the contexts with the operations. An operation writes its own texts in the default language.
 * @param generic the title that an operation of the engine has for a class, by the name of the operation
 * @throws Error that names the first missing text, and a text of an unknown operation
 */
export function checkOperationTexts(
  contexts: Contexts,
  resources: readonly Resource[],
  languages: readonly string[] | undefined,
  generic: Readonly<Record<string, (name: string) => string>>,
): void {
  if (!languages) return
  for (const { name, operations } of resources) {
    const texts = contexts.read(name).operations ?? {}
    const unknown = Object.keys(texts).find((one) => !operations.some((operation) => operation.name === one))
    if (unknown)
      throw new Error(`${contexts.path(name)} has texts of the operation "${unknown}", which ${name} does not have.`)
    for (const { name: operation, title, description } of operations)
      for (const language of languages.slice(1)) {
        const lacks = (text: string) =>
          new Error(`${contexts.path(name)} lacks the ${text} of the operation "${operation}" in "${language}".`)
        const isGeneric = generic[operation]?.(name) === title(name)
        if (!isGeneric && !texts[operation]?.title?.[language]) throw lacks('title')
        if (description && !texts[operation]?.description?.[language]) throw lacks('description')
      }
  }
}

/** The indefinite article of a name in English: "an employee", "a user". */
export function indefiniteArticle(name: string): 'a' | 'an' {
  return /^(?!us)[aeiou]/i.test(name) ? 'an' : 'a'
}
