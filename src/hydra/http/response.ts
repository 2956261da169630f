import { type CollectionTail, collectionTail } from '../formats/collection-tail.ts'
import type { Document } from '../formats/format.ts'
import { Accepted, type Outcome, Unchanged } from '../model/operation.ts'
import { Page, type SentRow } from '../model/page.ts'
import { Problem } from '../model/problem.ts'
import { viewOf } from '../query/pagination.ts'
import { isSelection, pageParameters, type Search, sparse, sparseOf, templateAt } from '../query/search.ts'
import type { ApiRequest } from './request.ts'
import type { RequestCall } from './request-call.ts'

/** A response before it is written in the negotiated format. */
export interface ApiResponse {
  status: number
  headers: Record<string, string>
  /** The JSON-LD document; none with 204. */
  document?: Document
  /** The JSON of the members that the document lacks: they are written from rows, for a response in JSON. */
  members?: string
  /** The JSON of the members that the document has, for a page. */
  drawnMembers?: string
  /** Of a collection: the members of its document that never change. */
  tail?: CollectionTail
  /** Of a collection: the requested properties of its items; all when absent. */
  properties?: Set<string>
  /** Of a collection: whether its total is the highest number that is counted to. */
  limited?: boolean
  /** Of an item: the start of its ETag. */
  version?: number
  /** The item or the page of the document; absent where a stored response is repeated. */
  outcome?: object
}

/** Turns the outcome of a handler into a response: the one place that knows statuses and documents. */
export function responseOf(call: RequestCall, outcome: Outcome<object>): ApiResponse {
  if (outcome === undefined) return { status: 204, headers: {} }
  if (outcome instanceof Page) return pageResponse(call, outcome)
  if (outcome instanceof Accepted) return itemResponse(call, outcome.entity, { retryAfter: outcome.seconds })
  if (outcome instanceof Unchanged) return itemResponse(call, outcome.entity, { unchanged: true })
  return itemResponse(call, outcome, {})
}

function pageResponse(call: RequestCall, page: Page): ApiResponse {
  const { query, strict } = call.request
  const properties = sparseOf(query, call.api.shape(page.of), strict)
  const { isJson, isHtml } = call.request
  const written = properties || !(isJson || isHtml) ? undefined : writtenMembers(call, page)
  const members = isJson ? written : undefined
  const document = collectionOf(call, page, members === undefined ? documentsOf(call, page, properties, written) : [])
  return {
    status: 200,
    headers: {},
    document,
    members,
    drawnMembers: isHtml ? written : undefined,
    tail: tailOf(call, page),
    properties,
    limited: page.found.limited,
    outcome: page,
  }
}

function itemResponse(
  call: RequestCall,
  entity: object,
  { unchanged, retryAfter }: { unchanged?: true; retryAfter?: number },
): ApiResponse {
  const { method } = call.operation
  const { query, strict } = call.request
  if (method === 'GET' && strict) requireNoParameters(call.request)
  const bound = call.api.of(entity.constructor as never)
  const whole = bound.serialize(entity, call.caller, {
    '@context': call.api.iris.at(`/contexts/${bound.shape.name}`),
  })
  const document = method === 'GET' ? sparse(whole, sparseOf(query, bound.shape, strict)) : whole
  const iri = document['@id'] as string
  const isReadable = method !== 'GET' && call.api.permissions.reads(bound.resource, entity, call.caller)
  const created = method === 'POST' && !unchanged && retryAfter === undefined
  return {
    status: retryAfter !== undefined ? 202 : created ? 201 : 200,
    headers: {
      ...(isReadable && { 'Content-Location': iri }),
      ...(created && isReadable && { Location: iri }),
      ...(retryAfter !== undefined && { 'Retry-After': `${retryAfter}` }),
    },
    document,
    version: (entity as { version?: number }).version,
    outcome: entity,
  }
}

/** An item takes no parameter but the selection of its properties; its page takes those of pages too. */
function requireNoParameters({ query, isHtml }: ApiRequest): void {
  const isKnown = (name: string) => isSelection(name) || (isHtml && pageParameters.includes(name))
  const unknown = [...new Set(query.keys())].filter((name) => !isKnown(name))
  if (unknown.length > 0)
    throw new Problem(400, `An item has no parameter ${unknown.map((name) => `"${name.slice(0, 100)}"`).join(', ')}.`)
}

/** The JSON of a page's rows, where no row has become an entity. */
function writtenMembers({ api, caller }: RequestCall, { of, found }: Page): string | undefined {
  const write = found.sent && api.of(of).rowWriters.get(caller.role)
  return write && (found.sent as SentRow[]).map(write).join(',')
}

/** The members as documents. Pages are drawn from the JSON of the rows too, which costs less than entities. */
function documentsOf(
  { api, caller }: RequestCall,
  page: Page,
  properties: Set<string> | undefined,
  written: string | undefined,
): Record<string, unknown>[] {
  if (written !== undefined) return JSON.parse(`[${written}]`)
  const { serialize } = api.of(page.of)
  return page.found.entities.map((entity) => sparse(serialize(entity, caller), properties))
}

function collectionOf(call: RequestCall, page: Page, member: object[]): Record<string, unknown> {
  const { api, request } = call
  const { path, query } = request
  const { resource, shape } = api.of(page.of)
  return api.spell({
    '@context': api.iris.at(`/contexts/${shape.name}`),
    '@id': api.iris.at(path),
    '@type': 'Collection',
    totalItems: page.found.total,
    member,
    view: api.spell(viewOf(api.iris.at(request.withSuffix(path)), query, page, resource.options)),
  })
}

/** A collection below another path names that path in its search; all others share one tail. */
function tailOf({ api, caller: { role }, request: { path } }: RequestCall, { of }: Page): CollectionTail {
  const { resource, searches, tails } = api.of(of)
  const tail = tails.get(role) as CollectionTail
  if (path === resource.path) return tail
  const search = api.spell({ search: templateAt(api.iris.root, path, searches.get(role) as Search, resource) })
  return collectionTail({ ...tail.properties, ...search })
}
