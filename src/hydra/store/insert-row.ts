import { createHash } from 'node:crypto'
import type { EntityManager, EntityMetadata } from 'typeorm'
import type { ColumnMetadata } from 'typeorm/metadata/ColumnMetadata.js'
import type { Executor, InsertOptions } from '../model/store.ts'
import { type Statement, statement } from './statement.ts'

/**
 * Inserts a row. The code sets every value, so nothing is read back from the database. A property without a value gets the
 * default of its column, or null.
 */
export async function insertRow(manager: EntityManager, entity: object, options?: InsertOptions): Promise<void> {
  const metadata = manager.connection.getMetadata(entity.constructor)
  if (manager.queryRunner) return insertThrough(await manager.queryRunner.connect(), metadata, entity, options)
  const runner = manager.connection.createQueryRunner('master')
  try {
    await insertThrough(await runner.connect(), metadata, entity, options)
  } finally {
    await runner.release()
  }
}

/** Inserts a row through an executor: the connection of a transaction, or a tenant's share of the connections. */
export async function insertThrough(
  executor: Executor,
  metadata: EntityMetadata,
  entity: object,
  { expressions = {} }: InsertOptions = {},
): Promise<void> {
  if (metadata.versionColumn) Object.assign(entity, { version: 1 })
  const { insert, defaulted } = compiledFor(metadata, expressions)
  const values = entity as Record<string, unknown>
  const absent = defaulted.filter(({ propertyName }) => values[propertyName] === undefined)
  await insert(absent)(executor, persistentValues(metadata, values))
}

interface CompiledInsert {
  /** The columns with a default of the database. */
  defaulted: ColumnMetadata[]
  /** The statement that leaves these columns to their defaults. */
  insert(absent: ColumnMetadata[]): Statement
}

/** The compiled inserts of a table by the expressions in them. */
const compiled = new WeakMap<EntityMetadata, Map<string, CompiledInsert>>()

function compiledFor(metadata: EntityMetadata, expressions: Record<string, string>): CompiledInsert {
  const key = Object.entries(expressions).join()
  const byExpressions = compiled.get(metadata) ?? new Map<string, CompiledInsert>()
  compiled.set(metadata, byExpressions)
  const known = byExpressions.get(key)
  if (known) return known
  const made = compile(metadata, expressions)
  byExpressions.set(key, made)
  return made
}

function compile(metadata: EntityMetadata, expressions: Record<string, string>): CompiledInsert {
  const unknown = Object.keys(expressions).find((name) => !metadata.findColumnWithPropertyName(name))
  if (unknown) throw new Error(`${metadata.name} has no column for the property "${unknown}" of an expression.`)
  const written = metadata.columns.filter(({ isInsert }) => isInsert)
  const statements = new Map<string, Statement>()
  return {
    defaulted: written.filter(
      (column) => (column.default !== undefined || column.isGenerated) && !(column.propertyName in expressions),
    ),
    insert(absent) {
      const key = absent.map(({ propertyName }) => propertyName).join()
      const known = statements.get(key)
      if (known) return known
      const columns = written.filter((column) => !absent.includes(column))
      const text = template(metadata, columns, expressions)
      const digest = createHash('md5').update(text).digest('hex')
      const made = statement(`${metadata.tableName}:insert:${digest.slice(0, 16)}`, text)
      statements.set(key, made)
      return made
    },
  }
}

function template({ tableName }: EntityMetadata, columns: ColumnMetadata[], expressions: Record<string, string>) {
  const names = columns.map(({ databaseName }) => `"${databaseName}"`).join(', ')
  const values = columns.map(({ propertyName }) => expressions[propertyName] ?? `:${propertyName}`).join(', ')
  return `INSERT INTO "${tableName}" (${names}) VALUES (${values})`
}

/** The values as TypeORM passes them to the driver: for example, JSON as text. */
function persistentValues({ columns, dataSource }: EntityMetadata, values: Record<string, unknown>) {
  const persistent = (column: ColumnMetadata) => {
    const value = values[column.propertyName]
    return value === undefined ? null : dataSource.driver.preparePersistentValue(value, column)
  }
  return Object.fromEntries(columns.map((column) => [column.propertyName, persistent(column)]))
}
