import type { EntityMetadata } from 'typeorm'
import type { ColumnMetadata } from 'typeorm/metadata/ColumnMetadata.js'
import type { Sum, SummedRows } from '../model/page.ts'
import type { Executor } from '../model/store.ts'
import { keptStatements } from './statement.ts'

/** Reads sums of a table. The scope is an SQL condition, and `values` are the values of its placeholders. */
export type SumQuery = (
  executor: Executor,
  scope: string,
  values: Record<string, unknown>,
  rows: SummedRows,
) => Promise<Sum[]>

/**
 * Makes the sum query of a table: one statement that groups by period and currency. Totals are computed over all groups, and only then
 * the latest ones are returned, so that a total holds the rows of earlier periods too.
 */
export function sumQuery(metadata: EntityMetadata): SumQuery {
  const { tableName, columns } = metadata
  const statementOf = keptStatements(`${tableName}:sums`)
  const columnOf = (name: string) => {
    const column = columns.find(({ propertyName }) => propertyName === name)
    if (!column) throw new Error(`${metadata.name} has no column "${name}" for its sums.`)
    return column
  }
  return async (executor, scope, given, { conditions, amount, currency, date, by, zone, size }) => {
    const where = [`(${scope})`, ...conditions.map(({ sql }) => sql)].join(' AND ')
    const text = `SELECT "period", "currency", "sum", "rows", sum("sum") OVER (PARTITION BY "currency" ORDER BY "period") AS "total"
      FROM (SELECT ${periodOf(tableName, columnOf(date), by)} AS "period", ${sqlOf(tableName, columnOf(currency))} AS "currency",
          coalesce(sum(${sqlOf(tableName, columnOf(amount))}), 0) AS "sum", count(*) AS "rows"
        FROM "${tableName}" WHERE ${where} GROUP BY 1, 2) AS "sums"
      ORDER BY "period" DESC, "currency" LIMIT :size`
    const how = {
      isPlannedEachRun: conditions.some(({ text }) => text),
      isExempt: conditions.some(({ leaks }) => leaks),
    }
    const values = Object.assign({}, given, ...conditions.map((condition) => condition.values), { zone, size })
    return (await statementOf(text, how)(executor, values)).rows
  }
}

const sqlOf = (table: string, { databaseName }: ColumnMetadata) => `"${table}"."${databaseName}"`

/** The first day of a row's period. A day has no zone; a moment has its day in the given one. */
function periodOf(table: string, column: ColumnMetadata, by: SummedRows['by']): string {
  const sql = sqlOf(table, column)
  const local = column.type === 'date' ? sql : `(${sql} AT TIME ZONE :zone)`
  return by === 'day' ? `${local}::date` : `date_trunc('month', ${local}::timestamp)::date`
}
