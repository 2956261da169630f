import type { ComponentChild, VNode } from 'preact'
import type { Drawing } from '../drawing.ts'
import type { Collection, Document, Field, PageContent, Shape } from '../engine.ts'
import { titleOf } from '../titles.ts'
import { collectionLabel } from '../words/labels.ts'
import { orderedBy } from './columns.tsx'
import { markup } from './markup.ts'
import { Scroll } from './scroll.tsx'
import { Term } from './term.tsx'
import { drawValue, isEmpty, type Place } from './value.tsx'

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
          <tr>
            {fields.map((field) => (
              <Heading drawing={drawing} shape={shape} field={field} collection={collection} key={field.name} />
            ))}
          </tr>
        </thead>
        <tbody>{items.map((document) => drawRow(drawing, shape, fields, document))}</tbody>
      </table>
    </Scroll>
  )
}

function drawRow(drawing: Drawing, shape: Shape, [first, ...others]: Field[], document: Document): VNode {
  const place = { drawing, shape, document }
  const title = drawTitle({ ...place, field: first })
  const cells = others.map((field) => {
    const value = drawValue({ ...place, field })
    return isNumeric(field) ? markup`<td class="number">${value}</td>` : markup`<td>${value}</td>`
  })
  return markup`<tr><th scope="row"><a href="${drawing.to(document['@id'] as string)}">${title}</a></th>${cells}</tr>`
}

/** The value that tells the item apart; the title of the item where it is empty. */
function drawTitle({ drawing, shape, field, document }: Place): ComponentChild {
  const value = document[field.name]
  if (isEmpty(value) || typeof value === 'object') return titleOf(drawing, shape, document)
  return drawValue({ drawing, shape, field, document })
}

/** The heading of a column. A click orders the rows by it, where that can be. */
function Heading({ drawing, shape, field, collection }: Omit<Place, 'document'> & { collection: Collection }) {
  const { words, to } = drawing
  const { order, search } = collection
  const step = order.find(({ property }) => property === field.name)
  const isAscending = step !== undefined && !step.descending
  const href = search.sortable.includes(field.name) ? to(orderedBy(drawing, field.name, isAscending)) : undefined
  const direction = step && (step.descending ? 'descending' : 'ascending')
  return (
    <th scope="col" aria-sort={direction} class={isNumeric(field) ? 'number' : undefined}>
      <Term drawing={drawing} shape={shape} name={field.name} href={href} id="column" />
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
