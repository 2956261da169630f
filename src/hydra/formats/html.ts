import type { Caller } from '../model/caller.ts'
import type { Class } from '../model/class.ts'
import type { Operation } from '../model/operation.ts'
import type { Sort, Sum, SumSelection } from '../model/page.ts'
import type { Problem } from '../model/problem.ts'
import type { Resource } from '../model/resource.ts'
import type { Shape } from '../model/shape.ts'
import type { Executor } from '../model/store.ts'
import type { Search } from '../query/search.ts'
import type { Document, Format } from './format.ts'

/** How an application draws documents and problems for people. An API without it has no `text/html`. */
export interface Pages {
  /** The headers of every page: its policy. */
  headers: Record<string, string>
  /** Draws a document as a page. */
  draw(view: PageView): string | Promise<string>
  /** Draws a problem as a page, for requests that prefer HTML. */
  drawProblem(problem: Problem, request: PageRequest, about: ProblemDetails): string | Promise<string>
}

/** The caller and the id of a request that failed. */
interface ProblemDetails {
  /** Absent where the request failed before its caller was known. */
  caller?: Caller
  /** The X-Request-Id of the response, if it has one. */
  requestId?: string
  /** The method of the request, which may be another one than that of its page. */
  method: string
}

/** An operation that the caller may use now, and its address. */
export interface OfferedOperation {
  operation: Operation
  resource: Resource
  /** The path and query of its requests. */
  href: string
  /** The name of the link that leads to it, if one does. */
  link?: string
}

/** The parts of a request that a page may depend on. */
export interface PageRequest {
  /** The path without the suffix of a format. */
  readonly path: string
  readonly query: URLSearchParams
  /** The query as the client sent it, with its question mark. */
  readonly search: string
  /** The path and the query as the client sent them, with the suffix of a format. */
  readonly target: string
  /** The same path in the requested format, so that links stay in it. */
  withSuffix(path: string): string
  /** Of the offered languages, the one that the client prefers. */
  language(offered: string[]): string
  header(name: string): string | undefined
}

/** A form that was sent and is drawn again: its operation, its fields, and the reason. */
export interface RefusedForm {
  offered: OfferedOperation
  fields: URLSearchParams
  /** Absent where the person has asked for the choices of a reference. */
  problem?: Problem
}

/** One page: its document, its caller, and everything that may be done with it. */
export interface PageView {
  readonly document: Document
  /** The document as JSON. */
  json(): string
  readonly caller: Caller
  readonly request: PageRequest
  /** Other formats of the document. */
  readonly formats: Format[]
  /** The operations that the caller may use now. */
  readonly operations: OfferedOperation[]
  /** Of an item: the start of its ETag. */
  readonly version?: number
  /** The form that the page draws again. */
  readonly refused?: RefusedForm
  /** Makes the form token of the session, for the forms of the page; absent for documents without operations. */
  formToken?(): string | undefined
  /** Of an item or a collection; absent for the entrypoint and for errors. */
  readonly content?: PageContent
  /** Runs statements that the page needs. */
  readonly executor: Executor
  /** Items of a class as the caller may read them, by their id. Those that the caller may not read are absent. */
  items(type: Class, ids: string[]): Promise<Map<string, Document>>
  /**
   * The first items of a class that the caller may list, in the order of the first property that orders them.
   * @param text only items that a search for this text finds
   */
  list(type: Class, size: number, text?: string): Promise<Document[]>
}

/** The class of a page's item or members, and the search of a collection. */
export interface PageContent {
  resource: Resource
  shape: Shape
  /** The item or the members with all their properties, also where the query selects some. */
  items: Document[]
  collection?: {
    search: Search
    order: Sort[]
    total: number
    /** Whether there are more members than the total says. */
    limited: boolean
    /** Sums the members of all pages by periods of a date; absent where they are not in a table. */
    sums?(selection: SumSelection): Promise<Sum[]>
    /** The links to other pages by their relation. */
    links: Partial<Record<'first' | 'previous' | 'next' | 'last', string>>
  }
}
