import type { ApiModel, LinkedOperations } from '../model/api-model.ts'
import type { Caller } from '../model/caller.ts'
import type { Operation } from '../model/operation.ts'
import type { Resource } from '../model/resource.ts'
import type { Shape } from '../model/shape.ts'
import { type FieldWriter, fieldWriter } from './field-writer.ts'
import { hrefOf } from './offered-operations.ts'

type Values = Record<string, unknown>

/** Serializes an entity as the caller may see it, into a new JSON-LD node or into the given one. */
export type Serialize = (entity: object, caller: Caller, node?: Values) => Values

/** Writes a link of an entity into a node. */
type Write = (entity: Values, node: Values, caller: Caller) => void

/** Compiles a resource's serializer, once at boot. */
export function serializer(api: ApiModel, resource: Resource, shape: Shape): Serialize {
  const links = api.linksOf(resource.entity)
  const actions = [...shape.links.keys()].map((name) => [name, links.get(name) as LinkedOperations] as const)
  const writersFor = (readOnlyReason?: string) =>
    new Map(
      api.roles.all.map((role) => [
        role,
        {
          fields: shape.fields.map((field) => fieldWriter(api, resource, role, field)),
          links: actions.flatMap(([name, link]) => linkWriters(api, name, link, { role, readOnlyReason })),
        },
      ]),
    )
  const [byRole, whileReadOnly] = [writersFor(), writersFor('read-only')]
  const { root } = api.iris
  return (entity, caller, node = {}) => {
    node['@id'] = root + resource.iri(entity)
    node['@type'] = resource.name
    const writers = (caller.readOnlyReason ? whileReadOnly : byRole).get(resource.viewer(entity, caller)) as Writers
    const values = entity as Values
    for (const { name, from, value } of writers.fields) node[name] = value(from && values[from])
    for (const write of writers.links) write(values, node, caller)
    return node
  }
}

interface Writers {
  fields: FieldWriter[]
  links: Write[]
}

type Viewer = Pick<Caller, 'role' | 'readOnlyReason'>

function linkWriters(api: ApiModel, name: string, { resource, operations }: LinkedOperations, viewer: Viewer): Write[] {
  const allowed = operations.filter((operation) => api.permissions.allows(operation, viewer))
  if (allowed.length === 0) return []
  const href = hrefOf(api, resource, operations[0])
  return [
    (entity, node, caller) => {
      const isOpen = (operation: Operation) =>
        api.permissions.admits(operation, caller) && (operation.link?.when?.(entity, viewer.role, caller) ?? true)
      if (allowed.some(isOpen)) node[name] = href(entity)
    },
  ]
}
