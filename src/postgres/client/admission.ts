/**
 * The statement that admits tenants to the transaction. It is prepared once for each connection. Its condition is never true, so
 * Postgres sends no row back, which would repeat the tenants of a whole batch.
 */
export const admitting = { name: 'tenants', text: `SELECT WHERE set_config('app.tenants', $1, true) IS NULL` }

/** The statement that lets the transaction read as the role of lists. It is prepared once for each connection. */
export const exempting = { name: 'list-role', text: `SELECT WHERE set_config('role', $1, true) IS NULL` }

/** The tenants whose rows a statement may touch: ids with commas between them, or `*`. */
export interface Scope {
  readonly text: string
}

/** The rows that row-level security admits to a statement. */
export interface Admission {
  scope?: Scope
  /** Whether it finds no index behind a policy. It then reads as the role of lists, unless a transaction is open. */
  isExempt?: boolean
}

/** A prepared statement that is run before another one, in the same transaction. */
export interface Setting {
  statement: string
  values: string[]
}
