import type { IncomingHttpHeaders } from 'node:http'
import type { Request } from 'express'
import type { CollectionTail } from '../formats/collection-tail.ts'
import type { Pages } from '../formats/html.ts'
import type { WriteRow } from '../formats/row-writer.ts'
import type { Serialize } from '../formats/serializer.ts'
import type { ApiModel, ModelOptions } from '../model/api-model.ts'
import type { AnsweredAs, Caller, Role } from '../model/caller.ts'
import type { Class } from '../model/class.ts'
import type { LocalTime } from '../model/local-time.ts'
import type { CallResource } from '../model/operation.ts'
import type { Problem } from '../model/problem.ts'
import type { Resource } from '../model/resource.ts'
import type { Shape } from '../model/shape.ts'
import type { Executor, Store } from '../model/store.ts'
import type { Search } from '../query/search.ts'
import type { ConflictMessage } from '../store/database-problem.ts'
import type { Pools } from '../store/fair-pool.ts'
import type { Replicas } from '../store/statement.ts'
import type { LoadToMany } from '../store/to-many.ts'

/** A resource joined to its context, its rows, its search and its serializer. */
export interface BoundResource {
  resource: Resource
  shape: Shape
  /** The part that handlers see. */
  handled: CallResource<object>
  store: Store
  loadToMany: LoadToMany | undefined
  /** The search with every property, as the documentation describes it. */
  search: Search
  /** The search of each role. */
  searches: Map<Role, Search>
  /** The end of a collection's document for each role: its search, and the class of its members (Hydra Core, §5.1). */
  tails: Map<Role, CollectionTail>
  serialize: Serialize
  /** The writers of rows that need not become entities, for each role that has one. */
  rowWriters: Map<Role, WriteRow>
}

/** The API as its documentation introduces it, in the words of OpenAPI's info object. */
export interface ApiInfo {
  title: string
  description: string
  /** An SPDX identifier. */
  license?: string
}

export interface ApiOptions extends ModelOptions {
  info: ApiInfo
  /** The id in the examples of the documentation; a stored row with it makes the examples work. */
  exampleId: string
  /** The message for each database constraint whose violation is a 409, by the constraint's name. */
  conflicts?: Record<string, ConflictMessage>
  /** Whether the caller still has the role of the tenant, or a higher one, by the stored rows; always when absent. */
  holds?(executor: Executor, caller: Caller, right: AnsweredAs): Promise<boolean>
  /** How to read a date-time without offset for a caller; it is rejected where the result is undefined, or without this option. */
  localTime?(executor: Executor, caller: Caller): Promise<LocalTime | undefined>
  /** The collation that texts are ordered by; the database's by default. */
  collation?: string
  /** The connections for items and for lists; by default both use the DataSource's pool. */
  pools?: Pools
  /** The copies of the database that lists are read from, if any. */
  replicas?: Replicas
  /** Draws documents and problems for people; without it there is no `text/html`. */
  pages?(api: BoundApi): Pages
  /** Lets pages send forms; without it, operations take no forms but uploads of a bearer. */
  forms?: Forms
}

/** The forms of pages: how the application tells that a page of its own has sent one. */
export interface Forms {
  /** Whether a request is a form, and not a request of a program. */
  isForm(request: Request): boolean
  /** @throws Problem 403 where the form token belongs to no session of this browser */
  requireForm(request: Request, token: string | null | undefined): void
  /** The form token of the forms of a page; undefined where the browser has no session. */
  formToken(request: { headers: IncomingHttpHeaders }): string | undefined
  /** Lets the session of a form act for the tenant that its operation has led to, such as a new one. */
  actFor(request: Request, tenant: string): Promise<void>
}

/** The API with everything that a request needs: stores, searches, serializers and connections. */
export interface BoundApi extends ApiModel {
  readonly info: ApiInfo
  readonly options: ApiOptions
  readonly pools: Pools
  readonly pages?: Pages
  /** Whether changes are streamed. */
  readonly streamed: boolean
  of(type: Class): BoundResource
  /** The problem that an error of the database means to a client; undefined for other errors. */
  problemOf(error: unknown): Problem | undefined
}
