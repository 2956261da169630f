import type { EntityManager, EntityMetadata } from 'typeorm'
import type { ColumnMetadata } from 'typeorm/metadata/ColumnMetadata.js'
import type { PlainEntity } from '../model/entity.ts'
import type { Executor } from '../model/store.ts'
import { persistentValues } from './insert-row.ts'
import { digestOf, type Statement, statement } from './statement.ts'
import { withConnection } from './tenant-scope.ts'
import { scopeOfWrite, trackedWrite } from './tracked-write.ts'

/** Writes the columns that differ between two states of a row. Returns false when another request has written it since. */
export function updateRow(manager: EntityManager, before: PlainEntity, after: PlainEntity): Promise<boolean> {
  const metadata = manager.connection.getMetadata(before.constructor)
  return withConnection(manager, (executor) => updateThrough(executor, metadata, before, after))
}

/** Writes the columns that differ through an executor, as `updateRow` does. */
export async function updateThrough(
  executor: Executor,
  metadata: EntityMetadata,
  before: object,
  after: object,
): Promise<boolean> {
  const changes = changedColumns(metadata, before, after)
  if (Object.keys(changes).length === 0) return true
  const updatedAt = new Date()
  const values = { ...changes, updatedAt }
  const written = metadata.columns.filter(({ propertyName, isUpdate }) => isUpdate && propertyName in values)
  const { rowCount } = await updateOf(metadata, written)(executor, {
    ...persistentValues(metadata, written, values),
    ...Object.fromEntries(identityColumns(metadata).map((column) => [stored(column), column.getEntityValue(before)])),
  })
  if (rowCount !== 1) return false
  Object.assign(after, { updatedAt, version: (before as { version: number }).version + 1 })
  return true
}

/** Deletes a row if it is still in the state that was read. Returns false otherwise. */
export async function deleteThrough(executor: Executor, metadata: EntityMetadata, entity: object): Promise<boolean> {
  const { rowCount } = await deletionOf(metadata)(executor, identity(metadata, entity))
  return rowCount === 1
}

/** The properties stored in columns that differ between two states, with the values of the later one. */
export function changedColumns(metadata: EntityMetadata, before: object, after: object): Record<string, unknown> {
  const [from, to] = [columnValues(metadata, before), columnValues(metadata, after)]
  return Object.fromEntries(
    Object.entries(to).filter(
      ([name, value]) => value !== from[name] && JSON.stringify(value) !== JSON.stringify(from[name]),
    ),
  )
}

function columnValues(metadata: EntityMetadata, entity: object): Record<string, unknown> {
  const values = entity as Record<string, unknown>
  return Object.fromEntries(
    metadata.columns
      .filter(({ propertyName, isVersion }) => !isVersion && values[propertyName] !== undefined)
      .map(({ propertyName }) => [propertyName, values[propertyName]]),
  )
}

/** The UPDATE statements of a table, by the properties that they write. */
const updates = new WeakMap<EntityMetadata, Map<string, Statement>>()

/** Clients choose which properties change, and Postgres keeps each named statement. Further ones have no name. */
const maxNamedUpdates = 32

function updateOf(metadata: EntityMetadata, written: ColumnMetadata[]): Statement {
  const known = updates.get(metadata) ?? new Map<string, Statement>()
  updates.set(metadata, known)
  const key = written.map(({ propertyName }) => propertyName).join()
  const isNamed = known.has(key) || known.size < maxNamedUpdates
  const made = known.get(key) ?? prepareUpdate(metadata, written, isNamed)
  if (isNamed) known.set(key, made)
  return made
}

function prepareUpdate(metadata: EntityMetadata, written: ColumnMetadata[], isNamed: boolean): Statement {
  const { tableName, versionColumn } = metadata
  const changes = written.map(({ databaseName, propertyName }) => `"${databaseName}" = :${propertyName}`)
  const version = versionColumn && `"${versionColumn.databaseName}"`
  if (version) changes.push(`${version} = ${version} + 1`)
  const conditions = identityColumns(metadata).map((column) => `"${column.databaseName}" = :${stored(column)}`)
  const write = `UPDATE "${tableName}" SET ${changes.join(', ')} WHERE ${conditions.join(' AND ')}`
  const text = trackedWrite(metadata, write)
  return statement(isNamed ? `${tableName}:update:${digestOf(text)}` : '', text, { tenants: scopeOfWrite(metadata) })
}

/** The placeholder of a column's stored value, beside that of its new value. */
const stored = ({ propertyName }: ColumnMetadata) => `stored_${propertyName}`

const deletions = new WeakMap<EntityMetadata, Statement>()

function deletionOf(metadata: EntityMetadata): Statement {
  const known = deletions.get(metadata)
  if (known) return known
  const { tableName } = metadata
  const conditions = identityColumns(metadata).map((column) => `"${column.databaseName}" = :${column.propertyName}`)
  const write = `DELETE FROM "${tableName}" WHERE ${conditions.join(' AND ')}`
  const made = statement(`${tableName}:delete`, trackedWrite(metadata, write), { tenants: scopeOfWrite(metadata) })
  deletions.set(metadata, made)
  return made
}

function identity(metadata: EntityMetadata, entity: object): Record<string, unknown> {
  const values = entity as Record<string, unknown>
  return Object.fromEntries(identityColumns(metadata).map(({ propertyName }) => [propertyName, values[propertyName]]))
}

function identityColumns({ primaryColumns, versionColumn }: EntityMetadata): ColumnMetadata[] {
  return versionColumn ? [...primaryColumns, versionColumn] : primaryColumns
}
