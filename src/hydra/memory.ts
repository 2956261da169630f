import type { Store } from './store.ts'

/** Rows that never change and belong to everybody, served without asking the database; given in the order of their ids, all there is to ask by. */
export function memory<E extends { id: string }>(entities: E[]): Store<E> {
  const byId = new Map(entities.map((entity) => [entity.id, entity]))
  return {
    find: async (_executor, _caller, id) => byId.get(id as string),
    page: async (_executor, _caller, { conditions, order, size, from }) => {
      const wanted = conditions.length > 0 ? new Set(Object.values(conditions[0].values).flat()) : undefined
      const found = wanted ? entities.filter(({ id }) => wanted.has(id)) : entities
      const matching = order[0]?.descending ? found.toReversed() : found
      const offset = 'offset' in from ? from.offset : 0
      const page = matching.slice(offset, offset + size)
      const total = matching.length
      return { entities: page, total, earlier: offset > 0, later: offset + page.length < total }
    },
    existing: async (_executor, _caller, ids) => ids.filter((id) => byId.has(id)),
    accepts: (id) => byId.has(id),
  }
}
