import type { Caller } from '../model/caller.ts'
import type { Resource } from '../model/resource.ts'
import type { Field, Shape } from '../model/shape.ts'
import type { Executor } from '../model/store.ts'
import { KeyedStatement } from './batch/keyed-statement.ts'

/** The most IRIs in a list on an item. The collection has all of them. */
const most = 100

/** The most lists that are read by one batch. */
const mostLists = 32

/** Fills in the to-many references of entities, with one query per reference for all entities. */
export type LoadToMany = (executor: Executor, caller: Caller, resource: Resource, entities: object[]) => Promise<void>

/** Prepares the queries of a class's to-many references, if it has any. They select only ids, newest first. */
export function compileToMany(shape: Shape, tenantColumn: string): LoadToMany | undefined {
  const lists = shape.fields
    .filter(({ kind }) => kind === 'references')
    .map((field) => ({ field, query: idsOf(shape, field, tenantColumn) }))
  if (lists.length === 0) return undefined
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
  ofTenant: KeyedStatement
  ofAll: KeyedStatement
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
  const keys = owners.map(({ id }) => ({ tenant, id }))
  const rows = await query.read(executor, keys)
  const byOwner = new Map(rows.map(({ item, ids }) => [item, ids]))
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
  const keyed = (name: string, scope: string) => {
    const ids = (item: string) =>
      `ARRAY(SELECT "id" FROM "${table}" WHERE ${scope}"${column.databaseName}" = ${item} ORDER BY "id" DESC LIMIT ${most}) AS ids`
    return new KeyedStatement({
      name,
      each: `SELECT :id::uuid AS item, ${ids(':id')}`,
      types: { tenant: 'uuid', id: 'uuid' },
      several: { text: `SELECT item, ${ids('item')} FROM unnest(:ids::uuid[]) AS item`, by: 'item' },
      most: mostLists,
    })
  }
  const ofAll = keyed(name, '')
  return { ofAll, ofTenant: isOfTenant ? keyed(`${name}:tenant`, `"${tenantColumn}" = :tenant AND `) : ofAll }
}
