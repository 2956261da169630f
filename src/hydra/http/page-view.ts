import { withMembers, withTail } from '../formats/collection-tail.ts'
import type { Document, Format } from '../formats/format.ts'
import { formatsOf, html } from '../formats/format.ts'
import type { OfferedOperation, PageContent, PageRequest, PageView, RefusedForm } from '../formats/html.ts'
import { collectionOperations, itemOperations } from '../formats/offered-operations.ts'
import { type Caller, tenantOf } from '../model/caller.ts'
import type { Class } from '../model/class.ts'
import type { Condition } from '../model/filter.ts'
import { Page } from '../model/page.ts'
import type { Executor } from '../model/store.ts'
import { conditionsOf } from '../query/filters.ts'
import { isSelection, type Search } from '../query/search.ts'
import { TenantScope } from '../store/tenant-scope.ts'
import type { BoundApi } from './bound-api.ts'
import type { RequestCall } from './request-call.ts'
import type { ApiResponse } from './response.ts'

/** The view of a response to an operation. */
export function viewOfResponse(call: RequestCall, response: ApiResponse): PageView {
  const { document, tail, outcome, version, drawnMembers } = response
  const { api, caller, request, unitOfWork } = call
  const whole = { ...document, ...tail?.properties } as Document
  const content = outcome && contentOf(call, whole, outcome)
  return {
    ...baseOf(api, whole, caller, request, unitOfWork.executor),
    formToken: () => api.options.forms?.formToken(request.request),
    ...(document && drawnMembers !== undefined && { json: () => collectionJson(document, drawnMembers, tail) }),
    formats: otherFormats(api, outcome instanceof Page),
    operations: outcome ? operationsOf(call, outcome) : [],
    content,
    version,
  }
}

/** The JSON of a collection, of which its members and its tail are written already. */
function collectionJson(document: Document, members: string, tail: ApiResponse['tail']): string {
  const name = 'member' in document ? 'member' : 'hydra:member'
  return withTail(withMembers(JSON.stringify({ ...document, [name]: [] }), members), tail)
}

/** The view of a form that was refused, with the present state of its item. */
export async function viewOfForm(call: RequestCall, refused: Omit<RefusedForm, 'offered'>): Promise<PageView> {
  const { api, bound, caller, operation, request, unitOfWork } = call
  const { resource, shape, serialize } = bound
  // An operation on a collection has no item, and another request may have removed this one.
  const entity = await call.show().catch(() => undefined)
  const document = entity ? serialize(entity, caller) : { '@id': api.iris.at(resource.path), '@type': 'Collection' }
  return {
    ...baseOf(api, document, caller, request, unitOfWork.executor),
    formToken: () => api.options.forms?.formToken(request.request),
    formats: [],
    operations: [],
    content: { resource, shape, items: entity ? [document] : [] },
    version: (entity as { version?: number } | undefined)?.version,
    refused: {
      ...refused,
      offered: { operation, resource, href: api.iris.at(request.path), link: operation.link?.name },
    },
  }
}

/** The view of a document that no operation returns: the entrypoint, or an error. */
export function viewOfDocument(api: BoundApi, document: Document, caller: Caller, request: PageRequest): PageView {
  return {
    ...baseOf(
      api,
      document,
      caller,
      request,
      api.pools.items.of(tenantOf(caller), undefined, TenantScope.for(caller, api.roles)),
    ),
    formats: otherFormats(api, false),
    operations: [],
  }
}

function baseOf(api: BoundApi, document: Document, caller: Caller, request: PageRequest, executor: Executor) {
  const items: PageView['items'] = (type, ids) => readItems(api, type, ids, { caller, executor })
  const list: PageView['list'] = (type, size, text) => readList(api, type, { size, text, caller, executor })
  return { document, json: () => JSON.stringify(document), caller, request, executor, items, list }
}

function otherFormats(api: BoundApi, tabular: boolean): Format[] {
  return formatsOf(api, { tabular }).filter((format) => format !== html && !format.profile)
}

function operationsOf({ api, bound, caller, request }: RequestCall, outcome: object): OfferedOperation[] {
  if (!(outcome instanceof Page))
    return itemOperations(api, api.of(outcome.constructor as Class).resource, outcome, caller)
  return request.path === bound.resource.path ? collectionOperations(api, bound.resource, caller) : []
}

function contentOf({ api, caller, request }: RequestCall, document: Document, outcome: object): PageContent {
  const isWhole = ![...request.query.keys()].some(isSelection)
  if (!(outcome instanceof Page)) {
    const { resource, shape, serialize } = api.of(outcome.constructor as Class)
    return { resource, shape, items: [isWhole ? document : serialize(outcome, caller)] }
  }
  const { resource, shape, searches, serialize } = api.of(outcome.of)
  const members = (document.member ?? document['hydra:member']) as Document[]
  const { total, limited = false } = outcome.found
  const view = (document.view ?? document['hydra:view'] ?? {}) as Record<string, string>
  const to = (relation: string) => view[relation] ?? view[`hydra:${relation}`]
  return {
    resource,
    shape,
    items: isWhole ? members : outcome.found.entities.map((entity) => serialize(entity, caller)),
    collection: {
      search: searches.get(caller.role) as Search,
      order: outcome.order,
      total,
      limited,
      sums: outcome.sums,
      links: { first: to('first'), previous: to('previous'), next: to('next'), last: to('last') },
    },
  }
}

/** Reads items that a page names, each as its own path would show it to the caller. */
async function readItems(
  api: BoundApi,
  type: Class,
  ids: string[],
  { caller, executor }: Pick<PageView, 'caller' | 'executor'>,
): Promise<Map<string, Document>> {
  const { resource, store, serialize } = api.of(type)
  const found = await store.several(executor, caller, ids)
  const readable = found.filter((entity) => api.permissions.reads(resource, entity, caller))
  return new Map((readable as { id: string }[]).map((entity) => [entity.id, serialize(entity, caller)]))
}

async function readList(
  api: BoundApi,
  type: Class,
  { size, text, caller, executor }: Pick<PageView, 'caller' | 'executor'> & { size: number; text?: string },
): Promise<Document[]> {
  const { resource, store, serialize, searches } = api.of(type)
  const list = resource.operations.find(({ method, path }) => method === 'GET' && path === '')
  if (!list || !api.permissions.allows(list, caller)) return []
  const search = searches.get(caller.role)
  const [property] = search?.sortable.filter((name) => name !== 'id') ?? []
  const order = property === undefined ? [] : [{ property, descending: false }]
  const conditions = search && text ? await conditionsFor(search, text) : []
  const selection = { conditions, order, size, from: { offset: 0 } }
  const read = (from: typeof executor) => store.page(from, caller, selection)
  // A text search may be slow, so it takes no connection from items and writes.
  const scope = TenantScope.for(caller, api.roles)
  const inLists = () => api.pools.lists.run(tenantOf(caller), (pool) => read(scope.limit(pool)))
  const { entities } = text ? await inLists() : await read(executor)
  return entities.map((entity) => serialize(entity, caller))
}

/** The conditions of a search for a text: in all texts of the class where it has a search, or else in its name. */
function conditionsFor({ variables }: Search, text: string): Promise<Condition[]> {
  const name = ['q', 'name'].find((one) => variables.some((variable) => variable.name === one))
  return conditionsOf(variables, new URLSearchParams(name ? { [name]: text } : {}), async () => undefined)
}
