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
export function compileToMany(shape: Shape, tenantColumn: string): LoadToMany {
  const lists = shape.fields
    .filter(({ kind }) => kind === 'references')
    .map((field) => ({ field, query: idsOf(shape, field, tenantColumn) }))
  return async (executor, caller, resource, entities) => {
    for (const { field, query } of lists) {
      const owners = entities.filter((entity) => !resource.hides(resource.viewer(entity, caller), field.name))
      await fill(executor, caller, field, query, owners as Owner[])
    }
  }
}

type Owner = { id: string } & Record<string, unknown>

/** The query for a list: for callers of a tenant, and for callers without one. */
interface Query {
  ofTenant: Statement
  ofAll: Statement
}

async function fill(
  executor: Executor,
  { tenant }: Caller,
  field: Field,
  { ofTenant, ofAll }: Query,
  owners: Owner[],
): Promise<void> {
  if (owners.length === 0) return
  const query = tenant === null ? ofAll : ofTenant
  const { rows } = await query(executor, { owners: owners.map(({ id }) => id), tenant })
  const byOwner = new Map(rows.map(({ owner, ids }) => [owner, ids]))
  for (const owner of owners) owner[field.name] = byOwner.get(owner.id) ?? []
}

/** Where both sides are rows of a tenant, the query names the tenant: a distributed database then asks one node. */
function idsOf(shape: Shape, field: Field, tenantColumn: string): Query {
  const relation = shape.metadata?.findRelationWithPropertyPath(field.name)?.inverseRelation
  if (!relation) throw new Error(`"${shape.name}.${field.name}" needs the property on the other side that it lists.`)
  const [column] = relation.joinColumns
  const table = relation.entityMetadata.tableName
  const isOfTenant = [shape.metadata, relation.entityMetadata].every((metadata) =>
    metadata?.columns.some(({ propertyName }) => propertyName === tenantColumn),
  )
  const name = `${shape.metadata?.tableName}:${field.name}`
  const text = (scope: string) =>
    `SELECT owner, ARRAY(SELECT "id" FROM "${table}" WHERE ${scope}"${column.databaseName}" = owner ORDER BY "id" DESC LIMIT ${most}) AS ids
       FROM unnest(:owners::uuid[]) AS owner`
  const ofAll = statement(name, text(''))
  return { ofAll, ofTenant: isOfTenant ? statement(`${name}:tenant`, text(`"${tenantColumn}" = :tenant AND `)) : ofAll }
}
