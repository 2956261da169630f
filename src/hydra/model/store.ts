import type pg from 'pg'
import type { Caller, Role } from './caller.ts'
import type { Variable } from './filter.ts'
import type { Found, Selection, Sum, SummedRows } from './page.ts'

/** Runs compiled statements: a pool, or the one connection of a transaction. */
export interface Executor {
  query(query: {
    name: string
    text: string
    values: unknown[]
    types: typeof pg.types
    rowMode?: 'array'
    /** The tenants whose rows it may touch. */
    scope?: { readonly text: string }
    /** Whether it finds no index behind row-level security, and only reads. */
    isExempt?: boolean
  }): Promise<pg.QueryResult>
  /** Batches of reads. Absent on a connection that a request holds, and where reads are not batched. */
  readonly reads?: Reads
}

/** Sends the reads of a request together with those of other requests that wait at the same moment. */
export interface Reads {
  /** Whether rows are on several nodes. A statement that names no single scope asks all of them. */
  readonly isDistributed: boolean
  read(statement: KeyedRead, keys: ReadKey[]): Promise<ReadRow[]>
}

/** The values that a row is found by: those of its scope, and an id. */
export type ReadKey = Record<string, unknown>

export type ReadRow = Record<string, unknown>

/** A statement that reads rows by key, for one caller or for several. */
export interface KeyedRead {
  /** The most keys in a batch. */
  readonly most: number
  /** The tenants whose rows it reads; by default those of each request. */
  readonly tenants?: { readonly text: string }
  /** Whether the keys of one scope can be read by a statement that names the scope once. */
  readonly readsByScope: boolean
  /** The values of a key's scope as a text. */
  scopeOf(key: ReadKey): string
  /** Reads the keys of one caller. @returns the rows of all keys */
  alone(executor: Executor, keys: ReadKey[]): Promise<ReadRow[]>
  /** Reads keys of any callers. @returns the rows of each key */
  together(executor: Executor, keys: ReadKey[]): Promise<ReadRow[][]>
  /** Reads keys that have one scope. @returns the rows of each key */
  togetherInScope(executor: Executor, keys: ReadKey[]): Promise<ReadRow[][]>
}

/** The client of a request, by its connection. */
export interface Client {
  readonly socket?: { readonly destroyed: boolean }
}

/** How a row is inserted. */
export interface InsertOptions {
  /**
   * SQL expressions for columns whose value the database computes, by property. In them `:name` stands for the value of the
   * entity's property `name`: `"overlaps"(:organizationId, :dateFrom)`.
   */
  expressions?: Record<string, string>
  /** SQL expressions that the insert returns, of a class that records one change a row: `"id" AS "name"`. */
  returning?: string
}

/** SQL conditions on a class's rows by role. `:user` and `:tenant` are the ids of the caller's user and tenant. */
export type Scope = { default: string } & Partial<Record<Role, string>>

/** The rows of a class, each read through the scope of the caller. */
export interface Store<E extends object = object> {
  /** @param shown whether the row is only serialized; then only the columns for that are read */
  find(executor: Executor, caller: Caller, id: string | undefined, shown?: boolean): Promise<E | undefined>
  /** The rows among these ids that the caller may see, to be serialized. */
  several(executor: Executor, caller: Caller, ids: string[]): Promise<E[]>
  page(executor: Executor, caller: Caller, selection: Selection): Promise<Found<E>>
  /** Whether a page is read in a batch: it takes the same short time whatever the number of rows. */
  batchesPage?(executor: Executor, caller: Caller, selection: Selection): boolean
  /** Returns the ids among these that the caller may refer to. */
  existing(executor: Executor, caller: Caller, ids: string[]): Promise<string[]>
  /** Whether the caller may refer to exactly the rows of its tenant, so that a foreign key with the tenant's id checks references. */
  isScopedByTenant?(caller: Caller): boolean
  /** Whether a text has the form of an id; no query runs for other texts. */
  accepts(id: string): boolean
  /** Sums of its rows; absent where they are not in a table. */
  sums?(executor: Executor, caller: Caller, rows: SummedRows): Promise<Sum[]>
  /** The filters and sort properties of its rows, when they are not columns of a table. */
  search?: { variables: Variable[]; sortable: string[] }
}
