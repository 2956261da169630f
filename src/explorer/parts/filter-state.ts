import { asksFor, type Drawing } from '../drawing.ts'
import type { Collection, Field, PageContent } from '../engine.ts'

/** Whether the address has a filter of the collection. */
export function hasFilters({ view: { request } }: Pick<Drawing, 'view'>, { search }: Collection): boolean {
  const names = new Set(search.variables.map(({ name }) => name))
  return [...request.query.keys()].some((name) => names.has(name) || names.has(name.replace(/\[\d*\]$/, '')))
}

/** Whether the form of the filters is drawn. */
export function showsFilters(drawing: Pick<Drawing, 'view'>, collection: Collection): boolean {
  return asksFor(drawing, 'filters') || hasFilters(drawing, collection)
}

/** The references that the drawn filters of a collection offer. */
export function filteredReferences(drawing: Pick<Drawing, 'view'>, { collection, shape }: PageContent): Field[] {
  if (!collection || !showsFilters(drawing, collection)) return []
  const names = new Set(collection.search.variables.map(({ property }) => property))
  return shape.fields.filter(({ name, kind }) => kind === 'reference' && names.has(name))
}
