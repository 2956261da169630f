import pg from 'pg'
import type {
  DeleteQueryBuilder,
  EntityManager,
  EntityMetadata,
  EntityTarget,
  InsertQueryBuilder,
  UpdateQueryBuilder,
} from 'typeorm'
import {
  type ChangeType,
  neededColumns,
  recordedBy,
  recordOneInsert,
  recordRows,
  recordsEachRow,
} from './recorded-changes.ts'
import { countOneRow, countRows, totalsColumn } from './row-totals.ts'
import { type Statement, statement } from './statement.ts'
import { TenantScope, withConnection } from './tenant-scope.ts'

const types: Record<string, ChangeType> = { 'INSERT INTO': 'create', UPDATE: 'update', 'DELETE FROM': 'delete' }

/** The verb, the table and its alias, which the columns of RETURNING are qualified by. */
const head =
  /^\s*(INSERT INTO|UPDATE|DELETE FROM)\s+"(\w+)"(?:\s+"?((?!SET\b|WHERE\b|SELECT\b|VALUES\b|DEFAULT\b)\w+)"?)?/

/**
 * The SQL of a write that also counts its rows and records their changes, each where its class says so; else the write itself.
 * @param write an INSERT, UPDATE or DELETE, without RETURNING
 * @param rows `one row` for the INSERT of exactly one, with a placeholder for each column; that is cheaper
 */
export function trackedWrite(metadata: EntityMetadata, write: string, rows?: 'one row'): string {
  const [, verb, table, alias = table] = head.exec(write) ?? []
  const type = types[verb]
  if (!type || table !== metadata.tableName)
    throw new Error(`Rows of "${metadata.tableName}" are tracked in an INSERT, UPDATE or DELETE of it only: ${write}`)
  const recorded = rows && recordOneInsert(metadata)
  if (rows && (recorded || neededColumns(metadata).length === 0))
    return withEffects({ counted: countOneRow(metadata), recorded }, write)

  const counted = type === 'update' ? undefined : countRows(metadata, type)
  const columns = new Set([...neededColumns(metadata), ...(counted ? [totalsColumn(metadata) as string] : [])])
  if (columns.size === 0) return write
  const returning = [...columns].map((column) => `"${alias}"."${column}"`).join(', ')
  const recording = recordRows(metadata, /\bDO UPDATE\b/.test(write) ? 'upsert' : type)
  const written = `${write} RETURNING ${returning}`
  // The last part returns the number of rows.
  if (recordsEachRow(metadata)) return withEffects({ written, counted }, `${recording}`)
  if (counted) return withEffects({ written, recorded: recording }, `${counted} RETURNING "delta"`)
  return withEffects({ written, recorded: recording }, 'SELECT FROM "written"')
}

function withEffects(effects: Record<string, string | undefined>, last: string): string {
  const parts = Object.entries(effects).flatMap(([name, sql]) => (sql ? [`"${name}" AS (${sql})`] : []))
  return parts.length > 0 ? `WITH ${parts.join(', ')} ${last}` : last
}

/** The tenants that a write needs, if they are not those of its executor: the changes of a row may belong to several tenants. */
export function scopeOfWrite(metadata: EntityMetadata): TenantScope | undefined {
  return recordedBy(metadata)?.through ? TenantScope.every : undefined
}

type Write = InsertQueryBuilder<never> | UpdateQueryBuilder<never> | DeleteQueryBuilder<never>

/**
 * Runs a write, counts its rows and records their changes. Every write to a table of a resource goes through this function,
 * `insertRow` or `updateRow`.
 * @param written a query builder of TypeORM, or the class or the table that SQL writes
 * @param sql without RETURNING; `:name` stands for a value
 * @returns the number of rows
 */
export async function writeRows(
  manager: EntityManager,
  written: EntityTarget<object> | object,
  sql?: string,
  values: Record<string, unknown> = {},
): Promise<number> {
  const run = sql === undefined ? built(written as Write) : prepared(manager, written as EntityTarget<object>, sql)
  return rowsOf(await withConnection(manager, (executor) => run(executor, values)))
}

function prepared({ connection }: EntityManager, type: EntityTarget<object>, sql: string): Statement {
  const metadata = connection.getMetadata(type)
  return statement('', trackedWrite(metadata, sql), { tenants: scopeOfWrite(metadata) })
}

function built(builder: Write): Statement {
  const [write, values] = builder.getQueryAndParameters()
  const metadata = builder.expressionMap.mainAlias?.metadata as EntityMetadata
  const [text, scope] = [trackedWrite(metadata, write), scopeOfWrite(metadata)]
  return (executor) => executor.query({ name: '', text, values, types: pg.types, scope })
}

function rowsOf({ rows, rowCount }: pg.QueryResult): number {
  if (rows.length === 0 || rows[0].delta === undefined) return rowCount ?? 0
  return rows.reduce((sum, { delta }) => sum + Math.abs(delta), 0)
}
