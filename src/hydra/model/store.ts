import type pg from 'pg'
import type { Caller, Role } from './caller.ts'
import type { Variable } from './filter.ts'
import type { Found, Selection } from './page.ts'

/** Runs compiled statements: a pool, or the one connection of a transaction. */
export interface Executor {
  query(query: { name: string; text: string; values: unknown[]; types: typeof pg.types }): Promise<pg.QueryResult>
}

/** How a row is inserted. */
export interface InsertOptions {
  /**
   * SQL expressions for columns whose value the database computes, by property. In them `:name` stands for the value of the
   * entity's property `name`: `"overlaps"(:organizationId, :dateFrom)`.
   */
  expressions?: Record<string, string>
}

/** SQL conditions on a class's rows by role. `:user` and `:tenant` are the ids of the caller's user and tenant. */
export type Scope = { default: string } & Partial<Record<Role, string>>

/** The rows of a class, each read through the scope of the caller. */
export interface Store<E extends object = object> {
  /** @param shown whether the row is only serialized; then only the columns for that are read */
  find(executor: Executor, caller: Caller, id: string | undefined, shown?: boolean): Promise<E | undefined>
  page(executor: Executor, caller: Caller, selection: Selection): Promise<Found<E>>
  /** Returns the ids among these that the caller may refer to. */
  existing(executor: Executor, caller: Caller, ids: string[]): Promise<string[]>
  /** Whether a text has the form of an id; no query runs for other texts. */
  accepts(id: string): boolean
  /** The filters and sort properties of its rows, when they are not columns of a table. */
  search?: { variables: Variable[]; sortable: string[] }
}
