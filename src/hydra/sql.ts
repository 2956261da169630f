import type { QueryResult } from 'pg'
import pg from 'pg'

/** Where statements run: the pool, or the one connection of a transaction. */
export interface Executor {
  query(query: { name: string; text: string; values: unknown[]; types: typeof types }): Promise<QueryResult>
}

/** A statement written with `:names`, made ready once and then run by name on the server. */
export type Statement = (executor: Executor, values: Record<string, unknown>) => Promise<QueryResult>

const int8 = 20
const types = {
  /** Amounts and counts stay far below 2^53, so a number says them best. */
  getTypeParser: (oid: number, format?: 'text' | 'binary') =>
    oid === int8 ? Number : pg.types.getTypeParser(oid, format as 'text'),
} as typeof pg.types

/**
 * Prepares a statement.
 * @param name unique per text; what Postgres keeps the plan under
 * @param template SQL in which `:name` stands for a value
 */
export function statement(name: string, template: string): Statement {
  const names: string[] = []
  const text = template.replace(/(?<!:):([a-zA-Z]+)/g, (_, placeholder: string) => {
    const known = names.indexOf(placeholder)
    return `$${known >= 0 ? known + 1 : names.push(placeholder)}`
  })
  return (executor, values) => executor.query({ name, text, values: names.map((key) => values[key]), types })
}
