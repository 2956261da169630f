import type { Variable } from '../model/filter.ts'
import type { Store } from '../model/store.ts'
import { textValues } from '../query/filter-values.ts'
import { maxTexts, textVariable } from '../query/filters.ts'
import { containsTextInMemory, containsWordsInMemory } from '../query/sql-condition.ts'

interface Row {
  id: string
  name?: string
}

/**
 * A store for constant rows that every caller sees. It reads no database.
 * @param entities the rows, ordered by id
 * @param language the language of their names; set when the rows can be sorted and filtered by name
 */
export function memoryStore<E extends Row>(entities: E[], language?: string): Store<E> {
  const byId = new Map(entities.map((entity) => [entity.id, entity]))
  let byName: E[] | undefined
  const sorted = () => {
    byName ??= sortedByName(entities, language)
    return byName
  }
  return {
    find: async (_executor, _caller, id) => byId.get(id as string),
    several: async (_executor, _caller, ids) => ids.flatMap((id) => byId.get(id) ?? []),
    page: async (_executor, _caller, { conditions, order, size, from }) => {
      const all = order[0]?.property === 'name' ? sorted() : entities
      const found = conditions.length > 0 ? all.filter((row) => conditions.every(({ holds }) => holds?.(row))) : all
      const matching = order[0]?.descending ? found.toReversed() : found
      const offset = 'offset' in from ? from.offset : 0
      const page = matching.slice(offset, offset + size)
      const total = matching.length
      return { entities: page, total, earlier: offset > 0, later: offset + page.length < total }
    },
    existing: async (_executor, _caller, ids) => ids.filter((id) => byId.has(id)),
    accepts: (id) => byId.has(id),
    ...(language && { search: { variables: named, sortable: ['name'] } }),
  }
}

function sortedByName<E extends Row>(entities: E[], language: string | undefined): E[] {
  const { compare } = new Intl.Collator(language)
  return entities.toSorted((one, other) => compare(one.name ?? '', other.name ?? ''))
}

/** The query variables of rows in memory. */
const named: Variable[] = [
  {
    name: 'name',
    property: 'name',
    maxValues: maxTexts,
    condition: (values) => containsTextInMemory(({ name }: Row) => name ?? '', textValues('name', values)),
  },
  textVariable((_, values) => containsWordsInMemory(({ id, name }: Row) => `${name} ${id}`, values)),
]
