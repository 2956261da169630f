import { v7 as uuid } from 'uuid'
import type { Api, Bound } from '../api.ts'
import { type DeserializeOptions, deserialize } from '../input/deserializer.ts'
import { misnamedMembers, readBody } from '../input/read-body.ts'
import { resolveReferences } from '../input/references.ts'
import { type AnsweredAs, type Caller, tenantOf } from '../model/caller.ts'
import { createEntity } from '../model/entity.ts'
import { type FairShare, shareOf } from '../model/fair-share.ts'
import { localTimeOf } from '../model/local-time.ts'
import type { Class, Operation } from '../model/operation.ts'
import { Problem, type Violation } from '../model/problem.ts'
import { conditionsOf } from '../query/filters.ts'
import { Page, pageRequestOf } from '../query/pagination.ts'
import { type Search, unknownParameters } from '../query/search.ts'
import { orderOf, type Sort } from '../query/sort.ts'
import type { Condition } from '../query/sql-condition.ts'
import { isTimeout } from '../store/database-problem.ts'
import type { FairPool } from '../store/fair-pool.ts'
import type { Store } from '../store/postgres-store.ts'
import type { Executor } from '../store/statement.ts'
import { UnitOfWork } from '../store/unit-of-work.ts'
import { requireMatch, requireNoneMatch } from './conditional-request.ts'
import type { ApiRequest } from './request.ts'

/** How an operation prepares what it read, before the rules are judged. */
export type Prepare<E extends object> = (draft: E, call: Call<E>) => Promise<Violation[]> | Violation[]

/** One request for one operation: everything a handler needs, and nothing of HTTP's answer. */
export class Call<E extends object = object> extends UnitOfWork {
  private claimed: string | undefined
  private answeredIn: AnsweredAs | undefined

  constructor(
    readonly api: Api,
    readonly bound: Bound,
    readonly operation: Operation<E>,
    public caller: Caller,
    readonly request: ApiRequest,
  ) {
    super(api.database, api.pools.items, tenantOf(caller), request.conditional)
  }

  /** The tenant that the caller acts for; operations for tenants' roles alone always have one. */
  get organization(): string {
    if (!this.caller.organization)
      throw new Problem(
        403,
        this.caller.reason ??
          'This acts on an organization: send a token whose claim "organization" names one of yours.',
      )
    return this.caller.organization
  }

  get user(): string {
    if (!this.caller.user) throw new Problem(403, this.caller.reason ?? 'This is for users of an organization.')
    return this.caller.user
  }

  /** Who pays for tasks that many callers wait for. */
  get share(): FairShare {
    return shareOf(this.caller, this.request.request.ip)
  }

  /** What was made of the file that the operation expects. */
  get file(): object {
    if (!this.request.file) throw new Error(`${this.operation.name} expects a file but does not say how it is read.`)
    return this.request.file
  }

  /** The item that the path names, if the caller may see it; Problem 404 otherwise. */
  async find(): Promise<E> {
    return (await this.named()) as E
  }

  /** The same, only to be shown: it may lack what is not written out. */
  async show(): Promise<E> {
    return (await this.named(true)) as E
  }

  /** An item of any class by its id; Problem 404 when there is none for this caller. */
  async get<T extends object>(type: Class<T>, id: string): Promise<T> {
    return (await this.look(this.api.of(type), id)) as T
  }

  /** The page that the query asks for; of another class, within a condition, in an order or from a store of its own, when given. */
  async page(
    type: Class = this.bound.shape.class,
    within: Condition[] = [],
    usual: Sort[] = [],
    store: Store = this.api.of(type).store,
  ): Promise<Page> {
    const bound = this.api.of(type)
    const { searches, shape } = bound
    const search = searches.get(this.caller.role) as Search
    const { query, strict } = this.request
    if (strict) refuseUnknown(this.request.names, search)
    const asked = orderOf(query, search.sortable)
    const order = asked.length > 0 ? asked : usual
    const conditions = [...within, ...(await conditionsOf(search.variables, query, () => localTimeOf(this)))]
    const { options } = bound.resource
    const metadata = options.store ? undefined : shape.metadata
    const found = await this.reading(bound, async (executor) => {
      const found = await store.page(executor, this.caller, {
        conditions,
        order,
        ...pageRequestOf(query, order, metadata, options.most),
      })
      await bound.lists(executor, this.caller, bound.resource, found.entities)
      return found
    })
    return new Page(type, found, order)
  }

  /** Reads the body as one of the operation's inputs. */
  async input<T extends object>(type: Class<T>): Promise<T> {
    return this.read(createEntity(type), false)
  }

  /** Reads the body into a new entity, or (partial) over one that stands. */
  async read<T extends object>(entity: T, partial: boolean, prepare?: DeserializeOptions<T>['prepare']): Promise<T> {
    const shape = this.api.shape(entity.constructor as Class)
    const body = await readBody(this, shape, partial)
    return deserialize({
      shape,
      entity,
      body,
      misnamed: misnamedMembers(this, shape, body),
      writes: (name) =>
        this.operation.writes === undefined || (this.operation.writes[name] ?? []).includes(this.caller.role),
      clears: this.operation.clears,
      strict: this.request.strict,
      isA: (type, of) => this.api.isA(type, of),
      partial,
      resolve: (references) => resolveReferences(this.api, this.executor, this.caller, references),
      prepare,
    })
  }

  /** What a call to another service is made under, and what is made here for it: the same when the request is resumed. */
  get claim(): string {
    this.claimed ??= uuid()
    return this.claimed
  }

  set claim(id: string) {
    this.claimed = id
  }

  /** The role and tenant that the answer is for: the caller's, unless the operation itself made the caller a member. */
  get right(): AnsweredAs {
    const { role, organization } = this.caller
    return this.answeredIn ?? { role, organization }
  }

  set right(right: AnsweredAs) {
    this.answeredIn = right
  }

  /** Checks If-Match and If-None-Match against what was read. */
  match({ version }: { version?: number }): void {
    requireMatch(this.request.header('if-match'), version)
    requireNoneMatch(this.request.header('if-none-match'), version)
  }

  /** Only lists that are asked for have a pool and replicas of their own: what is written next depends on none of them. */
  private reading<T>({ resource }: Bound, work: (executor: Executor) => Promise<T>): Promise<T> {
    const { pools, settings } = this.api
    if (this.operation.method !== 'GET' || this.inTransaction || resource.options.store) return work(this.executor)
    const lists = settings.replicas ?? pools.lists
    return lists.run(tenantOf(this.caller), work).catch((error) => {
      throw isTimeout(error) ? tooCostly(this.request.query, pools.lists) : error
    })
  }

  /** The item that the path names. */
  private async named(shown = false): Promise<object> {
    const { id } = this.request
    const canonical = id === undefined ? id : this.bound.resource.canonical(id)
    const found = await this.look(this.bound, canonical, shown)
    if (id !== canonical) throw this.redirect(canonical as string)
    return found
  }

  private async look(bound: Bound, id: string | undefined, shown = false): Promise<object> {
    const entity = await bound.store.find(this.executor, this.caller, id, shown)
    if (!entity) throw new Problem(404, 'Not found: no such resource exists, or you have no access to it.')
    await bound.lists(this.executor, this.caller, bound.resource, [entity])
    return entity
  }

  /** Leads from another spelling of an id to the canonical one; 308 keeps the method (RFC 9110 §15.4.9). */
  private redirect(id: string): Problem {
    const { method, path } = this.operation
    const { search } = this.request
    const location = this.api.at(this.bound.resource.path) + path.replace(':id', encodeURIComponent(id)) + search
    return new Problem(method === 'GET' ? 301 : 308, 'Its canonical address is in Location.', { Location: location })
  }
}

/** The refusal of a list that takes too long, with what makes it so; the same request may well take as long again. */
function tooCostly(query: URLSearchParams, { pool: { options } }: FairPool): Problem {
  const names = [...new Set(query.keys())].filter((name) => name !== 'itemsPerPage')
  const asked = names.map((name) => `"${name.slice(0, 100)}"`).join(', ')
  const remedy = names.length > 0 ? `Narrow or leave out ${asked}` : 'Narrow it by a filter'
  const limit = `${Number(options.statement_timeout) / 1000} s`
  return new Problem(503, `This list takes longer than the limit of ${limit}. ${remedy}, then send it again.`, {
    'Retry-After': '5',
  })
}

function refuseUnknown(names: Set<string>, search: Search): void {
  const unknown = unknownParameters(names, search)
  if (unknown.length > 0)
    throw new Problem(400, `The collection has no parameter ${unknown.map((name) => `"${name}"`).join(', ')}.`)
}
