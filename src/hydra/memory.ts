import type { Store } from './store.ts'

/** Rows that never change and belong to everybody, served without asking the database. */
export function memory<E extends { id: string }>(entities: E[]): Store<E> {
  const byId = new Map(entities.map((entity) => [entity.id, entity]))
  return {
    find: async (_executor, _caller, id) => byId.get(id as string),
    page: async (_executor, _caller, { limit, offset }) => ({
      entities: entities.slice(offset, offset + limit),
      total: entities.length,
    }),
    existing: async (_executor, _caller, ids) => ids.filter((id) => byId.has(id)),
    accepts: (id) => byId.has(id),
  }
}
