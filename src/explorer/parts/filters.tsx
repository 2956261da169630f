import type { ChoicesOf } from '../choices.ts'
import { asksFor, type Drawing, firstPage, pathOf, withParameters, withPart } from '../drawing.ts'
import type { Collection, Field, PageContent } from '../engine.ts'
import type { Picture } from '../pictures/pictures.ts'
import { labelOf } from '../words/labels.ts'
import { FilterInput } from './filter-input.tsx'
import { filterNames, hasFilters, isSearchText, showsFilters } from './filter-state.ts'
import { KeptParameters } from './kept-parameters.tsx'

interface FiltersProps {
  drawing: Drawing
  content: PageContent
  collection: Collection
  choices: ChoicesOf
  picture: Picture | undefined
}

/**
 * The filters of a collection as a form, with a field for each variable of its search. Everything is part of the address. The form
 * is read and drawn only where the address has a filter or asks for it.
 */
export function Filters({ drawing, content, collection, choices, picture }: FiltersProps) {
  const { words, view, to } = drawing
  const { fields } = content.shape
  const names = filterNames(collection, picture)
  if (names.size === 0) return null
  if (!showsFilters(drawing, collection, picture))
    return (
      <a class="button" href={to(withPart(drawing, 'filters', true))}>
        {words.filter}
      </a>
    )
  const isFilter = (name: string) => names.has(name.replace(/\[\d*\]$/, '')) || isSearchText(drawing.api, name)
  const filtered = fields.filter(({ name, term }) => term.iri !== 'schema:identifier' && hasVariable(names, name))
  return (
    <details open>
      {/* The link to the filters loads the page again, so the focus returns to the same place. */}
      <summary class="button" autofocus={asksFor(drawing, 'filters')}>
        {words.filter}
      </summary>
      <form method="get" action={pathOf(drawing)} class="filters">
        <KeptParameters drawing={drawing} without={isFilter} />
        {names.has('q') && (
          <label>
            {words.search}
            <input type="search" name="q" value={view.request.query.get('q') ?? ''} />
          </label>
        )}
        {filtered.map((field) => (
          <Property
            drawing={drawing}
            content={content}
            field={field}
            names={names}
            choices={choices}
            key={field.name}
          />
        ))}
        <p class="buttons">
          <button type="submit">{words.apply}</button>
          {hasFilters(drawing, collection, picture) && (
            <a href={to(withoutFilters(drawing, isFilter))}>{words.clear}</a>
          )}
        </p>
      </form>
    </details>
  )
}

function hasVariable(names: Set<string>, property: string): boolean {
  return [...names].some((variable) => propertyOf(variable) === property)
}

/** The address of the same page without its filters. */
function withoutFilters(drawing: Drawing, isFilter: (name: string) => boolean): string {
  const names = [...drawing.view.request.query.keys()].filter(isFilter)
  return withParameters(drawing, { ...firstPage, ...Object.fromEntries(names.map((name) => [name, [] as string[]])) })
}

/** The filters of one property, under its label. */
function Property({
  drawing,
  content: { shape },
  field,
  names,
  choices,
}: Omit<FiltersProps, 'collection' | 'picture'> & { field: Field; names: Set<string> }) {
  const variables = [...names]
    .filter((name) => propertyOf(name) === field.name && !isHidden(drawing, name))
    .sort((one, other) => place(one) - place(other))
  return (
    <fieldset>
      <legend>{labelOf(drawing.api, drawing.tag, shape.name, field.name)}</legend>
      {variables.map((name) => (
        <FilterInput
          drawing={drawing}
          type={shape.name}
          field={field}
          name={name}
          choices={choices.get(field.name)}
          key={name}
        />
      ))}
    </fieldset>
  )
}

/** The place of a variable among those of its property. The start of a period comes before its end; existence comes last. */
function place(variable: string): number {
  if (variable.startsWith('exists[')) return 2
  return variable.endsWith('before]') ? 1 : 0
}

/** The property that a variable filters by: `dateFrom[after]` and `exists[time]`. */
function propertyOf(variable: string): string {
  return /^exists\[(.+)\]$/.exec(variable)?.[1] ?? variable.split('[', 1)[0]
}

/** Bounds that exclude their value are fields only where the address has them. */
function isHidden({ view: { request } }: Drawing, name: string): boolean {
  return /\[(strictly_before|strictly_after|gt|lt|between)\]$/.test(name) && !request.query.has(name)
}
