import type { Drawing } from '../drawing.ts'
import type { Collection, Field, PageContent } from '../engine.ts'
import type { ReferenceOptions } from '../reference-options.ts'
import { labelOf } from '../words/labels.ts'
import { FilterInput } from './filter-input.tsx'
import { KeptParameters } from './kept-parameters.tsx'

interface FiltersProps {
  drawing: Drawing
  content: PageContent
  collection: Collection
  options: ReferenceOptions
}

/** The filters of a collection as a form: one field for each variable of its search. Everything is part of the address. */
export function Filters({ drawing, content, collection, options }: FiltersProps) {
  const { words, view, to } = drawing
  const { shape } = content
  const path = view.request.withSuffix(view.request.path)
  const names = new Set(collection.search.variables.map(({ name }) => name))
  const filtered = [...shape.fields].filter(({ name }) => [...names].some((variable) => propertyOf(variable) === name))
  if (names.size === 0) return null
  const isFiltered = hasFilters(drawing, collection)
  return (
    <details open={isFiltered}>
      <summary class="button">{words.filter}</summary>
      <form method="get" action={path} class="filters">
        <KeptParameters drawing={drawing} without={(name) => names.has(name.replace(/\[\d*\]$/, ''))} />
        {names.has('q') && (
          <label>
            {words.search}
            <input type="search" name="q" value={view.request.query.get('q') ?? ''} />
          </label>
        )}
        {filtered
          .filter(({ term }) => term.iri !== 'schema:identifier')
          .map((field) => (
            <Property
              drawing={drawing}
              content={content}
              field={field}
              names={names}
              options={options}
              key={field.name}
            />
          ))}
        <p class="buttons">
          <button type="submit">{words.apply}</button>
          {isFiltered && <a href={to(path)}>{words.clear}</a>}
        </p>
      </form>
    </details>
  )
}

/** The filters of one property, under its label. */
function Property({
  drawing,
  content: { shape },
  field,
  names,
  options,
}: Omit<FiltersProps, 'collection'> & { field: Field; names: Set<string> }) {
  const variables = [...names].filter((name) => propertyOf(name) === field.name && !isHidden(drawing, name))
  return (
    <fieldset>
      <legend>{labelOf(drawing.api, drawing.tag, shape.name, field.name)}</legend>
      {variables.map((name) => (
        <FilterInput drawing={drawing} field={field} name={name} options={options.get(field.name) ?? []} key={name} />
      ))}
    </fieldset>
  )
}

/** The property that a variable filters by: `dateFrom[after]` and `exists[time]`. */
function propertyOf(variable: string): string {
  return /^exists\[(.+)\]$/.exec(variable)?.[1] ?? variable.replace(/\[.*\]$/, '')
}

/** Bounds that exclude their value are fields only where the address has them. */
function isHidden({ view: { request } }: Drawing, name: string): boolean {
  return /\[(strictly_before|strictly_after|gt|lt|between)\]$/.test(name) && !request.query.has(name)
}

/** Whether the address has a filter of the collection. */
export function hasFilters({ view: { request } }: Drawing, { search }: Collection): boolean {
  const names = new Set(search.variables.map(({ name }) => name))
  return [...request.query.keys()].some((name) => names.has(name) || names.has(name.replace(/\[\d*\]$/, '')))
}
