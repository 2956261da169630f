import { type Caller, tenantOf } from '../../model/caller.ts'
import type { Change } from '../../store/change-log.ts'
import { TenantScope } from '../../store/tenant-scope.ts'
import type { BoundApi, BoundResource } from '../bound-api.ts'

/** The data of an event. It names the resource, which a reader fetches with its own rights. */
export interface Update {
  /** The item, or the collection where one update stands for many items. */
  '@id': string
  type: Change['type']
  /** The IRI of the item's collection. */
  collection: string
  version?: number
}

/** The changes of one read. One query answers for all readers with the same rights. */
export class VisibleChanges {
  private readonly bySight = new Map<string, Promise<Map<Change, Update>>>()
  private readonly changes: [BoundResource, Change[]][]

  /** @param committed the changes in the order of their commits, which their updates keep */
  constructor(
    private readonly api: BoundApi,
    private readonly committed: Change[],
  ) {
    const relations = new Map<string, Change[]>()
    for (const change of committed) {
      const rows = relations.get(change.relation)
      if (rows) rows.push(change)
      else relations.set(change.relation, [change])
    }
    this.changes = [...relations].flatMap(([relation, rows]): [BoundResource, Change[]][] => {
      const resource = api.resources.find(({ entity }) => api.shape(entity).metadata?.tableName === relation)
      return resource ? [[api.of(resource.entity), rows]] : []
    })
  }

  /** The updates of rows that the caller may read. */
  async of(caller: Caller): Promise<Update[]> {
    const found = await Promise.all(this.changes.map(([bound, changes]) => this.visible(bound, changes, caller)))
    const updates = new Map(found.flatMap((seen) => [...seen]))
    return this.committed.flatMap((change) => updates.get(change) ?? [])
  }

  private visible(bound: BoundResource, changes: Change[], caller: Caller): Promise<Map<Change, Update>> {
    const { resource } = bound
    const { scope } = resource.options
    const condition = scope?.[caller.role] ?? scope?.default ?? ''
    const kind = caller.program === undefined ? 'person' : 'program'
    const sight = `${resource.path} ${caller.role} ${kind} ${condition.includes(':user') ? caller.user : ''}`
    const known = this.bySight.get(sight)
    const asked = known ?? this.ask(bound, changes, caller)
    if (!known) this.bySight.set(sight, asked)
    return asked
  }

  private async ask(
    { resource, store }: BoundResource,
    changes: Change[],
    caller: Caller,
  ): Promise<Map<Change, Update>> {
    const { permissions, iris, pools, roles } = this.api
    const reads = resource.operations.some(
      (operation) => operation.method === 'GET' && operation.path !== '/me' && permissions.allows(operation, caller),
    )
    if (!reads) return new Map()
    const ids = changes.flatMap(({ type, id }) => (id !== null && type !== 'delete' ? [id] : []))
    const executor = pools.items.of(tenantOf(caller), undefined, TenantScope.for(caller, roles))
    const seen = new Set(ids.length > 0 ? await store.existing(executor, caller, ids) : [])
    // A deleted row has no scope any more, so a role that sees only some rows gets no event of it.
    const seesDeletes = resource.options.scope?.[caller.role] === undefined
    const isSeen = ({ id, type }: Change) => id === null || (type === 'delete' ? seesDeletes : seen.has(id))
    const collection = iris.at(resource.path)
    const updateOf = ({ id, type, version }: Change): Update => ({
      '@id': id === null ? collection : iris.at(resource.iri({ id } as never)),
      type,
      collection,
      ...(version !== null && { version }),
    })
    return new Map(changes.filter(isSeen).map((change) => [change, updateOf(change)]))
  }
}
