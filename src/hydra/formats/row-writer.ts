import type { ApiModel } from '../model/api-model.ts'
import type { Role } from '../model/caller.ts'
import type { SentRow } from '../model/page.ts'
import type { Resource } from '../model/resource.ts'
import type { Shape } from '../model/shape.ts'
import type { SentColumn } from '../store/sent-rows.ts'
import { type FieldWriter, fieldWriter } from './field-writer.ts'

/** Writes the JSON of a row from the texts that Postgres sent: the same bytes as those of its serialized entity. */
export type WriteRow = (row: SentRow) => string

/**
 * Compiles the writers of a resource's rows, by role. A role has none where a property needs the entity: a getter, a list
 * of references, or a link.
 */
export function rowWriters(
  api: ApiModel,
  resource: Resource,
  shape: Shape,
  columns: Map<string, SentColumn>,
): Map<Role, WriteRow> {
  const { store, viewedAs, whole, computed } = resource.options
  if (store || viewedAs || whole || computed) return new Map()
  const writers = api.roles.all.map((role) => [role, rowWriter(api, resource, shape, columns, role)] as const)
  return new Map(writers.filter((writer): writer is [Role, WriteRow] => writer[1] !== undefined))
}

/** The JSON of a property, after a constant text. */
interface Part {
  before: string
  /** The place of its column in a row. */
  at: number
  json(text: string): string
  /** The JSON for null. */
  none: string
}

function rowWriter(
  api: ApiModel,
  resource: Resource,
  shape: Shape,
  columns: Map<string, SentColumn>,
  role: Role,
): WriteRow | undefined {
  if (hasLinks(api, resource, shape, role)) return undefined
  const writers = [identity(api, resource), ...shape.fields.map((field) => fieldWriter(api, resource, role, field))]
  if (writers.some(({ from }) => from !== undefined && !columns.has(from))) return undefined
  const places = [...columns.keys()]
  const parts: Part[] = []
  let before = '{'
  for (const writer of writers) {
    before += `${JSON.stringify(writer.name)}:`
    if (writer.from === undefined) before += `${JSON.stringify(writer.value(undefined))},`
    else {
      const { from } = writer
      const json = jsonWriter(writer, columns.get(from) as SentColumn)
      parts.push({ before, at: places.indexOf(from), json, none: JSON.stringify(writer.value(null)) })
      before = ','
    }
    if (writer.name === '@id') before += `"@type":${JSON.stringify(resource.name)},`
  }
  const end = `${before.slice(0, -1)}}`
  return (row) => {
    let text = ''
    for (const { before, at, json, none } of parts) {
      const sent = row[at]
      text += before + (sent === null ? none : json(sent))
    }
    return text + end
  }
}

function hasLinks(api: ApiModel, { entity }: Resource, { links }: Shape, role: Role): boolean {
  const operations = [...links.keys()].flatMap((name) => api.linksOf(entity).get(name)?.operations ?? [])
  return operations.some((operation) => api.permissions.allows(operation, { role, readOnlyReason: undefined }))
}

function identity({ iris: { root } }: ApiModel, resource: Resource): FieldWriter {
  const start = JSON.stringify(`${root}${resource.path}/`).slice(0, -1)
  return {
    name: '@id',
    from: resource.options.singleton ? undefined : 'id',
    value: (id) => root + resource.iri({ id }),
    json: (type) => (type === 'uuid' ? (id) => `${start}${id}"` : undefined),
  }
}

function jsonWriter({ value, json }: FieldWriter, { type, read }: SentColumn): (text: string) => string {
  return json?.(type) ?? ((text) => JSON.stringify(value(read(text))))
}
