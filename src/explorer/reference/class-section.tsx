import { EndpointTable } from './endpoint-table.tsx'
import type { ClassReference } from './groups.ts'
import type { Reference } from './reference.ts'
import { FieldTable, FilterTable, LinkTable } from './tables.tsx'

/** One class: its endpoints, fields, links and filters, and an example. */
export function ClassSection({ reference, described }: { reference: Reference; described: ClassReference }) {
  const { api, tag, words, examples } = reference
  const { name, kind, operations, fields, links, filters } = described
  const example = examples.get(name)
  const label = api.labels.label(tag, name)
  return (
    <section aria-labelledby={name} class="class">
      <h3 id={name}>{label}</h3>
      <p>{api.labels.description(tag, name)}</p>
      {operations.length > 0 && (
        <>
          <h4>{words.endpoints}</h4>
          <EndpointTable reference={reference} operations={operations} label={`${label}: ${words.endpoints}`} />
        </>
      )}
      {fields.length > 0 && (
        <>
          <h4>{words.fields}</h4>
          <FieldTable reference={reference} fields={fields} label={`${label}: ${words.fields}`} />
          {fields.some(({ required }) => required) && <p class="note">{words.required}</p>}
        </>
      )}
      {links.length > 0 && (
        <>
          <h4>{words.links}</h4>
          {kind !== 'document' && <p>{words.linksAbout}</p>}
          <LinkTable reference={reference} type={name} links={links} label={`${label}: ${words.links}`} />
        </>
      )}
      {filters.length > 0 && (
        <>
          <h4>{words.filters}</h4>
          <FilterTable reference={reference} described={described} label={`${label}: ${words.filters}`} />
        </>
      )}
      {example && (
        <>
          <h4>{words.example}</h4>
          {kind !== 'document' && <p>{words.exampleAbout}</p>}
          <pre>
            <code>{JSON.stringify(example, null, 2)}</code>
          </pre>
        </>
      )}
      <p>
        <a href="#contents">{words.toTop}</a>
      </p>
    </section>
  )
}
