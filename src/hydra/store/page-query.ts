import type { EntityMetadata } from 'typeorm'
import type { Condition } from '../model/filter.ts'
import type { Selection, SentRow } from '../model/page.ts'
import type { Executor } from '../model/store.ts'
import { afterCursor, columnsOf, orderBy } from '../query/sort.ts'
import { KeyedStatement } from './batch/keyed-statement.ts'
import { digestOf, keptStatements } from './statement.ts'
import { TenantScope } from './tenant-scope.ts'

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

export interface PageQuery {
  /** Reads a page of a table. The scope is an SQL condition, and `values` are the values of its placeholders. */
  read(executor: Executor, scope: string, values: Record<string, unknown>, selection: Selection): Promise<Rows>
  /** Whether a page is read in a batch, which needs an executor that sends batches to one node. */
  batches(executor: Executor, scope: string, selection: Selection): boolean
}

/** A row that comes with the number of all rows that the page is a part of. */
type Counted = { row_total: number | string }

type Total = Pick<Rows, 'total' | 'limited'>

/** The sizes of pages whose LIMIT stands in the text: Postgres keeps a plan only where it knows how many rows are read. */
const plannedSizes = new Set([10, 20, 25, 30, 50, 100])

/** The most pages that are read by one batch. */
const mostPages = 32

/** The types of the values that a short page is found by. */
const keyTypes = { tenant: 'uuid', user: 'uuid', c0: 'uuid' } as const

interface PageOptions {
  /** The scope whose total is kept in "row_total", so that its rows need not be counted. */
  counted?: string
  /** The sort order of texts; by default the database's. */
  collation?: string
  tenantColumn: string
  /** The number of columns where rows are lists of the texts that Postgres sends. Otherwise rows are objects. */
  sent?: number
  /** Whether the scope finds rows of other tenants than the caller's. */
  everyTenant?: true
}

/** The columns with an index by tenant, the column, and id. */
function orderedColumns({ indices }: EntityMetadata, tenantColumn: string): Set<string> {
  const lists = indices
    .filter(({ where }) => !where)
    .map(({ columns }) => columns.map(({ databaseName }) => databaseName))
  return new Set(
    lists
      .filter(([first, , last, ...more]) => first === tenantColumn && last === 'id' && more.length === 0)
      .map(([, column]) => column),
  )
}

/**
 * Makes the page query of a table.
 * @param columns the SQL list of the columns to read
 */
export function pageQuery(
  metadata: EntityMetadata,
  columns: string,
  { counted, collation, tenantColumn, sent, everyTenant }: PageOptions,
): PageQuery {
  const { tableName } = metadata
  const column = columnsOf(metadata, collation)
  const isSent = sent !== undefined
  const prepared = keptStatements(`${tableName}:page`, { isSent, tenants: everyTenant && TenantScope.every })

  const batched = new Map<string, KeyedStatement>()
  const together = (template: string): KeyedStatement => {
    const known = batched.get(template)
    if (known) return known
    const name = `${tableName}:pages:${digestOf(template)}`
    const made = new KeyedStatement({
      name,
      each: template,
      types: keyTypes,
      most: mostPages,
      isSent,
    })
    batched.set(template, made)
    return made
  }

  const sum = `SELECT coalesce(sum("delta"), 0)::int8 AS "row_total" FROM "row_total" WHERE "relation" = '${tableName}' AND "${tenantColumn}" = :tenant`

  /** Comparisons of these columns with a cursor are not leakproof. */
  const numeric = new Set(
    metadata.columns.filter(({ type }) => type === 'numeric').map(({ propertyName }) => propertyName),
  )

  const inOrderOfIds = orderedColumns(metadata, tenantColumn)

  /**
   * The conditions of a page. With one value of a column whose index is in the order of ids, Postgres reads no more rows than the page
   * has. It must know that from the text: for a list of values it sorts all rows.
   */
  const conditionsOf = (scope: string, { conditions, order }: Selection): Condition[] => {
    const [{ equal } = {} as Condition] = conditions
    const isOrdered = equal && conditions.length === 1 && inOrderOfIds.has(equal.column)
    const isOfTenant = scope === `"${tenantColumn}" = :tenant`
    return isOrdered && isOfTenant && order.every(({ property }) => property === 'id') ? [equal.condition] : conditions
  }

  /**
   * Whether a page takes the same short time in a table of any size. It has the order of the primary key, its rows are not
   * counted, and none are skipped. Only such pages are read in batches, because a slow one would delay the others.
   */
  const isShort = (scope: string, { conditions, order, size, from }: Selection): boolean =>
    counted === scope &&
    conditions.length === 0 &&
    order.every(({ property }) => property === 'id') &&
    plannedSizes.has(size) &&
    ('after' in from || ('offset' in from && from.offset === 0))

  const batches: PageQuery['batches'] = ({ reads }, scope, selection) =>
    reads !== undefined && !reads.isDistributed && isShort(scope, selection)

  const read: PageQuery['read'] = async (executor, scope, given, selection) => {
    const { order, size, from } = selection
    const conditions = conditionsOf(scope, selection)
    const where = [`(${scope})`, ...conditions.map(({ sql }) => sql)].join(' AND ')
    const values = Object.assign({}, given, ...conditions.map((condition) => condition.values))
    const byText = conditions.some(({ text }) => text)
    const isExempt = conditions.some(({ leaks }) => leaks) || order.some(({ property }) => numeric.has(property))
    const how = { isPlannedEachRun: byText, isExempt }
    const bounded = `SELECT count(*) AS "row_total" FROM (SELECT 1 FROM "${tableName}" WHERE ${where} LIMIT ${mostCounted + 1}) AS "found"`
    const exact = `SELECT count(*) AS "row_total" FROM "${tableName}" WHERE ${where}`
    const counting = byText ? bounded : counted === scope && conditions.length === 0 ? sum : exact
    const totalIn = ([first]: object[], at = 0): Total => {
      const total = Number(sent === undefined ? (first as Counted).row_total : (first as SentRow)[at])
      return byText && total > mostCounted ? { total: mostCounted, limited: true } : { total, limited: false }
    }
    const count = async () => totalIn((await prepared(counting, how)(executor, values)).rows)
    /** The total of rows that were read; a search counts apart, since its first page is often its last. */
    const totalOf = (rows: object[]) => (rows.length > 0 && !byText ? totalIn(rows, sent) : count())
    const total = byText ? '' : `, (${counting}) AS "row_total"`
    const limit = size + 1
    const limiting = plannedSizes.has(size) ? limit : ':limit'
    const select = async (backwards: boolean, cursor: unknown[], offset = 0) => {
      const further = cursor.length > 0 ? ` AND ${afterCursor(column, order, backwards)}` : ''
      const skipping = offset > 0 ? ' OFFSET :offset' : ''
      const text = `SELECT ${columns}${total} FROM "${tableName}" WHERE ${where}${further} ORDER BY ${orderBy(column, order, backwards)} LIMIT ${limiting}${skipping}`
      const place = Object.fromEntries(cursor.map((value, index) => [`c${index}`, value]))
      const all = { ...values, ...place, limit, offset }
      if (batches(executor, scope, selection)) return together(text).read(executor, [all])
      return (await prepared(text, how)(executor, all)).rows as object[]
    }

    if ('offset' in from) {
      const { offset } = from
      const known = offset > fewSkipped ? await count() : undefined
      if (known && !known.limited && offset >= known.total) return { rows: [], ...known, earlier: true, later: false }
      const more = await select(false, [], offset)
      const rows = more.slice(0, size)
      const later = more.length > size
      const reachesEnd = !later && (rows.length > 0 || offset === 0)
      const counts = reachesEnd ? { total: offset + rows.length, limited: false } : (known ?? (await totalOf(more)))
      return { rows, ...counts, earlier: offset > 0, later }
    }
    if ('after' in from) {
      const rows = await select(false, from.after)
      return { rows: rows.slice(0, size), ...(await totalOf(rows)), earlier: true, later: rows.length > size }
    }
    const rows = await select(true, from.before === 'end' ? [] : from.before)
    const counts = await totalOf(rows)
    const all = counts.total
    const partial = from.before === 'end' && all > 0 && size > 0 && !counts.limited
    const wanted = partial ? ((all - 1) % size) + 1 : size
    return {
      rows: rows.slice(0, wanted).reverse(),
      ...counts,
      earlier: rows.length > wanted,
      later: from.before !== 'end',
    }
  }
  return { read, batches }
}
