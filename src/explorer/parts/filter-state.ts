import { asksFor, type Drawing } from '../drawing.ts'
import type { Collection, Field, PageContent } from '../engine.ts'
import { isOfPeriod } from '../pictures/calendar-period.ts'
import type { Picture } from '../pictures/pictures.ts'
import type { Referring } from '../titles.ts'

/** The variables that the reader filters by. The bounds of a calendar's period are a part of the picture. */
export function filterNames({ search }: Collection, picture: Picture | undefined): Set<string> {
  const names = search.variables.map(({ name }) => name)
  return new Set(picture?.kind === 'calendar' ? names.filter((name) => !isOfPeriod(picture, name)) : names)
}

/** Whether the address has a filter of the collection. */
export function hasFilters(
  { view: { request } }: Pick<Drawing, 'view'>,
  collection: Collection,
  picture?: Picture,
): boolean {
  const names = filterNames(collection, picture)
  return [...request.query.keys()].some((name) => names.has(name) || names.has(name.replace(/\[\d*\]$/, '')))
}

/** Whether the form of the filters is drawn. */
export function showsFilters(
  drawing: Pick<Drawing, 'api' | 'view'>,
  collection: Collection,
  picture?: Picture,
): boolean {
  const isSearched = [...drawing.view.request.query.keys()].some((name) => isSearchText(drawing.api, name))
  return isSearched || asksFor(drawing, 'filters') || hasFilters(drawing, collection, picture)
}

/** Whether a parameter is the text that the choices of a reference are searched by. */
export function isSearchText({ formNames }: Drawing['api'], name: string): boolean {
  return name.startsWith(formNames.searchText('').slice(0, -1))
}

/** The text that the choices of a reference are searched by, if the address has one. */
export function searchTextOf({ api, view }: Pick<Drawing, 'api' | 'view'>, name: string): string | undefined {
  return view.request.query.get(api.formNames.searchText(name))?.trim() || undefined
}

/** The references that the drawn filters of a collection offer. */
export function filteredReferences(
  drawing: Pick<Drawing, 'api' | 'view'>,
  { collection, shape }: PageContent,
  picture: Picture | undefined,
): Field[] {
  if (!collection || !showsFilters(drawing, collection, picture)) return []
  const names = new Set(collection.search.variables.map(({ property }) => property))
  return shape.fields.filter(({ name, kind }) => kind === 'reference' && names.has(name))
}

/** The references that the drawn filters hold already. */
export function filteringReferences(
  drawing: Pick<Drawing, 'api' | 'view'>,
  content: PageContent,
  picture: Picture | undefined,
): Referring {
  const fields = filteredReferences(drawing, content, picture)
  const variables = content.collection?.search.variables ?? []
  const given = ({ name }: Field) =>
    variables
      .filter(({ property }) => property === name)
      .flatMap((variable) => valuesOf(drawing.view.request.query, variable.name))
  return { fields, items: [Object.fromEntries(fields.map((field) => [field.name, given(field)]))] }
}

/** The values of a parameter, which may be a list. */
export function valuesOf(query: URLSearchParams, name: string): string[] {
  return [...query]
    .filter(([given]) => given === name || given.replace(/\[\d*\]$/, '') === name)
    .map(([, value]) => value)
}
