import type { Caller } from '../model/caller.ts'
import type { Resource } from '../model/resource.ts'
import type { Field, Shape } from '../model/shape.ts'
import type { Executor } from '../model/store.ts'
import { type Statement, statement } from './statement.ts'

/** The most IRIs in a list on an item. The collection has all of them. */
const most = 100

/** Fills in the to-many references of entities, with one query per reference for all entities. */
export type LoadToMany = (executor: Executor, caller: Caller, resource: Resource, entities: object[]) => Promise<void>

/** Prepares the queries of a class's to-many references. They select only ids, newest first. */
export function compileToMany(shape: Shape): LoadToMany {
  const lists = shape.fields
    .filter(({ kind }) => kind === 'references')
    .map((field) => ({ field, query: idsOf(shape, field) }))
  return async (executor, caller, resource, entities) => {
    for (const { field, query } of lists) {
      const owners = entities.filter((entity) => !resource.hides(resource.viewer(entity, caller), field.name))
      await fill(executor, field, query, owners as Owner[])
    }
  }
}

type Owner = { id: string } & Record<string, unknown>

async function fill(executor: Executor, field: Field, query: Statement, owners: Owner[]): Promise<void> {
  if (owners.length === 0) return
  const { rows } = await query(executor, { owners: owners.map(({ id }) => id) })
  const byOwner = new Map(rows.map(({ owner, ids }) => [owner, ids]))
  for (const owner of owners) owner[field.name] = byOwner.get(owner.id) ?? []
}

function idsOf(shape: Shape, field: Field): Statement {
  const relation = shape.metadata?.findRelationWithPropertyPath(field.name)?.inverseRelation
  if (!relation) throw new Error(`"${shape.name}.${field.name}" needs the property on the other side that it lists.`)
  const [column] = relation.joinColumns
  const table = relation.entityMetadata.tableName
  return statement(
    `${shape.metadata?.tableName}:${field.name}`,
    `SELECT owner, ARRAY(SELECT "id" FROM "${table}" WHERE "${column.databaseName}" = owner ORDER BY "id" DESC LIMIT ${most}) AS ids
       FROM unnest(:owners::uuid[]) AS owner`,
  )
}
