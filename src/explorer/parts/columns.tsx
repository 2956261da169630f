import { type Drawing, pathOf, withParameters } from '../drawing.ts'
import type { Field, PageContent, Shape } from '../engine.ts'
import { isRecordDate, titleField } from '../titles.ts'
import { labelOf } from '../words/labels.ts'
import { drawOnce } from './drawn-once.tsx'
import { KeptParameters } from './kept-parameters.tsx'

/** The most columns of a table, unless the reader chooses them. */
const mostColumns = 8

const isSelection = (name: string) => /^properties(\[\d*\])?$/.test(name)

/** The columns of a table: those that the address names, or else the properties that tell the most. */
export function columnsOf({ view: { request } }: Pick<Drawing, 'view'>, { shape }: PageContent): string[] {
  const asked = [...request.query].filter(([name]) => isSelection(name)).map(([, value]) => value)
  const chosen = shape.fields.filter(({ name }) => asked.includes(name))
  const shown = chosen.length > 0 ? chosen : shape.fields.filter(isTelling).slice(0, mostColumns)
  const title = titleField(shape)
  const names = shown.map(({ name }) => name).filter((name) => name !== title)
  return title === undefined ? names : [title, ...names]
}

/** Whether a property belongs in a table: no id, no date of the record, no list, and no structure. */
function isTelling({ kind, term, datatype }: Field): boolean {
  if (kind === 'references' || (kind === 'value' && (datatype === null || term.type === '@id'))) return false
  return term.iri !== 'schema:identifier' && !isRecordDate(term.iri)
}

/** The form by which the reader chooses columns. The choice is part of the address. */
export function Columns({ drawing, shape, shown }: { drawing: Drawing; shape: Shape; shown: string[] }) {
  const { api, tag, words } = drawing
  return (
    <details>
      <summary class="button">{words.columns}</summary>
      <form method="get" action={pathOf(drawing)}>
        <KeptParameters drawing={drawing} without={isSelection} />
        {drawOnce(api, ['columns', tag, shape.name, ...shown].join(' '), () => (
          <fieldset>
            <legend>{words.columns}</legend>
            {shape.fields.map(({ name }) => (
              <label key={name}>
                <input type="checkbox" name="properties[]" value={name} checked={shown.includes(name)} />
                {labelOf(api, tag, shape.name, name)}
              </label>
            ))}
          </fieldset>
        ))}
        <button type="submit">{words.showColumns}</button>
      </form>
    </details>
  )
}

/** The address of the same rows in another order. A second click turns the order round. */
export function orderedBy(drawing: Drawing, name: string, isAscending: boolean): string {
  const others = [...drawing.view.request.query.keys()].filter((parameter) => parameter.startsWith('order['))
  const without = Object.fromEntries(others.map((parameter) => [parameter, [] as string[]]))
  return withParameters(drawing, {
    ...without,
    ...{ page: [], after: [], before: [] },
    [`order[${name}]`]: [isAscending ? 'desc' : 'asc'],
  })
}
