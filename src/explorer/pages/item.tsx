import type { Drawing } from '../drawing.ts'
import type { Document, PageContent, Shape } from '../engine.ts'
import { Actions } from '../parts/actions.tsx'
import { Data } from '../parts/data.tsx'
import { CopyText, TimeZoneNote } from '../parts/script-elements.tsx'
import { About, Term } from '../parts/term.tsx'
import { drawValue } from '../parts/value.tsx'
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
      {hasTimes && <TimeZoneNote drawing={drawing} />}
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
        .map((field) => (
          <div key={field.name}>
            <dt>
              <Term drawing={drawing} shape={shape} name={field.name} id="property" />
            </dt>
            <dd>
              {field.term.iri === 'schema:identifier' ? (
                <CopyText drawing={drawing}>{drawValue({ drawing, shape, field, document })}</CopyText>
              ) : (
                drawValue({ drawing, shape, field, document })
              )}
            </dd>
          </div>
        ))}
    </dl>
  )
}

/** The collections that can be filtered by this item, and that the caller may list. */
function Related({ drawing, shape }: { drawing: Drawing; shape: Shape }) {
  const { api, tag, view, words, to } = drawing
  const iri = view.document['@id'] as string
  const found = api.listed().flatMap(([, resource]) => {
    const { fields, name } = api.shape(resource.entity)
    const list = resource.operations.find((operation) => operation.name === 'list')
    if (!list || !api.permissions.allows(list, view.caller)) return []
    return fields
      .filter((field) => field.target === shape.class && isFilter(resource, field.name, view.caller.role))
      .map((field) => ({
        href: `${api.iris.at(resource.path)}?${new URLSearchParams({ [field.name]: iri })}`,
        text: words.relatedBy(collectionLabel(api, tag, resource), labelOf(api, tag, name, field.name)),
      }))
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

function isFilter(resource: PageContent['resource'], name: string, role: string): boolean {
  return resource.options.filters !== undefined && name in resource.options.filters && !resource.hides(role, name)
}
