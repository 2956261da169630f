import type { EntityMetadata } from 'typeorm'
import type { Executor } from '../model/store.ts'
import { statement } from './statement.ts'
import { TenantScope } from './tenant-scope.ts'

/*
 * Each statement that writes rows adds their changes to the table "change", from which streams are fed. So a change is stored
 * if, and only if, its write is.
 */

export type ChangeType = 'create' | 'update' | 'delete'

/** How changes of a class are recorded: its static property `recorded`. */
export interface Recorded {
  /** The column with the tenant's id: of "change", and of the class itself. */
  tenant: string
  /** The column of the class with the tenant's id, where it has another name. */
  from?: string
  /** Where one row belongs to several tenants: the table of its memberships, and the column there with its id. */
  through?: { table: string; key: string }
  /** Whether one change stands for all rows of a statement, because there are many. */
  together?: true
}

/** How changes of the class are recorded; undefined where none are. */
export function recordedBy({ target }: EntityMetadata): Recorded | undefined {
  return (target as { recorded?: Recorded }).recorded
}

/** Whether each written row has a change of its own, so that the changes count the rows. */
export function recordsEachRow(metadata: EntityMetadata): boolean {
  const recorded = recordedBy(metadata)
  return recorded !== undefined && !recorded.through && !recorded.together
}

const into = (tenant: string) => `INSERT INTO "change" ("${tenant}", "relation", "id", "type", "version")`

/** SQL that records the rows of "written"; those have the columns of `neededColumns`. */
export function recordRows(metadata: EntityMetadata, type: ChangeType | 'upsert'): string | undefined {
  const recorded = recordedBy(metadata)
  if (!recorded) return undefined
  const { tenant, from = tenant, through, together } = recorded
  const { tableName } = metadata
  if (together)
    return `${into(tenant)} SELECT DISTINCT "${from}", '${tableName}', NULL, 'update', NULL::int FROM "written"`
  const { id, version } = columnsOf(metadata)
  const kind = type === 'upsert' ? `CASE "written"."version" WHEN 1 THEN 'create' ELSE 'update' END` : `'${type}'`
  const values = [id ? `"written"."id"::text` : 'NULL', kind, version ? `"written"."version"` : 'NULL::int']
  const rows = through
    ? `"${tenant}", '${tableName}', ${values.join(', ')} FROM "written" JOIN "${through.table}" ON "${through.key}" = "written"."id"`
    : `"written"."${from}", '${tableName}', ${values.join(', ')} FROM "written"`
  return `${into(tenant)} SELECT ${rows}`
}

/** SQL that records the one row of an INSERT, from the values of its placeholders. Undefined where the rows must be read. */
export function recordOneInsert(metadata: EntityMetadata): string | undefined {
  const recorded = recordedBy(metadata)
  if (!recorded || recorded.through) return undefined
  const { tenant, from = tenant, together } = recorded
  const { id, version } = columnsOf(metadata)
  if (together) return `${into(tenant)} VALUES (:${from}, '${metadata.tableName}', NULL, 'update', NULL)`
  const row = `${id ? `:id::${id.type}::text` : 'NULL'}, 'create', ${version ? 1 : 'NULL'}`
  return `${into(tenant)} VALUES (:${from}, '${metadata.tableName}', ${row})`
}

/** The columns of a written row that its change is made of. */
export function neededColumns(metadata: EntityMetadata): string[] {
  const recorded = recordedBy(metadata)
  if (!recorded) return []
  const { tenant, from = tenant, through, together } = recorded
  const { id, version } = columnsOf(metadata)
  return [
    ...(through ? [] : [from]),
    ...(id && !together && from !== 'id' ? ['id'] : []),
    ...(version && !together ? ['version'] : []),
  ]
}

function columnsOf({ columns }: EntityMetadata) {
  const find = (name: string) => columns.find(({ databaseName }) => databaseName === name)
  return { id: find('id'), version: find('version') }
}

/** Seconds within which an interrupted stream can go on. */
export const keptSeconds = 3600

/** A change has the time at which its transaction began; no transaction takes longer than this. */
const longestSeconds = 300

const deleteOld = statement(
  'changes:expire',
  `DELETE FROM "change" WHERE "at" < now() - make_interval(secs => ${keptSeconds + longestSeconds})`,
  { tenants: TenantScope.every },
)

export async function deleteOldChanges(executor: Executor): Promise<void> {
  await deleteOld(executor, {})
}
