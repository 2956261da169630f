import type { ApiModel, LinkedOperations } from '../model/api-model.ts'
import type { Caller } from '../model/caller.ts'
import type { Operation } from '../model/operation.ts'
import type { Resource } from '../model/resource.ts'
import type { OfferedOperation } from './html.ts'

/** The address of a link's operations on an entity. */
export function hrefOf(
  api: ApiModel,
  { path }: Resource,
  operation: Operation,
): (entity: Record<string, unknown>) => string {
  const href = operation.link?.href
  if (href) return (entity) => api.iris.at(href(entity))
  const [before, after] = api.iris.at(path + operation.path).split(':id')
  return after === undefined ? () => before : (entity) => before + entity.id + after
}

/** The operations on an item that the caller may use while the item has this state: its own, and those of its links. */
export function itemOperations(api: ApiModel, resource: Resource, entity: object, caller: Caller): OfferedOperation[] {
  const role = resource.viewer(entity, caller)
  const viewer = { role, readOnlyReason: caller.readOnlyReason }
  const allowed = (operation: Operation) =>
    api.permissions.allows(operation, caller) &&
    api.permissions.allows(operation, viewer) &&
    (operation.link?.when?.(entity, role, caller) ?? true)
  const links = [...api.linksOf(resource.entity)]
  const linked = links.flatMap(([link, found]) => linkedOperations(api, link, found, entity))
  const own = resource.operations
    .filter(({ method, path, link }) => method !== 'GET' && !link && path === ownPath(resource))
    .map((operation) => ({ operation, resource, href: api.iris.at(resource.iri(entity)) }))
  return [...own, ...linked].filter(({ operation }) => allowed(operation))
}

/** The operations on a collection that the caller may use. */
export function collectionOperations(api: ApiModel, resource: Resource, caller: Caller): OfferedOperation[] {
  return resource.operations
    .filter(({ method, path, link }) => method !== 'GET' && !link && !path.includes(':id'))
    .filter((operation) => api.permissions.allows(operation, caller))
    .map((operation) => ({ operation, resource, href: api.iris.at(resource.path + operation.path) }))
}

function ownPath({ options }: Resource): string {
  return options.singleton ? '' : '/:id'
}

function linkedOperations(
  api: ApiModel,
  link: string,
  { resource, operations }: LinkedOperations,
  entity: object,
): OfferedOperation[] {
  const href = hrefOf(api, resource, operations[0])(entity as Record<string, unknown>)
  return operations.map((operation) => ({ operation, resource, href, link }))
}
