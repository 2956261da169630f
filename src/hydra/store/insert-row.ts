import type { EntityManager, EntityMetadata } from 'typeorm'
import type { ColumnMetadata } from 'typeorm/metadata/ColumnMetadata.js'
import type { PlainEntity } from '../model/entity.ts'
import type { Executor, InsertOptions } from '../model/store.ts'
import { digestOf, type Statement, statement } from './statement.ts'
import { withConnection } from './tenant-scope.ts'
import { scopeOfWrite, trackedWrite } from './tracked-write.ts'

/**
 * Inserts a row, and counts it where the totals of its class are kept. The code sets every value, so nothing is read back from
 * the database. A property without a value gets the default of its column, or null.
 */
export function insertRow(manager: EntityManager, entity: PlainEntity, options?: InsertOptions): Promise<Row> {
  const metadata = manager.connection.getMetadata(entity.constructor)
  return withConnection(manager, (executor) => insertThrough(executor, metadata, entity, options))
}

/** Inserts a row through an executor: the connection of a transaction, or a tenant's share of the connections. */
export async function insertThrough(
  executor: Executor,
  metadata: EntityMetadata,
  entity: object,
  { expressions = {}, returning }: InsertOptions = {},
): Promise<Row> {
  if (metadata.versionColumn) Object.assign(entity, { version: 1 })
  const values = entity as Record<string, unknown>
  const { defaulted, leaving } = insertOf(metadata, expressions, returning)
  const insert = leaving(defaulted.filter(({ propertyName }) => values[propertyName] === undefined))
  const { rows } = await insert(executor, persistentValues(metadata, metadata.columns, values))
  return rows[0] ?? {}
}

/** The expressions of "returning" by their names; empty without any. */
type Row = Record<string, unknown>

/** The INSERT of a table, with the expressions of a caller. */
interface Insert {
  /** The columns with a default of the database. */
  defaulted: ColumnMetadata[]
  /** The statement that leaves these columns to their defaults. */
  leaving(absent: ColumnMetadata[]): Statement
}

const inserts = new WeakMap<EntityMetadata, Map<string, Insert>>()

function insertOf(metadata: EntityMetadata, expressions: Record<string, string>, returning = ''): Insert {
  const byExpressions = inserts.get(metadata) ?? new Map<string, Insert>()
  inserts.set(metadata, byExpressions)
  const key = [...Object.entries(expressions), returning].join()
  const insert = byExpressions.get(key) ?? compile(metadata, expressions, returning)
  byExpressions.set(key, insert)
  return insert
}

function compile(metadata: EntityMetadata, expressions: Record<string, string>, returning: string): Insert {
  const unknown = Object.keys(expressions).find((name) => !metadata.findColumnWithPropertyName(name))
  if (unknown) throw new Error(`${metadata.name} has no column for the property "${unknown}" of an expression.`)
  const written = metadata.columns.filter(({ isInsert }) => isInsert)
  const statements = new Map<string, Statement>()
  return {
    defaulted: written.filter(
      (column) => (column.default !== undefined || column.isGenerated) && !(column.propertyName in expressions),
    ),
    leaving(absent) {
      const key = absent.map(({ propertyName }) => propertyName).join()
      const made =
        statements.get(key) ??
        prepare(
          metadata,
          written.filter((each) => !absent.includes(each)),
          expressions,
          returning,
        )
      statements.set(key, made)
      return made
    },
  }
}

function prepare(
  metadata: EntityMetadata,
  columns: ColumnMetadata[],
  expressions: Record<string, string>,
  returning: string,
): Statement {
  const { tableName } = metadata
  const names = columns.map(({ databaseName }) => `"${databaseName}"`).join(', ')
  const values = columns.map(({ propertyName }) => expressions[propertyName] ?? `:${propertyName}`).join(', ')
  const insert = `INSERT INTO "${tableName}" (${names}) VALUES (${values})`
  const text = trackedWrite(metadata, insert, 'one row') + (returning && ` RETURNING ${returning}`)
  return statement(`${tableName}:insert:${digestOf(text)}`, text, { tenants: scopeOfWrite(metadata) })
}

/** The values of columns as TypeORM passes them to the driver: for example, JSON as text. */
export function persistentValues(
  { dataSource: { driver } }: EntityMetadata,
  columns: ColumnMetadata[],
  values: Record<string, unknown>,
): Record<string, unknown> {
  const persistent: Record<string, unknown> = {}
  for (const column of columns) {
    const value = values[column.propertyName]
    persistent[column.propertyName] = value === undefined ? null : driver.preparePersistentValue(value, column)
  }
  return persistent
}
