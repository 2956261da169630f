import type { EntityManager } from 'typeorm'
import type { AnsweredAs, Caller, Role } from './caller.ts'
import type { Class } from './class.ts'
import type { FairShare } from './fair-share.ts'
import type { Condition } from './filter.ts'
import type { Page, Sort } from './page.ts'
import type { Violation } from './problem.ts'
import type { Shape } from './shape.ts'
import type { Executor, Store } from './store.ts'

/** A link from an item to what may be done with it. */
export interface Link<E extends object> {
  name: string
  /** Whose documents carry it, when that is not the class which the operation belongs to. */
  on?: Class
  /** Whether the state of the item allows it, to those whom it is shown to as this role. */
  when?(entity: E, role: Role, caller: Caller): boolean
  /** Where it leads, when that is not the operation's own path. */
  href?(entity: E): string
}

/** What a handler gives back when the effect that was asked for already held: 200 and not 201. */
export class Unchanged<E extends object> {
  constructor(readonly entity: E) {}
}

/** What a handler gives back when what was asked for has been taken on and is not done yet: 202. */
export class Accepted<E extends object> {
  /** @param seconds after which to ask again */
  constructor(
    readonly entity: E,
    readonly seconds: number,
  ) {}
}

export type Outcome<E extends object> = E | Page | Unchanged<E> | Accepted<E> | undefined

/** A file that comes in a form. */
export interface FileInput {
  /** How many bytes it may have. */
  limit: number
  /** Its media types. */
  types: string[]
  /** Makes of its bytes what the handler works with; before any transaction is begun, as that may take seconds. */
  read(bytes: Buffer): Promise<object>
}

/** One thing that a resource can be asked: a route, its documentation and its behaviour in one value. */
export interface Operation<E extends object = object> {
  /** Its IRI in the documentation is `#Meeting/<name>`. */
  name: string
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  /** Below the path of the resource: '' for the collection, '/:id' for the item, '/:id/cancel' for an action. */
  path: string
  /** A true sentence for people, given the class's title. */
  title(name: string): string
  /** What really happens, after the reference's own sentence. */
  description?: string
  /** The class that the reference's sentence names, when it is not the resource's own. */
  subject?: string
  /** The class that its body is an instance of; its own resource's when 'self', none when absent. */
  expects?: Class | 'self' | 'file'
  /** What file it is, when it expects one. */
  file?: FileInput
  returns: 'item' | 'collection' | 'nothing'
  /** Members of a collection that are not of the class itself. */
  members?: Class
  /** Every status it can answer beside those that any operation can. */
  statuses: number[]
  /** Who may; the roles of a tenant unless said otherwise. */
  may?: readonly Role[]
  /** Why a role may not, where its name does not tell. */
  refusals?: Partial<Record<Role, string>>
  /** Whether it is done while the caller's tenant is read-only. */
  allowedWhileReadOnly?: true
  /** Which of the writable properties it takes, and from whom; all from everybody unless said. */
  writes?: Record<string, readonly Role[]>
  /** Properties that null empties; another value than the present one is refused with this remedy, since it has a way of its own. */
  clears?: Record<string, string>
  /**
   * The time in which a caller may send few requests: those that cost others, such as mails and uploads, and those by which
   * codes and tokens are guessed. A limit an hour holds beside the one a minute.
   */
  sensitive?: 'minute' | 'hour'
  /** Whether its handler calls another service, which may fail: then no transaction is open around it, and it must bear being resumed. */
  callsExternalService?: true
  /** The secrets in its answer, which is kept for a repetition without them; they are got anew for that. */
  secrets?: {
    names: string[]
    renew(call: Call<E>, document: Record<string, unknown>): Promise<Record<string, unknown>>
  }
  // biome-ignore lint/suspicious/noExplicitAny: links may sit on another class's items
  link?: Link<any>
  handle(call: Call<E>): Promise<Outcome<object>>
}

/** Reads and writes rows: in one transaction where the request needs one, and again after a lost race. */
export interface DatabaseAccess {
  readonly manager: EntityManager
  /** Runs compiled statements, in the transaction if there is one. */
  readonly executor: Executor
  /** Runs work in one transaction, and again after a deadlock or a serialization failure. */
  transaction<T>(work: () => Promise<T>): Promise<T>
  /** Runs work that writes with one statement, and again after a lost race. */
  statement<T>(work: () => Promise<T>): Promise<T>
  /** Runs work once everything is committed. */
  after(work: () => void): void
  insert<T extends object>(entity: T): Promise<T>
  /** Writes the difference between two states of an entity. @throws Problem 409 when another request has changed it */
  save<T extends object>(before: T, after: T): Promise<T>
  remove(entity: object): Promise<void>
}

/** One request for one operation, as its handler sees it: no headers, no response. */
export interface Call<E extends object = object> extends DatabaseAccess {
  /** The operation may change it, for example when it makes the caller a member. */
  caller: Caller
  /** The tenant of the caller. @throws Problem 403 for a caller without one */
  readonly tenant: string
  /** The property of an entity that holds its tenant's id. */
  readonly tenantColumn: string
  /** The user of the caller. @throws Problem 403 for a caller without one */
  readonly user: string
  readonly operation: Operation<E>
  /** The class of the resource. */
  readonly shape: Shape
  /** The start of absolute links. */
  readonly publicUrl: string
  /** The tenant and caller whose time is counted where many callers wait for the same thread. */
  readonly share: FairShare
  /** The id of this request at other services. It stays the same when the request is resumed after a crash. */
  readonly claim: string
  /** The role and tenant that may read the response again: the caller's, or those that the operation grants. */
  answeredAs: AnsweredAs
  /** What the operation has read from the uploaded file. */
  readonly file: object
  /** Of the offered languages, the one that the client prefers. */
  language(offered: string[]): string
  /** The item that the path names. @throws Problem 404 when the caller may not see it */
  find(): Promise<E>
  /** The same item, only to be serialized: columns that no property needs may be missing. */
  show(): Promise<E>
  /** An item of any class by its id. @throws Problem 404 when the caller may not see it */
  get<T extends object>(type: Class<T>, id: string): Promise<T>
  /** The page that the query asks for, by default of the resource's class. */
  page(type?: Class, conditions?: Condition[], defaultOrder?: Sort[], store?: Store): Promise<Page>
  /** Reads the body as an instance of a class. @throws ConstraintViolation */
  input<T extends object>(type: Class<T>): Promise<T>
  /** Reads the body into a new entity, or (partial) over a stored one. @throws ConstraintViolation */
  read<T extends object>(
    entity: T,
    partial: boolean,
    prepare?: (draft: T) => Promise<Violation[]> | Violation[],
  ): Promise<T>
  /** The canonical path of an item of the resource. */
  iri(entity: E): string
  /** Checks If-Match and If-None-Match against what was read. @throws Problem 412 */
  checkPreconditions(entity: { version?: number }): void
}

/** Prepares a draft before its rules are checked, and returns further violations. */
export type Prepare<E extends object> = (draft: E, call: Call<E>) => Promise<Violation[]> | Violation[]
