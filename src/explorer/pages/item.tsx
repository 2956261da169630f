import type { Api, Operation, Resource } from '../../hydra/index.ts'
import type { Drawing } from '../drawing.ts'
import type { Document, PageContent, Shape } from '../engine.ts'
import { Actions } from '../parts/actions.tsx'
import { Data } from '../parts/data.tsx'
import { markup } from '../parts/markup.ts'
import { CopyText, TimeZoneNote } from '../parts/script-elements.tsx'
import { About, drawTerm } from '../parts/term.tsx'
import { valuesOf } from '../parts/value.tsx'
import { collectionLabel, labelOf } from '../words/labels.ts'

/** The page of an item: its properties, its operations, and the collections that it leads to. */
export function ItemPage({ drawing, content }: { drawing: Drawing; content: PageContent }) {
  const { view } = drawing
  const { shape } = content
  const hasTimes = shape.fields.some(({ datatype, name }) => datatype === 'xsd:dateTime' && view.document[name])
  return (
    <>
      <About drawing={drawing} shape={shape} />
      <Properties drawing={drawing} shape={shape} document={view.document} />
      <TimeZoneNote drawing={drawing} hasTimes={hasTimes} />
      <Related drawing={drawing} shape={shape} />
      <Actions drawing={drawing} />
      <Data drawing={drawing} />
    </>
  )
}

function Properties({ drawing, shape, document }: { drawing: Drawing; shape: Shape; document: Document }) {
  return (
    <dl class="properties">
      {shape.fields
        .filter(({ name }) => name in document)
        .map((field) => {
          const term = drawTerm(drawing, { shape, name: field.name, id: 'property' })
          const value = valuesOf(drawing, shape, field)(document)
          const isIdentifier = field.term.iri === 'schema:identifier'
          return markup`<div><dt>${term}</dt><dd>${isIdentifier ? <CopyText drawing={drawing}>{value}</CopyText> : value}</dd></div>`
        })}
    </dl>
  )
}

/** The collections that can be filtered by this item, and that the caller may list. */
function Related({ drawing, shape }: { drawing: Drawing; shape: Shape }) {
  const { api, tag, view, words, to } = drawing
  const iri = view.document['@id'] as string
  const found = referringTo(api, shape).flatMap(({ resource, list, type, name }) => {
    if (!api.permissions.allows(list, view.caller) || resource.hides(view.caller.role, name)) return []
    const href = `${api.iris.at(resource.path)}?${name}=${encodeURIComponent(iri)}`
    return [{ href, text: words.relatedBy(collectionLabel(api, tag, resource), labelOf(api, tag, type, name)) }]
  })
  if (found.length === 0) return null
  return (
    <section aria-labelledby="related">
      <h2 id="related">{words.related}</h2>
      <ul class="links">
        {found.map(({ href, text }) => (
          <li key={href}>
            <a href={to(href)}>{text}</a>
          </li>
        ))}
      </ul>
    </section>
  )
}

/** A filter of a collection by a reference. */
interface Relation {
  resource: Resource
  list: Operation
  type: string
  /** The name of the reference. */
  name: string
}

const relations = new WeakMap<Shape, Relation[]>()

/** The collections that can be filtered by items of a class. */
function referringTo(api: Api, shape: Shape): Relation[] {
  const known = relations.get(shape)
  if (known) return known
  const found = api.listed().flatMap(([, resource]) => {
    const { fields, name: type } = api.shape(resource.entity)
    const list = resource.operations.find((operation) => operation.name === 'list')
    const { filters = {} } = resource.options
    const referring = fields.filter(({ target, name }) => target === shape.class && name in filters)
    return list ? referring.map(({ name }) => ({ resource, list, type, name })) : []
  })
  relations.set(shape, found)
  return found
}
