import type { Call } from '../http/request-call.ts'
import type { Page } from '../query/pagination.ts'
import type { Caller, Role } from './caller.ts'

// biome-ignore lint/suspicious/noExplicitAny: a constructor may take what it likes
export type Class<E extends object = object> = abstract new (...args: any[]) => E

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
  /** Whether it is done even while the organization is frozen. */
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

export const tenantRoles: readonly Role[] = ['member', 'admin', 'owner']
