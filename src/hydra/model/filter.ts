/** The filters of a collection by property; each becomes an SQL condition that needs an index. */
export type Filters = Record<string, FilterKind | FilterKind[]>

/** `caseless` is for values that are unique without case; `upper` and `lower` for values stored in one case. */
export type FilterKind =
  | 'exact'
  | 'caseless'
  | 'upper'
  | 'lower'
  | 'partial'
  | 'reference'
  | 'date'
  | 'boolean'
  | 'range'
  | 'exists'

/** An SQL condition, with `:names` for its values. */
export interface Condition {
  sql: string
  values: Record<string, unknown>
  /** The same condition on a row in memory. */
  holds?(row: { id: string }): boolean
  /** Whether it searches texts: counting all its matches may be slow, so the count has a limit. */
  text?: true
  /** Whether a function of it is not leakproof: behind row-level security, Postgres then uses no index. */
  leaks?: true
  /** The same condition on a column that has one value. An index by tenant, this column and id has its rows in the order of ids. */
  equal?: { column: string; condition: Condition }
}

/** One variable of a collection's search: its name in a query, and the property that it filters by. */
export interface Variable {
  name: string
  property: string
  /** The most values that it takes, when it differs from the default. */
  maxValues?: number
  /** Converts a value to its stored form; an empty result is no filter. */
  stored?(value: string): string
  /** Set where a value may be a date-time without offset: whether the property holds a date-time or a day. */
  moment?: 'dateTime' | 'day'
  /** Makes an SQL condition of the given values. @throws Problem 400 for an invalid value */
  condition(values: string[], key: string): Condition
}
