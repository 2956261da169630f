import type { Class } from './class.ts'
import type { Condition } from './filter.ts'

/** One property of a sort order, and its direction. */
export interface Sort {
  property: string
  descending: boolean
}

/** A position between two rows: the sort values of one row and its id, which makes the order total. */
export type Cursor = unknown[]

/** The rows of a collection to read: their filters, their order, and the start position. */
export interface Selection {
  conditions: Condition[]
  order: Sort[]
  size: number
  /** A page number in the query becomes an offset. Links carry a cursor, so every page costs the same. */
  from: { offset: number } | { after: Cursor } | { before: Cursor | 'end' }
}

/** A row as Postgres sent it: the texts of its values, or null, in the order of the columns that its store sends. */
export type SentRow = (string | null)[]

/** A page of rows, their total, and whether more rows lie on either side. */
export interface Found<E extends object> {
  readonly entities: E[]
  /** The rows while no entity was made of them: their documents are written without one. */
  readonly sent?: SentRow[]
  /** The rows at both ends; cursors are made from them. */
  readonly first?: E
  readonly last?: E
  total: number
  /** Whether counting stopped at `total`, so that there are more rows. */
  limited?: boolean
  earlier: boolean
  later: boolean
}

/** Sums of one amount, for each period of a date and for each currency apart. Names are those of properties. */
export interface SumSelection {
  amount: string
  currency: string
  date: string
  by: 'day' | 'month'
  /** The time zone in which a date-time has its day. */
  zone: string
  /** The most sums to return: those of the latest periods. */
  size: number
}

/** The sum of one period in one currency. Amounts are the decimal texts of the database, which are exact. */
export interface Sum {
  /** The first day of the period; null for rows without a date. */
  period: string | null
  currency: string | null
  sum: string
  /** The number of rows. */
  rows: number
  /** The sum of all rows in the currency up to the end of the period. */
  total: string
}

/** The rows that sums are computed of: those of a collection with its filters. */
export interface SummedRows extends SumSelection {
  conditions: Condition[]
}

/** One page of a collection, as a handler returns it. */
export class Page {
  constructor(
    /** The class of its members. */
    readonly of: Class,
    readonly found: Found<object>,
    readonly order: Sort[],
    /** Sums all rows of the collection, of which this page has some; absent where they are not in a table. */
    readonly sums?: (selection: SumSelection) => Promise<Sum[]>,
  ) {}
}
