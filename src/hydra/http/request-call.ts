import type { EntityManager } from 'typeorm'
import { deserialize } from '../input/deserializer.ts'
import { misnamedMembers, readBody } from '../input/read-body.ts'
import { resolveReferences } from '../input/references.ts'
import { type Caller, tenantOf } from '../model/caller.ts'
import type { Class } from '../model/class.ts'
import { createEntity } from '../model/entity.ts'
import type { Condition } from '../model/filter.ts'
import { indefiniteArticle } from '../model/labels.ts'
import type { LocalTime } from '../model/local-time.ts'
import type { Call, CallResource, Operation } from '../model/operation.ts'
import type { Page, Sort } from '../model/page.ts'
import { Problem, type Violation } from '../model/problem.ts'
import type { Store } from '../model/store.ts'
import { TenantScope } from '../store/tenant-scope.ts'
import { UnitOfWork } from '../store/unit-of-work.ts'
import type { BoundApi, BoundResource } from './bound-api.ts'
import { insertingHandlers } from './crud.ts'
import { readItem, readNamedItem, readPage } from './read-rows.ts'
import type { ApiRequest } from './request.ts'

/** One request for one operation: who asks, what was sent, and the unit of work that reads and writes for it. */
export class RequestCall<E extends object = object> implements Call<E> {
  readonly unitOfWork: UnitOfWork
  /** Whether the foreign keys of the inserted row may check its references, which saves a query. */
  trustsKeys: boolean

  constructor(
    readonly api: BoundApi,
    readonly bound: BoundResource,
    readonly operation: Operation<E>,
    public caller: Caller,
    readonly request: ApiRequest,
  ) {
    const { conditional, request: client } = request
    this.trustsKeys = insertingHandlers.has(operation.handle as Operation['handle'])
    const scope = TenantScope.for(caller, api.roles)
    this.unitOfWork = new UnitOfWork(api.database, api.pools.items, tenantOf(caller), client, scope, conditional)
  }

  get tenant(): string {
    const { name, claim } = this.api.tenancy
    if (!this.caller.tenant)
      throw new Problem(
        403,
        this.caller.reason ??
          `This acts on ${indefiniteArticle(name)} ${name}: send a token whose claim "${claim}" names one of yours.`,
      )
    return this.caller.tenant
  }

  get user(): string {
    const { name } = this.api.tenancy
    if (!this.caller.user)
      throw new Problem(403, this.caller.reason ?? `This is for users of ${indefiniteArticle(name)} ${name}.`)
    return this.caller.user
  }

  get resource(): CallResource<E> {
    return this.bound.handled
  }

  get manager(): EntityManager {
    return this.unitOfWork.manager
  }

  async find(): Promise<E> {
    return (await readNamedItem(this)) as E
  }

  async show(): Promise<E> {
    return (await readNamedItem(this, true)) as E
  }

  async get<T extends object>(type: Class<T>, id: string): Promise<T> {
    return (await readItem(this, this.api.of(type), id)) as T
  }

  page(
    type: Class = this.bound.shape.class,
    conditions: Condition[] = [],
    defaultOrder: Sort[] = [],
    store: Store = this.api.of(type).store,
  ): Promise<Page> {
    return readPage(this, this.api.of(type), { conditions, defaultOrder, store })
  }

  async input<T extends object>(type: Class<T>): Promise<T> {
    return this.read(createEntity(type), false)
  }

  async read<T extends object>(
    entity: T,
    partial: boolean,
    prepare?: (draft: T) => Promise<Violation[]> | Violation[],
  ): Promise<T> {
    const { api, operation, caller, request } = this
    const { unitOfWork } = this
    const { executor } = unitOfWork
    const leaveToKey =
      this.trustsKeys && !unitOfWork.inTransaction
        ? () => {
            unitOfWork.leavesToKeys = true
          }
        : undefined
    const shape = api.shape(entity.constructor as Class)
    const body = await readBody(this, shape, partial)
    return deserialize({
      shape,
      entity,
      body,
      misnamed: misnamedMembers(this, shape, body),
      writes: (name) => operation.writes === undefined || (operation.writes[name] ?? []).includes(caller.role),
      clears: operation.clears,
      strict: request.strict,
      isA: (type, of) => api.isA(type, of),
      partial,
      resolve: (references) => resolveReferences({ api, caller, executor, leaveToKey }, shape, references),
      prepare,
    })
  }

  /** How to read a date-time without offset for this caller; undefined where it is rejected. */
  async localTime(): Promise<LocalTime | undefined> {
    return this.request.strict ? undefined : this.api.options.localTime?.(this.unitOfWork.executor, this.caller)
  }
}
