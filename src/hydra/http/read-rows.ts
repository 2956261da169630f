import { type Caller, tenantOf } from '../model/caller.ts'
import type { Condition } from '../model/filter.ts'
import type { LocalTime } from '../model/local-time.ts'
import type { Operation } from '../model/operation.ts'
import { Page, type Sort } from '../model/page.ts'
import { Problem } from '../model/problem.ts'
import type { Executor, Store } from '../model/store.ts'
import { conditionsOf } from '../query/filters.ts'
import { pageRequestOf } from '../query/pagination.ts'
import { type Search, unknownParameters } from '../query/search.ts'
import { orderOf } from '../query/sort.ts'
import { isTimeout } from '../store/database-problem.ts'
import type { FairPool } from '../store/fair-pool.ts'
import { TenantScope } from '../store/tenant-scope.ts'
import type { UnitOfWork } from '../store/unit-of-work.ts'
import type { BoundApi, BoundResource } from './bound-api.ts'
import type { ApiRequest } from './request.ts'

/** The request that rows are read for. */
interface Reader {
  api: BoundApi
  bound: BoundResource
  operation: Pick<Operation, 'method' | 'path'>
  caller: Caller
  request: ApiRequest
  unitOfWork: UnitOfWork
  localTime(): Promise<LocalTime | undefined>
}

/** An item by its canonical id. @throws Problem 404 when the caller may not see it */
export async function readItem(
  { caller, unitOfWork }: Reader,
  { resource, store, loadToMany }: BoundResource,
  id: string | undefined,
  shown = false,
): Promise<object> {
  const { executor } = unitOfWork
  const entity = await store.find(executor, caller, id, shown)
  if (!entity) throw new Problem(404, 'Not found: no such resource exists, or you have no access to it.')
  await loadToMany?.(executor, caller, resource, [entity])
  return entity
}

/**
 * The item that the path names.
 * @throws Problem 301 or 308 for another spelling of its id; 308 keeps the method (RFC 9110 §15.4.9)
 */
export async function readNamedItem(reader: Reader, shown = false): Promise<object> {
  const { api, bound, operation, request } = reader
  const { resource } = bound
  const { id } = request
  const canonical = id === undefined ? id : resource.canonical(id)
  const found = await readItem(reader, bound, canonical, shown)
  if (id === canonical) return found
  const path = api.iris.at(resource.path) + operation.path.replace(':id', encodeURIComponent(canonical as string))
  throw new Problem(operation.method === 'GET' ? 301 : 308, 'Its canonical address is in Location.', {
    Location: path + request.search,
  })
}

/** The page of a collection that the query asks for. */
export async function readPage(
  reader: Reader,
  { resource, searches, shape, loadToMany }: BoundResource,
  { conditions: given, defaultOrder, store }: { conditions: Condition[]; defaultOrder: Sort[]; store: Store },
): Promise<Page> {
  const { caller, request } = reader
  const { query } = request
  const search = searches.get(caller.role) as Search
  if (request.strict) requireKnown(request.parameterNames, search)
  const asked = orderOf(query, search.sortable)
  const order = asked.length > 0 ? asked : defaultOrder
  const conditions = [...given, ...(await conditionsOf(search.variables, query, () => reader.localTime()))]
  const { options } = resource
  const metadata = options.store ? undefined : shape.metadata
  const selection = { conditions, order, ...pageRequestOf(query, order, metadata, options.most) }
  const isBatched = store.batchesPage?.(reader.unitOfWork.executor, caller, selection) ?? false
  const kind = { hasOwnStore: options.store !== undefined, isBatched }
  const found = await withListConnection(reader, kind, async (executor) => {
    const found = await store.page(executor, caller, selection)
    await loadToMany?.(executor, caller, resource, found.entities)
    return found
  })
  return new Page(shape.class, found, order, sumsOf(reader, store, conditions))
}

function sumsOf(reader: Reader, store: Store, conditions: Condition[]): Page['sums'] {
  const sums = store.sums?.bind(store)
  return (
    sums &&
    ((selection) =>
      withListConnection(reader, { hasOwnStore: false, isBatched: false }, (executor) =>
        sums(executor, reader.caller, { ...selection, conditions }),
      ))
  )
}

/**
 * Only a GET outside a transaction uses the connections for lists, or replicas: a later write then depends on neither. Without
 * replicas, short pages are read in batches.
 */
function withListConnection<T>(
  { api, caller, operation, request, unitOfWork }: Reader,
  { hasOwnStore, isBatched }: { hasOwnStore: boolean; isBatched: boolean },
  read: (executor: Executor) => Promise<T>,
): Promise<T> {
  if (operation.method !== 'GET' || unitOfWork.inTransaction || hasOwnStore) return read(unitOfWork.executor)
  const { pools, options, roles } = api
  if (isBatched && !options.replicas) return read(unitOfWork.executor)
  const lists = options.replicas ?? pools.lists
  const scope = TenantScope.for(caller, roles)
  return lists
    .run(tenantOf(caller), (executor) => read(scope.limit(executor)))
    .catch((error) => {
      throw isTimeout(error) ? tooSlow(request.query, pools.lists) : error
    })
}

/** Names the parameters that may make a list slow: the same request is likely to time out again. */
function tooSlow(query: URLSearchParams, { pool: { options } }: FairPool): Problem {
  const names = [...new Set(query.keys())].filter((name) => name !== 'itemsPerPage')
  const asked = names.map((name) => `"${name.slice(0, 100)}"`).join(', ')
  const remedy = names.length > 0 ? `Narrow or leave out ${asked}` : 'Narrow it by a filter'
  const limit = `${Number(options.statement_timeout) / 1000} s`
  return new Problem(503, `This list takes longer than the limit of ${limit}. ${remedy}, then send it again.`, {
    'Retry-After': '5',
  })
}

/** @throws Problem 400 with the names of unknown parameters */
function requireKnown(names: Set<string>, search: Search): void {
  const unknown = unknownParameters(names, search)
  if (unknown.length > 0)
    throw new Problem(400, `The collection has no parameter ${unknown.map((name) => `"${name}"`).join(', ')}.`)
}
