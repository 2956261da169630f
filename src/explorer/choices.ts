import type { Drawing } from './drawing.ts'
import type { Document, Shape } from './engine.ts'
import { titleOf } from './titles.ts'
import { valueLabelOf } from './words/labels.ts'

/** One choice of a select. */
export interface Option {
  value: string
  title: string
}

/** The items that a reference can lead to. */
export interface Choices {
  options: Option[]
  /** Whether there are more of them than a select offers. */
  isMore: boolean
}

/** The choices of each reference by the name of its property. */
export type ChoicesOf = ReadonlyMap<string, Choices>

/** The first items of each reference's class. */
export type ReadChoices = [name: string, shape: Shape, documents: Document[]][]

/** A property that refers to items of a class. */
type Reference = Pick<Shape['fields'][number], 'name' | 'target'>

/** The most items of a select. */
const mostOptions = 30

/**
 * Reads the first items of each reference's class.
 * @param textOf the text that the items of a reference are searched by; undefined for all items
 */
export function readChoices(
  { api, view }: Pick<Drawing, 'api' | 'view'>,
  references: Reference[],
  textOf: (name: string) => string | undefined = () => undefined,
): Promise<ReadChoices> {
  return Promise.all(
    references.flatMap(({ name, target }) => {
      if (!target) return []
      const shape = api.shape(target)
      const read = view.list(shape.class, mostOptions + 1, textOf(name))
      return [read.then((documents): ReadChoices[number] => [name, shape, documents])]
    }),
  )
}

export function choicesOf(drawing: Pick<Drawing, 'api' | 'tag' | 'formats'>, read: ReadChoices): ChoicesOf {
  const optionOf = (shape: Shape) => (document: Document) => ({
    value: document['@id'] as string,
    title: titleOf(drawing, shape, document).text,
  })
  return new Map(
    read.map(([name, shape, documents]) => [
      name,
      { options: documents.slice(0, mostOptions).map(optionOf(shape)), isMore: documents.length > mostOptions },
    ]),
  )
}

/** The choices of a property with a closed set of values. */
export function optionsIn(
  { api, tag }: Pick<Drawing, 'api' | 'tag'>,
  type: string,
  { name, values = [] }: { name: string; values?: string[] },
): Option[] {
  return values.map((value) => ({ value, title: valueLabelOf(api, tag, type, name, value) }))
}
