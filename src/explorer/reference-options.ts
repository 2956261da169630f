import { asksFor, type Drawing } from './drawing.ts'
import type { Collection, Document, PageContent, Shape } from './engine.ts'
import { titleOf } from './titles.ts'

/** The items that a reference can lead to, by the name of the property: their IRIs and titles. */
export type ReferenceOptions = ReadonlyMap<string, Option[]>

export interface Option {
  value: string
  title: string
}

/** The most items of a select. A reference to a larger collection is a field for an address. */
const mostOptions = 30

/** The items that the references of a search can lead to, by the name of the property. */
export type Listed = [name: string, shape: Shape, documents: Document[]][]

/** Reads the items of each reference that a collection can be filtered by, if few enough for a select. */
export async function readListed({ api, view }: Pick<Drawing, 'api' | 'view'>, content: PageContent): Promise<Listed> {
  const { collection } = content
  if (!collection || !showsFilters({ view }, collection)) return []
  const names = new Set(collection.search.variables.map(({ property }) => property))
  const fields = content.shape.fields.filter(({ name, kind }) => kind === 'reference' && names.has(name))
  return Promise.all(
    fields.map(async ({ name, target }): Promise<Listed[number]> => {
      const shape = api.shape(target as NonNullable<typeof target>)
      const documents = await view.list(shape.class, mostOptions + 1)
      return [name, shape, documents.length > mostOptions ? [] : documents]
    }),
  )
}

/** The choices of each reference by the name of its property. */
export function optionsOf(drawing: Pick<Drawing, 'api' | 'tag' | 'formats'>, listed: Listed): ReferenceOptions {
  return new Map(
    listed.map(([name, shape, documents]) => [
      name,
      documents.map((document) => ({ value: document['@id'] as string, title: titleOf(drawing, shape, document) })),
    ]),
  )
}

/** Whether the address has a filter of the collection. */
export function hasFilters({ view: { request } }: Pick<Drawing, 'view'>, { search }: Collection): boolean {
  const names = new Set(search.variables.map(({ name }) => name))
  return [...request.query.keys()].some((name) => names.has(name) || names.has(name.replace(/\[\d*\]$/, '')))
}

/** Whether the form of the filters is drawn. */
export function showsFilters(drawing: Pick<Drawing, 'view'>, collection: Collection): boolean {
  return asksFor(drawing, 'filters') || hasFilters(drawing, collection)
}
