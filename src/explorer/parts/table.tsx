import type { VNode } from 'preact'
import type { Drawing } from '../drawing.ts'
import type { Collection, Document, Field, PageContent, Shape } from '../engine.ts'
import { titleOf } from '../titles.ts'
import { collectionLabel } from '../words/labels.ts'
import { orderedBy } from './columns.tsx'
import { markup } from './markup.ts'
import { Scroll } from './scroll.tsx'
import { drawTerm } from './term.tsx'
import { type DrawValue, drawTitle, isEmpty, valuesOf } from './value.tsx'

interface TableProps {
  drawing: Drawing
  content: PageContent
  collection: Collection
  columns: string[]
}

/** The members of a collection, one a row. The first column leads to the item. */
export function Table({ drawing, content: { resource, shape, items }, collection, columns }: TableProps) {
  const { api, tag } = drawing
  const fields = columns.map((name) => shape.field.get(name) as Field)
  const label = collectionLabel(api, tag, resource)
  return (
    <Scroll label={label}>
      <table>
        <thead>
          <tr>{fields.map((field) => drawHeading(drawing, shape, collection, field))}</tr>
        </thead>
        <tbody>{items.map(rowsOf(drawing, shape, fields))}</tbody>
      </table>
    </Scroll>
  )
}

/** Draws the row of an item. The markup between its values is the same in all rows, so each row is one node. */
function rowsOf(drawing: Drawing, shape: Shape, [first, ...others]: Field[]): (document: Document) => VNode {
  const ends = others.map((field, index) => `${index === 0 ? '</a></th>' : '</td>'}<td${classOf(field)}>`)
  const last = others.length === 0 ? '</a></th></tr>' : '</td></tr>'
  const texts = ['<tr><th scope="row"><a href="', '">', ...ends, last]
  const drawFirst = rowTitlesOf(drawing, shape, first)
  const drawers = others.map((field) => valuesOf(drawing, shape, field))
  return (document) => {
    const values = drawers.map((drawValue) => drawValue(document))
    return markup(texts, drawing.to(document['@id'] as string), drawFirst(document), ...values)
  }
}

const classOf = (field: Field) => (isNumeric(field) ? ' class="number"' : '')

/** The value that tells the item apart; the title of the item where it is empty. */
function rowTitlesOf(drawing: Drawing, shape: Shape, field: Field): DrawValue {
  const drawValue = valuesOf(drawing, shape, field)
  return (document) => {
    const value = document[field.name]
    return isEmpty(value) || typeof value === 'object'
      ? drawTitle(drawing, titleOf(drawing, shape, document))
      : drawValue(document)
  }
}

/** The heading of a column. A click orders the rows by it, where that can be. */
function drawHeading(drawing: Drawing, shape: Shape, { order, search }: Collection, field: Field): VNode {
  const { words, to } = drawing
  const step = order.find(({ property }) => property === field.name)
  const isAscending = step !== undefined && !step.descending
  const href = search.sortable.includes(field.name) ? to(orderedBy(drawing, field.name, isAscending)) : undefined
  const term = drawTerm(drawing, { shape, name: field.name, href, id: 'column' })
  if (!step && !isNumeric(field)) return markup`<th scope="col">${term}</th>`
  const direction = step && (step.descending ? 'descending' : 'ascending')
  return (
    <th scope="col" aria-sort={direction} class={isNumeric(field) ? 'number' : undefined}>
      {term}
      {direction && (
        <span class="direction">
          {direction === 'ascending' ? '▲' : '▼'}
          <span class="hidden">{words.sorted[direction]}</span>
        </span>
      )}
    </th>
  )
}

function isNumeric({ kind, datatype }: Field): boolean {
  return kind === 'value' && (datatype === 'xsd:integer' || datatype === 'xsd:decimal')
}
