import type { ApiModel } from '../model/api-model.ts'
import type { Role } from '../model/caller.ts'
import type { Resource } from '../model/resource.ts'
import { type Field, isAddress } from '../model/shape.ts'
import { appendOnly, dateTimeOf, readTimestamp } from '../store/statement.ts'

/** How a property of a document is written. Both serializers, of entities and of rows, are compiled from it. */
export interface FieldWriter {
  name: string
  /** The property of the entity that it is written from; undefined where every document has the same value. */
  from: string | undefined
  /** The value in a document. */
  value(held: unknown): unknown
  /** A faster way for columns of a type: it makes the JSON of a value from the text that Postgres sent. */
  json?(type: string): ((text: string) => string) | undefined
}

/** Describes how a role sees a property. */
export function fieldWriter(api: ApiModel, resource: Resource, role: Role, field: Field): FieldWriter {
  const { name, kind } = field
  if (resource.hides(role, name)) return hidden(field)
  const mask = resource.mask(role, name)
  if (mask) return masked(field, mask)
  if (kind === 'reference') return reference(api, field)
  if (kind === 'references') return references(api, field)
  if (field.datatype === 'xsd:dateTime') return moment(field)
  if (api.iris.root !== '' && isAddress(field)) return address(api, field)
  return plain(field)
}

/** A date-time in UTC, with milliseconds only when there are any (RFC 3339). */
export function dateTime(date: Date & { [appendOnly]?: string }): string {
  return date[appendOnly] ?? date.toISOString().replace('.000Z', 'Z')
}

function hidden({ name, kind }: Field): FieldWriter {
  const value = kind === 'references' ? [] : null
  return { name, from: undefined, value: () => value }
}

function masked({ name }: Field, mask: (value: string) => string): FieldWriter {
  return { name, from: name, value: (held) => (held === undefined || held === null ? null : mask(String(held))) }
}

/** A reference is written from its foreign key: no join, no second query. */
function reference(api: ApiModel, { name, key, target }: Field): FieldWriter {
  const path = pathOf(api, target)
  const start = JSON.stringify(path).slice(0, -1)
  return {
    name,
    from: key,
    value: (id) => (id ? path + encodeURIComponent(id as string) : null),
    json: (type) => (type === 'uuid' ? (id) => `${start}${id}"` : undefined),
  }
}

function references(api: ApiModel, { name, target }: Field): FieldWriter {
  const path = pathOf(api, target)
  return {
    name,
    from: name,
    value: (ids) => ((ids as string[] | undefined) ?? []).map((id) => path + encodeURIComponent(id)),
  }
}

/** RFC 3339 has no infinite date-time, so it is null. */
function moment({ name }: Field): FieldWriter {
  const value = (date: unknown) => (date instanceof Date ? dateTime(date) : null)
  const json = (text: string) => {
    const common = dateTimeOf(text)
    return common ? `"${common}"` : JSON.stringify(value(readTimestamp(text)))
  }
  return { name, from: name, value, json: (type) => (type === 'timestamp with time zone' ? json : undefined) }
}

/** An address on this server is stored without the root path, so the server can move to another one. */
function address({ iris: { root } }: ApiModel, { name }: Field): FieldWriter {
  return {
    name,
    from: name,
    value: (held) => {
      const text = (held ?? null) as string | null
      return text?.startsWith('/') ? root + text : text
    },
  }
}

function plain({ name }: Field): FieldWriter {
  return { name, from: name, value: (held) => held ?? null, json: (type) => plainJson.get(type) }
}

const quoted = (text: string) => `"${text}"`
const plainJson = new Map<string, (text: string) => string>([
  ['text', (text) => JSON.stringify(text)],
  ['uuid', quoted],
  ['date', quoted],
  // A number of JavaScript would not hold every decimal, so a decimal is a text in documents.
  ['numeric', quoted],
  ['smallint', (text) => text],
  ['integer', (text) => text],
  ['boolean', (text) => (text === 't' ? 'true' : 'false')],
])

function pathOf(api: ApiModel, target: Field['target']): string {
  return api.iris.at(`${api.resources.find(({ entity }) => entity === target)?.path}/`)
}
