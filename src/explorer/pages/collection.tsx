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
import { TimeZoneNote } from '../parts/script-elements.tsx'
import { Table } from '../parts/table.tsx'
import { About } from '../parts/term.tsx'
import { CalendarPicture } from '../pictures/calendar.tsx'
import type { ReadPicture } from '../pictures/read-picture.ts'
import { SumsPicture } from '../pictures/sums.tsx'
import { PictureSwitch } from '../pictures/switch.tsx'
import { collectionLabel } from '../words/labels.ts'
import { operationTitle, roleName } from '../words/operation-words.ts'

interface PageProps {
  drawing: Drawing
  content: PageContent
  collection: Collection
  choices: ChoicesOf
  /** The picture that the page shows in place of its table. */
  picture: ReadPicture | undefined
}

/** The page of a collection: filters, a table or a picture, the links to other pages, and the operations. */
export function CollectionPage({ drawing, content, collection, choices, picture }: PageProps) {
  const { formats, words } = drawing
  const { shape } = content
  const columns = columnsOf(drawing, content)
  return (
    <>
      <About drawing={drawing} shape={shape} />
      <PictureSwitch drawing={drawing} shown={picture?.rule} />
      <div class="tools">
        <Filters {...{ drawing, content, collection, choices }} picture={picture?.rule} />
        {!picture && <Columns drawing={drawing} shape={shape} shown={columns} />}
      </div>
      <p class="total">{words.total(formats.number(collection.total), collection.limited)}</p>
      {picture?.rule.kind !== 'sums' && <Pager drawing={drawing} links={collection.links} />}
      <Members drawing={drawing} content={content} collection={collection} columns={columns} picture={picture} />
      <Actions drawing={drawing} />
      <Data drawing={drawing} />
    </>
  )
}

/** The members in the picture that the address asks for, or as a table. */
function Members({
  drawing,
  content,
  collection,
  columns,
  picture,
}: Omit<PageProps, 'choices'> & { columns: string[] }) {
  const { shape, items } = content
  if (picture?.rule.kind === 'calendar')
    return <CalendarPicture drawing={drawing} content={content} collection={collection} calendar={picture.rule} />
  if (collection.total === 0 || items.length === 0)
    return <Empty drawing={drawing} content={content} collection={collection} />
  if (picture?.rule.kind === 'sums')
    return <SumsPicture drawing={drawing} shape={shape} picture={picture.rule} sums={picture.sums ?? []} />
  const hasTimes = columns.some((name) => shape.field.get(name)?.datatype === 'xsd:dateTime')
  return (
    <>
      <Table drawing={drawing} content={content} collection={collection} columns={columns} />
      <TimeZoneNote drawing={drawing} hasTimes={hasTimes} />
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
      {own && words.makeFirst(operationTitle(drawing, resource, own.operation))}
      {!own && (roles ? words.askOthers(roles) : words.comeByThemselves)}
    </p>
  )
}
