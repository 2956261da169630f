import type { ChoicesOf } from '../choices.ts'
import type { Drawing } from '../drawing.ts'
import { firstPage, pathOf, withParameters } from '../drawing.ts'
import type { Collection, PageContent } from '../engine.ts'
import { Actions } from '../parts/actions.tsx'
import { Columns, columnsOf } from '../parts/columns.tsx'
import { Data } from '../parts/data.tsx'
import { hasFilters } from '../parts/filter-state.ts'
import { Filters } from '../parts/filters.tsx'
import { Pager } from '../parts/pager.tsx'
import { Table } from '../parts/table.tsx'
import { About } from '../parts/term.tsx'
import { collectionLabel } from '../words/labels.ts'
import { operationTitle, roleName } from '../words/operation-words.ts'

/** The page of a collection: filters, a table, the links to other pages, and the operations. */
export function CollectionPage({
  drawing,
  content,
  collection,
  choices,
}: {
  drawing: Drawing
  content: PageContent
  collection: Collection
  choices: ChoicesOf
}) {
  const { words, formats } = drawing
  const { shape, items } = content
  const columns = columnsOf(drawing, content)
  const hasTimes = columns.some((name) => shape.field.get(name)?.datatype === 'xsd:dateTime')
  return (
    <>
      <About drawing={drawing} shape={shape} />
      <div class="tools">
        <Filters drawing={drawing} content={content} collection={collection} choices={choices} />
        <Columns drawing={drawing} shape={shape} shown={columns} />
      </div>
      <p class="total">{words.total(collection.total, collection.limited)}</p>
      <Pager drawing={drawing} links={collection.links} />
      {items.length > 0 ? (
        <Table drawing={drawing} content={content} collection={collection} columns={columns} />
      ) : (
        <Empty drawing={drawing} content={content} collection={collection} />
      )}
      {hasTimes && items.length > 0 && <p class="note">{words.timeZone(formats.zone)}</p>}
      <Actions drawing={drawing} />
      <Data drawing={drawing} />
    </>
  )
}

/** Says why no row is here, and what to do. */
function Empty({ drawing, content, collection }: { drawing: Drawing; content: PageContent; collection: Collection }) {
  const { api, tag, words, view, to } = drawing
  const { resource } = content
  if (collection.total > 0)
    return (
      <p class="empty">
        {words.nothingHere} <a href={to(withParameters(drawing, firstPage))}>{words.toFirst}</a>
      </p>
    )
  if (hasFilters(drawing, collection))
    return (
      <p class="empty">
        {words.nothingFound} <a href={to(pathOf(drawing))}>{words.clear}</a>
      </p>
    )
  const own = view.operations.find(({ operation }) => operation.name === 'create')
  const create = resource.operations.find(({ name }) => name === 'create')
  const roles =
    create &&
    api.permissions
      .rolesOf(create)
      .map((role) => roleName(tag, role))
      .join(` ${words.or} `)
  return (
    <p class="empty">
      {words.nothing(collectionLabel(api, tag, resource))}{' '}
      {own ? words.makeFirst(operationTitle(drawing, resource, own.operation)) : roles && words.askOthers(roles)}
    </p>
  )
}
