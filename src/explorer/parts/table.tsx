import type { ComponentChild } from 'preact'
import type { Drawing } from '../drawing.ts'
import type { Collection, Field, PageContent } from '../engine.ts'
import { titleOf } from '../titles.ts'
import { collectionLabel } from '../words/labels.ts'
import { orderedBy } from './columns.tsx'
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
        <tbody>
          {items.map((member) => (
            <tr key={member['@id'] as string}>
              {fields.map((field, index) =>
                index === 0 ? (
                  <th scope="row" key={field.name}>
                    <a href={drawing.to(member['@id'] as string)}>
                      {drawTitle({ drawing, shape, field, document: member })}
                    </a>
                  </th>
                ) : (
                  <td key={field.name} class={isNumeric(field) ? 'number' : undefined}>
                    {drawValue({ drawing, shape, field, document: member })}
                  </td>
                ),
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  )
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
