import { createHash } from 'node:crypto'
import type { EntityMetadata } from 'typeorm'
import type { Selection } from '../model/page.ts'
import type { Executor } from '../model/store.ts'
import { afterCursor, columnsOf, orderBy } from '../query/sort.ts'
import { type Statement, statement } from './statement.ts'

/** The rows of a page, the total, and whether rows precede or follow them. */
export interface Rows {
  rows: object[]
  /** The total, or the most rows that are counted when `limited`. */
  total: number
  limited: boolean
  earlier: boolean
  later: boolean
}

/** The most rows that a text search counts. Counting more may cost as much as reading every row. */
const mostCounted = 10_000

/** The largest offset that is read without counting the rows first. */
const fewSkipped = 10_000

/** Reads a page of a table. The scope is an SQL condition, and `values` are the values of its placeholders. */
export type PageQuery = (
  executor: Executor,
  scope: string,
  values: Record<string, unknown>,
  selection: Selection,
) => Promise<Rows>

/** A row that comes with the total of its table. */
type Counted = { row_total: number }

/** The most statements that are kept, one per combination of filters and orders. Further combinations are prepared on each use. */
const mostKept = 300

/**
 * Makes the page query of a table.
 * @param columns the SQL list of the columns to read
 * @param counted the scope whose total is kept in "row_total", so that its rows need not be counted
 * @param collation the sort order of texts; by default the database's
 */
export function pageQuery(
  metadata: EntityMetadata,
  columns: string,
  { counted, collation, tenantColumn }: { counted?: string; collation?: string; tenantColumn: string },
): PageQuery {
  const { tableName } = metadata
  const column = columnsOf(metadata, collation)
  const kept = new Map<string, Statement>()
  const prepared = (template: string, depends: boolean): Statement => {
    // Postgres may keep one plan for a named statement, and no plan suits both rare and common texts.
    if (depends) return statement('', template)
    const known = kept.get(template)
    if (known) return known
    const digest = createHash('md5').update(template).digest('hex')
    const made = statement(kept.size < mostKept ? `${tableName}:page:${digest.slice(0, 16)}` : '', template)
    if (kept.size < mostKept) kept.set(template, made)
    return made
  }

  return async (executor, scope, given, { conditions, order, size, from }) => {
    const where = [`(${scope})`, ...conditions.map(({ sql }) => sql)].join(' AND ')
    const values = Object.assign({}, given, ...conditions.map((condition) => condition.values))
    const byText = conditions.some(({ text }) => text)
    const totalIsKept = counted === scope && conditions.length === 0
    const sum = `SELECT coalesce(sum("delta"), 0)::int8 AS total FROM "row_total" WHERE "relation" = '${tableName}' AND "${tenantColumn}" = :tenant`
    const count = async (rows: object[] = []) => {
      if (totalIsKept && rows.length > 0) return { total: (rows as Counted[])[0].row_total, limited: false }
      const bounded = `SELECT count(*) AS total FROM (SELECT 1 FROM "${tableName}" WHERE ${where} LIMIT ${mostCounted + 1}) AS "found"`
      const exact = `SELECT count(*) AS total FROM "${tableName}" WHERE ${where}`
      const [{ total }] = (await prepared(totalIsKept ? sum : byText ? bounded : exact, byText)(executor, values)).rows
      const limited = byText && total > mostCounted
      return { total: limited ? mostCounted : (total as number), limited }
    }
    const select = async (limit: number, backwards: boolean, cursor: unknown[], offset: number) => {
      const further = cursor.length > 0 ? ` AND ${afterCursor(column, order, backwards)}` : ''
      // A total that is kept comes with each row, which saves a round trip.
      const text = `SELECT ${columns}${totalIsKept ? `, (${sum}) AS "row_total"` : ''} FROM "${tableName}" WHERE ${where}${further} ORDER BY ${orderBy(column, order, backwards)} LIMIT :limit OFFSET :offset`
      const place = Object.fromEntries(cursor.map((value, index) => [`c${index}`, value]))
      return (await prepared(text, byText)(executor, { ...values, ...place, limit, offset })).rows as object[]
    }

    if ('offset' in from) {
      const { offset } = from
      const known = offset > fewSkipped ? await count() : undefined
      if (known && !known.limited && offset >= known.total) return { rows: [], ...known, earlier: true, later: false }
      const more = await select(size + 1, false, [], offset)
      const rows = more.slice(0, size)
      const later = more.length > size
      const reachesEnd = !later && (rows.length > 0 || offset === 0)
      const counts = reachesEnd ? { total: offset + rows.length, limited: false } : (known ?? (await count(more)))
      return { rows, ...counts, earlier: offset > 0, later }
    }
    if ('after' in from) {
      const rows = await select(size + 1, false, from.after, 0)
      return { rows: rows.slice(0, size), ...(await count(rows)), earlier: true, later: rows.length > size }
    }
    const counts = await count()
    const all = counts.total
    const partial = from.before === 'end' && all > 0 && size > 0 && !counts.limited
    const wanted = partial ? ((all - 1) % size) + 1 : size
    const rows = await select(wanted + 1, true, from.before === 'end' ? [] : from.before, 0)
    return {
      rows: rows.slice(0, wanted).reverse(),
      ...counts,
      earlier: rows.length > wanted,
      later: from.before !== 'end',
    }
  }
}
