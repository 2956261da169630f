import { writeCsvHeader, writeCsvRows } from '../formats/csv.ts'
import type { Caller } from '../model/caller.ts'
import type { Operation } from '../model/operation.ts'
import type { Executor } from '../model/store.ts'
import type { BoundApi, BoundResource } from './bound-api.ts'

type Row = Record<string, unknown>

/** A collection, or the one item of a singleton, with all rows that a caller sees. It is written in parts, in the order of ids. */
export interface WholeCollection {
  /** The class of its rows. */
  readonly type: string
  /** Its path without the slash at the start. */
  readonly path: string
  /** The context of its class, as the API serves it. */
  readonly context: object
  count(executor: Executor): Promise<number>
  /** Its document in JSON-LD, which needs no other file. @param written called with the number of rows of each part */
  jsonld(executor: Executor, written: (rows: number) => void): AsyncGenerator<string>
  /** The same rows as CSV: a column for each property. */
  csv(executor: Executor, written: (rows: number) => void): AsyncGenerator<string>
}

/** A size of pages whose plan Postgres keeps. */
const pageSize = 100

/** The collections of the caller's tenant that the caller may list, and its singletons. Lists for the public are left out. */
export function wholeCollections(api: BoundApi, caller: Caller): WholeCollection[] {
  return api.resources
    .filter(({ options, operations }) => {
      const read = operations.find(isRead)
      return read && !options.public && !options.store && api.permissions.allows(read, caller)
    })
    .map(({ entity }) => wholeCollection(api, api.of(entity), caller))
}

const isRead = ({ method, path }: Operation): boolean => method === 'GET' && path === ''

function wholeCollection(api: BoundApi, bound: BoundResource, caller: Caller): WholeCollection {
  const { resource, shape } = bound
  const { '@context': context } = api.context(shape.name) as { '@context': object }
  const columns = ['@id', '@type', ...shape.fields.map(({ name }) => name)]
  return {
    type: shape.name,
    path: resource.path.slice(1),
    context: { '@context': context },
    async count(executor) {
      if (resource.options.singleton) return 1
      return (await bound.store.page(executor, caller, { ...firstPage, size: 1 })).total
    },
    async *jsonld(executor, written) {
      const frame = { '@context': [context, { '@base': `${api.iris.origin}/` }] }
      if (resource.options.singleton) {
        for await (const [item] of parts(bound, executor, caller, written)) yield JSON.stringify({ ...frame, ...item })
        return
      }
      const collection = { '@id': api.iris.at(resource.path), '@type': 'Collection', member: [] }
      yield JSON.stringify({ ...frame, ...api.spell(collection) }).slice(0, -2)
      let separator = ''
      for await (const members of parts(bound, executor, caller, written)) {
        yield separator + members.map((member) => JSON.stringify(member)).join(',\n')
        separator = ',\n'
      }
      yield ']}\n'
    },
    async *csv(executor, written) {
      yield writeCsvHeader(columns)
      for await (const members of parts(bound, executor, caller, written)) yield writeCsvRows(members, columns)
    },
  }
}

const firstPage = { conditions: [], order: [{ property: 'id', descending: false }], from: { offset: 0 } }

/** The serialized rows, a page at a time. */
async function* parts(
  bound: BoundResource,
  executor: Executor,
  caller: Caller,
  written: (rows: number) => void,
): AsyncGenerator<Row[]> {
  for await (const entities of pages(bound, executor, caller)) {
    await bound.loadToMany?.(executor, caller, bound.resource, entities)
    yield entities.map((entity) => bound.serialize(entity, caller))
    written(entities.length)
  }
}

async function* pages(
  { resource, store }: BoundResource,
  executor: Executor,
  caller: Caller,
): AsyncGenerator<object[]> {
  if (resource.options.singleton) {
    const item = await store.find(executor, caller, undefined)
    if (item) yield [item]
    return
  }
  for (let from: { offset: number } | { after: unknown[] } = firstPage.from; ; ) {
    const { entities, later } = await store.page(executor, caller, { ...firstPage, size: pageSize, from })
    if (entities.length > 0) yield entities
    if (!later) return
    from = { after: [(entities.at(-1) as { id: string }).id] }
  }
}
