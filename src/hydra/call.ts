import type { IncomingMessage } from 'node:http'
import Negotiator from 'negotiator'
import type { EntityManager } from 'typeorm'
import type { PostgresDriver } from 'typeorm/driver/postgres/PostgresDriver.js'
import { v7 as uuid } from 'uuid'
import type { Api, Bound } from './api.ts'
import type { Caller } from './caller.ts'
import { Page, placeOf } from './collection.ts'
import { requireMatch } from './conditional.ts'
import type { Condition } from './conditions.ts'
import { deserialize, type Reading } from './deserialize.ts'
import { make } from './entity.ts'
import { isConflict } from './faults.ts'
import { conditionsOf } from './filters.ts'
import { namedBody } from './named-body.ts'
import type { Class, Operation } from './operation.ts'
import { orderOf, type Sort } from './order.ts'
import { isStrict } from './preferences.ts'
import { Problem, type Violation } from './problem.ts'
import { resolveReferences } from './references.ts'
import { type Search, unknownParameters } from './search.ts'
import type { Executor } from './sql.ts'
import { changed, insert, remove, update } from './store.ts'

/** What of a request an operation may depend on. */
export interface Question {
  /** The id in the path, decoded. */
  id: string | undefined
  /** Its target and its headers. */
  request: Pick<IncomingMessage, 'url' | 'headers'>
  /** Its body, or the bytes of the file in it. */
  bytes: Buffer | undefined
  /** What the file was read as. */
  file?: object
}

/** How an operation prepares what it read, before the rules are judged. */
export type Prepare<E extends object> = (draft: E, call: Call<E>) => Promise<Violation[]> | Violation[]

const noParameters = new URLSearchParams()

/** One request for one operation: everything a handler needs, and nothing of HTTP's answer. */
export class Call<E extends object = object> {
  readonly database
  private transactional: EntityManager | undefined
  private parameters: URLSearchParams | undefined
  private claimed: string | undefined
  private readonly afterwards: (() => void)[] = []

  constructor(
    readonly api: Api,
    readonly bound: Bound,
    readonly operation: Operation<E>,
    public caller: Caller,
    readonly question: Question,
  ) {
    this.database = api.database
  }

  /** The tenant that the caller acts for; operations for tenants' roles alone always have one. */
  get organization(): string {
    if (!this.caller.organization)
      throw new Problem(403, this.caller.reason ?? 'This acts on an organization, and you act for none.')
    return this.caller.organization
  }

  get user(): string {
    if (!this.caller.user) throw new Problem(403, this.caller.reason ?? 'This is for users of an organization.')
    return this.caller.user
  }

  /** What was made of the file that the operation expects. */
  get file(): object {
    if (!this.question.file) throw new Error(`${this.operation.name} expects a file but does not say how it is read.`)
    return this.question.file
  }

  /** The path that was asked for, as it was written. */
  get path(): string {
    return this.split()[0]
  }

  get query(): URLSearchParams {
    this.parameters ??= this.question.request.url?.includes('?') ? new URLSearchParams(this.split()[1]) : noParameters
    return this.parameters
  }

  /** Whether what is not understood is to be refused (RFC 7240 §4.4). */
  get strict(): boolean {
    return isStrict(this.header('prefer'))
  }

  header(name: string): string | undefined {
    return this.question.request.headers[name] as string | undefined
  }

  /** The language that the client would rather read, of those there are; the first where it likes none. */
  language(offered: string[]): string {
    const header = this.header('accept-language')
    if (header === undefined) return offered[0]
    return new Negotiator({ headers: { 'accept-language': header } }).language(offered) ?? offered[0]
  }

  get manager(): EntityManager {
    return this.transactional ?? this.database.manager
  }

  /** Where compiled statements run: in the transaction when there is one. */
  get executor(): Executor {
    const runner = this.transactional?.queryRunner as { databaseConnection?: Executor } | undefined
    return runner?.databaseConnection ?? (this.database.driver as PostgresDriver).master
  }

  /** The item that the path names, if the caller may see it; Problem 404 otherwise. */
  async find(): Promise<E> {
    return (await this.look(this.bound, this.question.id)) as E
  }

  /** The same, only to be shown: it may lack what is not written out. */
  async show(): Promise<E> {
    return (await this.look(this.bound, this.question.id, true)) as E
  }

  /** An item of any class by its id; Problem 404 when there is none for this caller. */
  async get<T extends object>(type: Class<T>, id: string): Promise<T> {
    return (await this.look(this.api.of(type), id)) as T
  }

  /** The page that the query asks for; of another class, within a condition and in an order of its own, when given. */
  async page(type: Class = this.bound.shape.class, within: Condition[] = [], usual: Sort[] = []): Promise<Page> {
    const bound = this.api.of(type)
    const { search, store, shape } = bound
    if (this.strict) this.refuseUnknown(search)
    const asked = orderOf(this.query, search.sortable)
    const order = asked.length > 0 ? asked : usual
    const conditions = [...within, ...conditionsOf(search.variables, this.query)]
    const metadata = bound.resource.options.store ? undefined : shape.metadata
    const found = await this.reading(bound, async (executor) => {
      const found = await store.page(executor, this.caller, {
        conditions,
        order,
        ...placeOf(this.query, order, metadata),
      })
      await bound.lists(executor, this.caller, bound.resource, found.entities)
      return found
    })
    return new Page(type, found, order)
  }

  /** Reads the body as one of the operation's inputs. */
  async input<T extends object>(type: Class<T>): Promise<T> {
    return this.read(make(type), false)
  }

  /** Reads the body into a new entity, or (partial) over one that stands. */
  async read<T extends object>(entity: T, partial: boolean, prepare?: Reading<T>['prepare']): Promise<T> {
    const shape = this.api.shape(entity.constructor as Class)
    return deserialize({
      shape,
      entity,
      body: await namedBody(this, shape, partial),
      writes: (name) =>
        this.operation.writes === undefined || (this.operation.writes[name] ?? []).includes(this.caller.role),
      strict: this.strict,
      partial,
      resolve: (references) => resolveReferences(this.api, this.executor, this.caller, references),
      prepare,
    })
  }

  /** Runs work in one transaction, again when it lost a race against another. */
  async transaction<T>(work: () => Promise<T>): Promise<T> {
    if (this.transactional) return work()
    for (let tries = 1; ; tries++)
      try {
        return await this.database.transaction(async (manager) => {
          this.transactional = manager
          return work()
        })
      } catch (error) {
        if (tries === 3 || !isConflict(error)) throw error
      } finally {
        this.transactional = undefined
      }
  }

  /** Runs work that writes with one statement, again when it lost a race; within a transaction that is run again as a whole. */
  async statement<T>(work: () => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries++)
      try {
        return await work()
      } catch (error) {
        if (this.transactional || tries === 3 || !isConflict(error)) throw error
      }
  }

  /** What a call to another service is made under, and what is made here for it: the same when the request is resumed. */
  get claim(): string {
    this.claimed ??= uuid()
    return this.claimed
  }

  set claim(id: string) {
    this.claimed = id
  }

  /** Has something done once all that this call writes is committed. */
  after(work: () => void): void {
    this.afterwards.push(work)
  }

  /**
   * Runs the work of an operation, and then what waited for its end. Without If-Match the client does not care which state it
   * changes, so a race lost against another client is simply run again.
   */
  async run<T>(work: () => Promise<T>): Promise<T> {
    for (let left = this.conditional ? 0 : 10; ; left--)
      try {
        const outcome = await work()
        for (const afterwards of this.afterwards) afterwards()
        return outcome
      } catch (error) {
        this.afterwards.length = 0
        if (left === 0 || !(error instanceof Overtaken)) throw error
      }
  }

  async insert<T extends object>(entity: T): Promise<T> {
    await insert(this.manager, entity)
    return entity
  }

  /** Writes the difference between two states of an entity; Problem 409 when somebody else has written it since. */
  async save<T extends object>(before: T, after: T): Promise<T> {
    if (await update(this.manager, before, after)) return after
    throw new Overtaken(this.conditional)
  }

  async remove(entity: object): Promise<void> {
    if (!(await remove(this.manager, entity))) throw new Overtaken(this.conditional)
  }

  /** Whether the client has said which state it means to change. */
  get conditional(): boolean {
    return this.header('if-match') !== undefined
  }

  /** Checks If-Match against what was read. */
  match(entity: object): void {
    requireMatch(this.header('if-match'), (entity as { version?: number }).version)
  }

  /** What changes between two states, for the audit log: each property as before and after. */
  changes(before: object, after: object): Record<string, [unknown, unknown]> {
    const names = changed(this.database.getMetadata(before.constructor), before, after)
    return Object.fromEntries(Object.keys(names).map((name) => [name, [before[name as never], after[name as never]]]))
  }

  /** Only lists that are asked for may come from a replica: what is written next depends on none of them. */
  private reading<T>({ resource }: Bound, work: (executor: Executor) => Promise<T>): Promise<T> {
    const { replicas } = this.api.settings
    const here = !replicas || this.operation.method !== 'GET' || this.transactional || resource.options.store
    return here ? work(this.executor) : replicas.read(work)
  }

  private refuseUnknown(search: Search): void {
    const unknown = unknownParameters(this.query, search)
    if (unknown.length > 0)
      throw new Problem(400, `The collection has no parameter ${unknown.map((name) => `"${name}"`).join(', ')}.`)
  }

  private split(): [path: string, query: string] {
    const { url = '' } = this.question.request
    const mark = url.indexOf('?')
    return mark < 0 ? [url, ''] : [url.slice(0, mark), url.slice(mark + 1)]
  }

  private async look(bound: Bound, id: string | undefined, shown = false): Promise<object> {
    const entity = await bound.store.find(this.executor, this.caller, id, shown)
    if (!entity && id !== undefined) await this.redirect(bound, id)
    if (!entity) throw new Problem(404, 'Not found: there is no such resource, or it is not yours to see.')
    await bound.lists(this.executor, this.caller, bound.resource, [entity])
    return entity
  }

  /** Sends whoever spells an id in another way to where the item is. */
  private async redirect({ resource, store }: Bound, id: string): Promise<void> {
    const canonical = resource.options.canonical?.(id) ?? id
    const found = canonical !== id && (await store.find(this.executor, this.caller, canonical))
    if (found) throw new Problem(301, 'Its canonical address is in Location.', { Location: resource.iri(found) })
  }
}

/** Somebody else wrote the row between reading and writing it. */
export class Overtaken extends Problem {
  constructor(conditional: boolean) {
    if (conditional) super(412, 'It has changed since the ETag in If-Match was given: read it again.')
    else super(409, 'Somebody else changed it at the same moment: read it again, then decide.')
  }
}
