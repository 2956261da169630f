import type { ApiModel, LinkedOperations } from '../model/api-model.ts'
import type { Caller } from '../model/caller.ts'
import type { Resource } from '../model/resource.ts'
import { type Field, isAddress, type Shape } from '../model/shape.ts'
import { appendOnly } from '../store/statement.ts'
import { hrefOf } from './offered-operations.ts'

type Values = Record<string, unknown>

/** Serializes an entity as the caller may see it, into a new JSON-LD node or into the given one. */
export type Serialize = (entity: object, caller: Caller, node?: Values) => Values

/** Writes one property of an entity into a node. */
type Write = (entity: Values, node: Values, caller: Caller) => void

/** Compiles a resource's serializer, once at boot. */
export function serializer(api: ApiModel, resource: Resource, shape: Shape): Serialize {
  const links = api.linksOf(resource.entity)
  const actions = [...shape.links.keys()].map((name) => [name, links.get(name) as LinkedOperations] as const)
  const writersFor = (readOnlyReason?: string) =>
    new Map(
      api.roles.all.map((role) => [
        role,
        [
          ...shape.fields.map((field) =>
            resource.hides(role, field.name)
              ? hiddenWriter(field)
              : (maskedWriter(field, resource.mask(role, field.name)) ?? writerOf(api, field)),
          ),
          ...actions.flatMap(([name, link]) => linkWriters(api, name, link, { role, readOnlyReason })),
        ],
      ]),
    )
  const [byRole, whileReadOnly] = [writersFor(), writersFor('read-only')]
  const { root } = api.iris
  return (entity, caller, node = {}) => {
    node['@id'] = root + resource.iri(entity)
    node['@type'] = resource.name
    const writers = (caller.readOnlyReason ? whileReadOnly : byRole).get(resource.viewer(entity, caller)) as Write[]
    for (const write of writers) write(entity as Values, node, caller)
    return node
  }
}

/** A date-time in UTC, with milliseconds only when there are any (RFC 3339). */
export function dateTime(date: Date & { [appendOnly]?: string }): string {
  const known = date[appendOnly]
  if (known) return known
  const text = date.toISOString()
  return text.endsWith('.000Z') ? `${text.slice(0, 19)}Z` : text
}

function hiddenWriter({ name, kind }: Field): Write {
  return (_, node) => {
    node[name] = kind === 'references' ? [] : null
  }
}

function maskedWriter({ name }: Field, mask: ((value: string) => string) | undefined): Write | undefined {
  if (!mask) return undefined
  return (entity, node) => {
    const value = entity[name] ?? null
    node[name] = value === null ? null : mask(String(value))
  }
}

function writerOf(api: ApiModel, field: Field): Write {
  const { name, kind } = field
  if (kind === 'reference') return referenceWriter(api, field)
  if (kind === 'references') return referencesWriter(api, field)
  if (field.datatype === 'xsd:dateTime')
    return (entity, node) => {
      const date = entity[name]
      node[name] = date ? dateTime(date as Date) : null
    }
  if (api.iris.root !== '' && isAddress(field)) return addressWriter(api, field)
  return (entity, node) => {
    node[name] = entity[name] ?? null
  }
}

/** An address on this server is stored without the root path, so the server can move to another one. */
function addressWriter({ iris: { root } }: ApiModel, { name }: Field): Write {
  return (entity, node) => {
    const value = (entity[name] ?? null) as string | null
    node[name] = value?.startsWith('/') ? root + value : value
  }
}

/** A reference is written from its foreign key: no join, no second query. */
function referenceWriter(api: ApiModel, { name, key, target }: Field): Write {
  const path = pathOf(api, target)
  return (entity, node) => {
    const id = entity[key as string]
    node[name] = id ? path + encodeURIComponent(id as string) : null
  }
}

function referencesWriter(api: ApiModel, { name, target }: Field): Write {
  const path = pathOf(api, target)
  return (entity, node) => {
    node[name] = ((entity[name] as string[] | undefined) ?? []).map((id) => path + encodeURIComponent(id))
  }
}

function pathOf(api: ApiModel, target: Field['target']): string {
  return api.iris.at(`${api.resources.find(({ entity }) => entity === target)?.path}/`)
}

type Viewer = Pick<Caller, 'role' | 'readOnlyReason'>

function linkWriters(api: ApiModel, name: string, { resource, operations }: LinkedOperations, viewer: Viewer): Write[] {
  const allowed = operations.filter((operation) => api.permissions.allows(operation, viewer))
  if (allowed.length === 0) return []
  const href = hrefOf(api, resource, operations[0])
  return [
    (entity, node, caller) => {
      if (allowed.some(({ link }) => link?.when?.(entity, viewer.role, caller) ?? true)) node[name] = href(entity)
    },
  ]
}
