import type { Api } from '../../hydra/index.ts'

export type ClassReference = ReturnType<Api['reference']>[number]
export type OperationReference = ClassReference['operations'][number]
export type FieldReference = ClassReference['fields'][number]
export type FilterReference = ClassReference['filters'][number]

/** A text by language tag. */
type Texts = Record<string, string>

/** A chapter of the reference, and the classes that it describes. */
export interface ReferenceGroup {
  title: Texts
  about: Texts
  classes: string[]
}

/** A chapter in one language. */
export interface Chapter {
  id: string
  title: string
  about: string
  classes: ClassReference[]
}

/** The chapters of every class. Behind the groups are the resources that none of them names, then inputs and documents. */
export function chaptersOf(
  reference: ClassReference[],
  groups: ReferenceGroup[],
  tag: string,
  { others, inputs, documents }: Record<'others' | 'inputs' | 'documents', { title: string; about: string }>,
): Chapter[] {
  const classes = reference.map((one) => ({ ...one, operations: operationsAbout(one, reference) }))
  const named = new Set(groups.flatMap((group) => group.classes))
  const rest = classes.filter(({ name }) => !named.has(name))
  const chapters = [
    ...groups.map(({ title, about, classes: names }) => ({
      ...{ title: title[tag], about: about[tag] },
      classes: names.flatMap((name) => classes.filter((one) => one.name === name)),
    })),
    { ...others, classes: rest.filter(({ kind }) => kind === 'resource') },
    { ...inputs, classes: rest.filter(({ kind }) => kind === 'input') },
    { ...documents, classes: rest.filter(({ kind }) => kind === 'document') },
  ]
  return chapters
    .filter((chapter) => chapter.classes.length > 0)
    .map((chapter, index) => ({ id: `chapter-${index + 1}`, ...chapter }))
}

const methods = ['GET', 'POST', 'PATCH', 'DELETE']

/** The operations whose sentence names the class, in the order of the API reference: by path, then by method. */
function operationsAbout({ name }: ClassReference, reference: ClassReference[]): OperationReference[] {
  const found = reference.flatMap(({ operations }) => operations).filter(({ subject }) => subject === name)
  const place = ({ path, method }: OperationReference) => `${path.replaceAll('{', '!')} ${methods.indexOf(method)}`
  return found.sort((a, b) => (place(a) < place(b) ? -1 : 1))
}
