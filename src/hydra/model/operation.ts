import type { EntityManager } from 'typeorm'
import type { AnsweredAs, Caller, Role } from './caller.ts'
import type { Class } from './class.ts'
import type { PlainEntity } from './entity.ts'
import type { FairShare } from './fair-share.ts'
import type { Condition } from './filter.ts'
import type { Page, Sort } from './page.ts'
import type { Violation } from './problem.ts'
import type { Shape } from './shape.ts'
import type { Executor, InsertOptions, Store } from './store.ts'

/** A link from an item to an operation on it. */
export interface Link<E extends object> {
  name: string
  /** The class whose documents carry the link; by default the class of the operation's resource. */
  on?: Class
  /** Whether the state of the item allows the operation. The role is the one that this item is shown as. */
  when?(entity: E, role: Role, caller: Caller): boolean
  /** The target of the link; by default the operation's own path. */
  href?(entity: E): string
}

/** The outcome of a handler when the requested state already holds. The response is 200 instead of 201. */
export class Unchanged<E extends object> {
  constructor(readonly entity: E) {}
}

/** The outcome of a handler that has accepted work and not completed it. The response is 202 with Retry-After. */
export class Accepted<E extends object> {
  /** @param seconds the Retry-After of the response */
  constructor(
    readonly entity: E,
    readonly seconds: number,
  ) {}
}

export type Outcome<E extends object> = E | Page | Unchanged<E> | Accepted<E> | undefined

/** A file that is uploaded in a form. */
export interface FileInput {
  /** The most bytes that the file may have. */
  limit: number
  /** Its media types. */
  types: string[]
  /** Parses the bytes for the handler. It may take seconds, so it runs before any transaction begins. */
  read(bytes: Buffer): Promise<object>
}

/** Says that clients should stop using an operation. Dates are those of UTC, such as 2027-03-31. */
export interface Deprecation {
  /** The day from which the operation is deprecated; it may lie in the future. */
  since: string
  /** The day from which it may no longer work. */
  sunset?: string
  /** The URL of a page that names the replacement. */
  page: string
}

/** One operation of a resource: its route, its documentation and its behaviour in one value. */
export interface Operation<E extends object = object> {
  /** Its IRI in the documentation is `#Meeting/<name>`. */
  name: string
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  /** Below the path of the resource: '' for the collection, '/:id' for the item, '/:id/cancel' for an action. */
  path: string
  /** The title in the documentation, given the class's title. */
  title(name: string): string
  /** Details of the behaviour, which follow the reference's own sentence. */
  description?: string
  /** The class that the reference's sentence names, when it is not the resource's own. */
  subject?: string
  /** The class of the body. 'self' is the class of the resource; absent means no body. */
  expects?: Class | 'self' | 'file'
  /** The limits and the parser of the uploaded file, when `expects` is 'file'. */
  file?: FileInput
  returns: 'item' | 'collection' | 'nothing'
  /** The class of the item, or of the members of the collection, that it returns; by default the class of the resource. */
  members?: Class
  /** The statuses of its responses, beside those that every operation has. */
  statuses: number[]
  /** The roles that may use it; by default the roles of a tenant. */
  may?: readonly Role[]
  /** The reason why a role may not use it, where the name of the role does not explain it. */
  refusals?: Partial<Record<Role, string>>
  /** Whether only people may use it, because it needs a user or changes rights. */
  peopleOnly?: true
  /** Whether it is allowed while the caller's tenant is read-only. */
  allowedWhileReadOnly?: true
  /** The writable properties that it accepts, each with the roles that may write it; by default all, from every role. */
  writes?: Record<string, readonly Role[]>
  /** The properties that a create sets beside those of the body; absent where its handler may set any. */
  sets?: readonly string[]
  /** Properties that null clears. Another operation sets them, so any other new value is refused with this remedy. */
  clears?: Record<string, string>
  /**
   * The period of its strict rate limit. Such operations send mails, take uploads, or check codes and tokens that a client
   * may guess. The limit per minute also applies where a limit per hour is set.
   */
  sensitive?: 'minute' | 'hour'
  /** The reason why a person confirms it first: it destroys data, or it costs money. A DELETE destroys. */
  consequence?: 'destroys' | 'bills'
  /** A person who has sent its form acts for the tenant that the response belongs to (`answeredAs`), and gets the start page. */
  enters?: true
  /** Says that clients should stop using it. Its responses and the documentation then say so, too. */
  deprecated?: Deprecation
  /** Whether its handler calls another service, which may fail. It then runs outside a transaction and must be safe to resume. */
  callsExternalService?: true
  /** The secrets of its response. The stored response for an Idempotency-Key has null in their place. */
  secrets?: {
    names: string[]
    /** The secrets for a repeated request. Absent where they are shown once: the repetition then has null, too. */
    renew?(call: Call<E>, document: Record<string, unknown>): Promise<Record<string, unknown>>
  }
  // biome-ignore lint/suspicious/noExplicitAny: links may sit on another class's items
  link?: Link<any>
  handle(call: Call<E>): Promise<Outcome<object>>
}

/** The reads and writes of one request: in one transaction where the request needs one, and again after a lost race. */
export interface DatabaseAccess {
  /** Runs compiled statements, in the transaction if there is one. */
  readonly executor: Executor
  /** Lets the rest of the request touch the rows of another tenant, for example one that it creates. */
  admit(tenant: string): void
  /** Runs work in one transaction, and again after a deadlock or a serialization failure. */
  transaction<T>(work: () => Promise<T>): Promise<T>
  /** Runs work that writes with one statement, and again after a lost race. */
  statement<T>(work: () => Promise<T>): Promise<T>
  /** Runs work once everything is committed. */
  after(work: () => void): void
  insert<T extends PlainEntity>(entity: T, options?: InsertOptions): Promise<T>
  /** Writes the difference between two states of an entity. @throws Problem 409 when another request has changed it */
  save<T extends PlainEntity>(before: T, after: T): Promise<T>
  remove(entity: PlainEntity): Promise<void>
}

/** The parts of the request that a handler may depend on: no URL, no headers. */
export interface CallRequest {
  /** The id of this request at other services. It stays the same when the request is resumed after a crash. */
  readonly claim: string
  /** The role and tenant that may read the response again; by default the caller's. An operation may grant others. */
  answeredAs?: AnsweredAs
  /** The uploaded file, as the operation's `file.read` has parsed it. */
  readonly file: object
  /** The tenant and caller whose time is counted where many callers wait for the same thread. */
  readonly share: FairShare
  /** The start of absolute links. */
  readonly publicUrl: string
  /** Of the offered languages, the one that the client prefers. */
  language(offered: string[]): string
  /** Checks If-Match and If-None-Match against what was read. @throws Problem 412 */
  checkPreconditions(entity: { version?: number }): void
}

/** The resource of an operation, as handlers of any class see it. */
export interface CallResource<E extends object> {
  readonly shape: Shape
  /** The property of an entity that holds its tenant's id. */
  readonly tenantColumn: string
  /** The canonical path of an item. */
  iri(entity: E): string
}

/** One request for one operation, as its handler sees it: no response. */
export interface Call<E extends object = object> {
  /** The sender of the request. The operation may replace it, for example after it makes the caller a member. */
  caller: Caller
  /** The tenant of the caller. @throws Problem 403 for a caller without one */
  readonly tenant: string
  /** The user of the caller. @throws Problem 403 for a caller without one */
  readonly user: string
  readonly operation: Operation<E>
  readonly resource: CallResource<E>
  readonly request: CallRequest
  /** TypeORM's manager, in the transaction of the unit of work if there is one. */
  readonly manager: EntityManager
  readonly unitOfWork: DatabaseAccess
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
}

/** Prepares a draft before its rules are checked, and returns further violations. */
export type Prepare<E extends object> = (draft: E, call: Call<E>) => Promise<Violation[]> | Violation[]
