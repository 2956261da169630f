import { createHash } from 'node:crypto'
import type { QueryResult } from 'pg'
import pg from 'pg'
import type { Executor } from '../model/store.ts'
import type { TenantScope } from './tenant-scope.ts'

/** Read replicas of the database. A read never returns data older than its start. */
export interface Replicas {
  /** Runs work that only reads, on a tenant's share of the connections. It runs again if a replica fails. */
  run<T>(tenant: string, work: (executor: Executor) => Promise<T>): Promise<T>
}

/** A statement with `:name` placeholders. It is prepared once and then run by its name on the server. */
export type Statement = (executor: Executor, values: Record<string, unknown>) => Promise<QueryResult>

/** Parsers of values by the OID of their type. `pg` parses the other types. */
const readers = new Map<number, (text: string) => unknown>([
  // bigint: amounts and counts stay far below 2^53, so a number holds them exactly.
  [20, Number],
  // timestamptz: rows have many of them, so the parser avoids a regular expression for speed.
  [1184, readTimestamp],
  // date: a day has no hour and no offset, so it stays text.
  [1082, (text) => text],
])

/** The parser of the values of a type, by its OID. */
export function readerOf(oid: number): (text: string) => unknown {
  return readers.get(oid) ?? pg.types.getTypeParser(oid, 'text')
}

const types = { getTypeParser: readerOf } as typeof pg.types

/** Leaves values as the texts that Postgres sends. */
const asSent = { getTypeParser: () => (text: string) => text } as unknown as typeof pg.types

/** How the rows of a statement are returned; by default as objects with parsed values. */
interface RowFormat {
  /** Rows are arrays of their values. */
  rowMode?: 'array'
  /** Rows are arrays, whose values are texts, or null, as Postgres sends them. */
  isSent?: boolean
  /** The tenants whose rows it may touch; by default those of its executor. */
  tenants?: TenantScope
  /** Whether it finds no index behind row-level security, and only reads. */
  isExempt?: boolean
}

/**
 * Prepares a statement.
 * @param name unique per text. Postgres keeps the plan under it; an empty name keeps none
 * @param template SQL in which `:name` stands for a value
 */
export function statement(
  name: string,
  template: string,
  { isSent, rowMode = isSent ? 'array' : undefined, tenants, isExempt }: RowFormat = {},
): Statement {
  const names: string[] = []
  const text = template.replace(/(?<!:):([a-zA-Z]\w*)/g, (_, placeholder: string) => {
    const known = names.indexOf(placeholder)
    return `$${known >= 0 ? known + 1 : names.push(placeholder)}`
  })
  return (executor, values) =>
    executor.query({
      name,
      text,
      values: names.map((key) => values[key]),
      types: isSent ? asSent : types,
      rowMode,
      scope: tenants,
      isExempt,
    })
}

/** A short digest of a text: the name of a statement must be unique for its text. */
export function digestOf(text: string): string {
  return createHash('md5').update(text).digest('hex').slice(0, 16)
}

/** The most statements that are kept, one per combination of filters and orders. Further combinations are prepared on each use. */
const mostKept = 300

/** Makes a statement from its text. One that is planned each run has no name, because its best plan depends on its values. */
type KeepStatement = (template: string, how: { isPlannedEachRun: boolean; isExempt: boolean }) => Statement

/** Keeps statements by their text. @param prefix the start of their names, which differs from those of other statements */
export function keptStatements(prefix: string, format?: RowFormat): KeepStatement {
  const kept = new Map<string, Statement>()
  return (template, { isPlannedEachRun, isExempt }) => {
    // Postgres may keep one plan for a named statement, and no plan suits both rare and common texts.
    if (isPlannedEachRun) return statement('', template, { ...format, isExempt })
    const known = kept.get(template)
    if (known) return known
    const name = kept.size < mostKept ? `${prefix}:${digestOf(template)}` : ''
    const made = statement(name, template, { ...format, isExempt })
    if (kept.size < mostKept) kept.set(template, made)
    return made
  }
}

/** The key of the text that a date serializes to, so that documents need not format it. Dates are replaced, never mutated. */
export const appendOnly = Symbol('written')

const zero = 48
const utcSeconds = '2026-01-05 08:00:00+00'.length

/** Whether a text is a date-time of the years 1 to 9999 in UTC: `2026-01-05 08:00:00.25+00`. */
function isCommon(text: string): boolean {
  return text.length >= utcSeconds && text.charCodeAt(4) === 45 && text.endsWith('+00')
}

/** Parses a timestamp of Postgres while the session's time zone is UTC. */
export function readTimestamp(text: string): Date | number | null {
  if (!isCommon(text)) return pg.types.getTypeParser(1184)(text)
  const digits = (from: number) => (text.charCodeAt(from) - zero) * 10 + text.charCodeAt(from + 1) - zero
  const year = digits(0) * 100 + digits(2)
  const fraction = text.length > utcSeconds ? Math.round(Number(text.slice(19, -3)) * 1000) : 0
  const date: Date & { [appendOnly]?: string } = new Date(
    Date.UTC(year, digits(5) - 1, digits(8), digits(11), digits(14), digits(17), fraction),
  )
  if (year < 100) date.setUTCFullYear(year)
  date[appendOnly] = dateTimeIn(text)
  return date
}

/** The date-time of a document, `2026-01-05T08:00:00.250Z`, from the text of Postgres; undefined for an uncommon text. */
export function dateTimeOf(text: string): string | undefined {
  return isCommon(text) ? dateTimeIn(text) : undefined
}

function dateTimeIn(text: string): string {
  const fraction = text.length > utcSeconds ? text.slice(19, -3).padEnd(4, '0') : ''
  return `${text.slice(0, 10)}T${text.slice(11, 19)}${fraction}Z`
}
