import { createHash } from 'node:crypto'
import type { EntityMetadata } from 'typeorm'
import { beyond, orderBy } from './order.ts'
import { type Executor, type Statement, statement } from './sql.ts'
import type { Selection } from './store.ts'

/** Rows of a page, how many there are in all, and whether more lie on either side. */
export interface Rows {
  rows: object[]
  total: number
  earlier: boolean
  later: boolean
}

/** Reads pages of a table within a scope, a condition of SQL; `values` are those that the scope names. */
export type Pager = (
  executor: Executor,
  scope: string,
  values: Record<string, unknown>,
  selection: Selection,
) => Promise<Rows>

/** Statements are kept for so many combinations of filters and orders; rarer ones are prepared anew. */
const mostKept = 300

/**
 * Makes the pager of a table.
 * @param columns what of a row is read
 * @param counted the scope whose total is kept in "row_total", so that its rows need not be counted
 */
export function pager({ tableName }: EntityMetadata, columns: string, counted?: string): Pager {
  const kept = new Map<string, Statement>()
  const prepared = (template: string): Statement => {
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
    const total = async () => {
      const kept = counted === scope && conditions.length === 0
      const sum = `SELECT coalesce(sum("delta"), 0)::int8 AS total FROM "row_total" WHERE "relation" = '${tableName}' AND "organizationId" = :organization`
      const { rows } = await prepared(kept ? sum : `SELECT count(*) AS total FROM "${tableName}" WHERE ${where}`)(
        executor,
        values,
      )
      return rows[0].total as number
    }
    const select = async (limit: number, backwards: boolean, cursor: unknown[], offset: number) => {
      const further = cursor.length > 0 ? ` AND ${beyond(tableName, order, backwards)}` : ''
      const text = `SELECT ${columns} FROM "${tableName}" WHERE ${where}${further} ORDER BY ${orderBy(tableName, order, backwards)} LIMIT :limit OFFSET :offset`
      const place = Object.fromEntries(cursor.map((value, index) => [`c${index}`, value]))
      return (await prepared(text)(executor, { ...values, ...place, limit, offset })).rows as object[]
    }

    if ('offset' in from) {
      const rows = await select(size, false, [], from.offset)
      const reachesEnd = rows.length < size && (rows.length > 0 || from.offset === 0)
      const all = reachesEnd ? from.offset + rows.length : await total()
      return { rows, total: all, earlier: from.offset > 0, later: from.offset + rows.length < all }
    }
    if ('after' in from) {
      const rows = await select(size + 1, false, from.after, 0)
      return { rows: rows.slice(0, size), total: await total(), earlier: true, later: rows.length > size }
    }
    const all = await total()
    const wanted = from.before === 'end' && all > 0 && size > 0 ? ((all - 1) % size) + 1 : size
    const rows = await select(wanted + 1, true, from.before === 'end' ? [] : from.before, 0)
    return {
      rows: rows.slice(0, wanted).reverse(),
      total: all,
      earlier: rows.length > wanted,
      later: from.before !== 'end',
    }
  }
}
