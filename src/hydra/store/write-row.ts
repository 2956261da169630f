import type { EntityManager, EntityMetadata } from 'typeorm'
import type { ColumnMetadata } from 'typeorm/metadata/ColumnMetadata.js'
import type { PlainEntity } from '../model/entity.ts'
import type { Executor } from '../model/store.ts'
import { countedWrite } from './row-totals.ts'
import { type Statement, statement } from './statement.ts'

/** Writes the columns that differ between two states of a row. Returns false when another request has written it since. */
export async function updateRow(manager: EntityManager, before: PlainEntity, after: PlainEntity): Promise<boolean> {
  const metadata = manager.connection.getMetadata(before.constructor)
  const changes = changedColumns(metadata, before, after)
  if (Object.keys(changes).length === 0) return true
  const updatedAt = new Date()
  const { affected } = await manager
    .createQueryBuilder()
    .update(metadata.target)
    .set({ ...changes, updatedAt })
    .where(identity(metadata, before))
    .execute()
  if (affected !== 1) return false
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
    Object.entries(to).filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(from[name])),
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

const deletions = new WeakMap<EntityMetadata, Statement>()

function deletionOf(metadata: EntityMetadata): Statement {
  const known = deletions.get(metadata)
  if (known) return known
  const { tableName } = metadata
  const conditions = identityColumns(metadata).map((column) => `"${column.databaseName}" = :${column.propertyName}`)
  const write = `DELETE FROM "${tableName}" WHERE ${conditions.join(' AND ')}`
  const made = statement(`${tableName}:delete`, countedWrite(metadata, write))
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
