import { ScrollingTable } from '../parts/scrolling-table.tsx'
import type { ClassReference, FieldReference, FilterReference } from './groups.ts'
import type { Part } from './reference.ts'

export function FieldTable({ reference, fields, label }: Part & { fields: FieldReference[] }) {
  const { words } = reference
  return (
    <ScrollingTable label={label} heads={[words.field, words.type, words.description]}>
      {fields.map((field) => (
        <tr key={field.name} id={field.fragment}>
          <td>
            <code>
              {field.name}
              {field.required && '*'}
            </code>
          </td>
          <td>
            <code>{typeOf(field)}</code>
          </td>
          <td>
            <FieldText reference={reference} field={field} />
          </td>
        </tr>
      ))}
    </ScrollingTable>
  )
}

function FieldText({ reference, field }: Pick<Part, 'reference'> & { field: FieldReference }) {
  const { api, tag, words } = reference
  const { name, textsOf, target, values, writers, isWritable } = field
  const isForAll = api.roles.tenant.every((role) => writers.includes(role))
  return (
    <>
      <strong>{api.labels.label(tag, textsOf, name)}</strong>. {api.labels.description(tag, textsOf, name)}
      {target && (
        <>
          {' '}
          → <a href={`#${target}`}>{api.labels.label(tag, target)}</a>
        </>
      )}
      {values && (
        <>
          {' '}
          {words.oneOf}: <code>{values.join(', ')}</code>.
        </>
      )}
      {!isWritable && writers.length === 0 && ` ${words.readOnly}`}
      {writers.length > 0 && !isForAll && ` ${words.writtenBy(writers.join(', '))}`}
    </>
  )
}

/** The type in the form of the API reference: `string,null (iri-reference)`. */
function typeOf({ type = 'json', nullable, format }: FieldReference): string {
  return `${type}${nullable ? ',null' : ''}${format ? ` (${format})` : ''}`
}

export function LinkTable({ reference, type, links, label }: Part & { type: string; links: ClassReference['links'] }) {
  const { api, tag, words } = reference
  return (
    <ScrollingTable label={label} heads={[words.field, words.endpoints, words.description]}>
      {links.map(({ name, fragment, collectionOf, operations }) => (
        <tr key={name} id={fragment}>
          <td>
            <code>{name}</code>
          </td>
          <td>
            {operations.map((operation) => (
              <a key={operation.fragment} class="endpoint" href={`#${operation.fragment}`}>
                {operation.method} {operation.path}
              </a>
            ))}
          </td>
          <td>
            {collectionOf === undefined ? (
              <>
                <strong>{api.labels.label(tag, type, name)}</strong>. {api.labels.description(tag, type, name)}
              </>
            ) : (
              <>
                <strong>{api.labels.plural(tag, collectionOf)}</strong>. {api.labels.description(tag, collectionOf)}
              </>
            )}
          </td>
        </tr>
      ))}
    </ScrollingTable>
  )
}

export function FilterTable({ reference, described, label }: Part & { described: ClassReference }) {
  const { api, tag, words } = reference
  const { name: type, filters, order } = described
  const orders: FilterReference[] = order.map((property) => ({
    ...{ name: `order[${property}]`, property, operator: 'order' },
  }))
  const sentence = ({ name, property, operator }: FilterReference) =>
    words.filterBy[operator ?? 'equals'](api.labels.label(tag, type, property), name)
  return (
    <>
      <ScrollingTable label={label} heads={[words.parameter, words.description]}>
        {[...filters, ...orders].map((filter) => (
          <tr key={filter.name}>
            <td>
              <code>{filter.name}</code>
            </td>
            <td>{sentence(filter)}</td>
          </tr>
        ))}
      </ScrollingTable>
      <p class="note">
        {words.everyCollection}{' '}
        {words.collectionParameters.map(([name, text]) => (
          <>
            <code>{name}</code>: {text}{' '}
          </>
        ))}
      </p>
    </>
  )
}
