import type { DataSource, EntityManager } from 'typeorm'
import type { AuditAction } from '../../entities/audit-actions.ts'
import { writeRows } from '../hydra/index.ts'
import { tenantColumns } from '../postgres/row-security.ts'

/** Rows a transaction: few enough that it takes a fraction of a second. Parts of exports have 1 MB each. */
const batchSize = 2000
const batchSizes: Record<string, number> = { organization_export_part: 50 }

/** The audit events that stay: who closed the organization, and when it was deleted. They name no person but by an id. */
export const keptActions: AuditAction[] = ['organization.close', 'organization.reopen', 'organization.delete']

/** Each deletion adds rows to these, so they are emptied last. */
const written = ['change', 'row_total']

const kept: Record<string, string> = {
  audit_event: `"action" IN (${keptActions.map((action) => `'${action}'`).join(', ')})`,
  row_total: `"relation" = 'audit_event'`,
}

/** The tables with rows of tenants, each before the tables that it refers to. A table of a later migration is among them. */
const tables = [...tenantColumns.keys()]
  .filter((table) => table !== 'organization' && !written.includes(table))
  .reverse()

/**
 * Deletes the rows of an organization, a batch a transaction, so that no lock is held for long. It can be repeated. A job that runs
 * meanwhile may write a row, so the last round is one that finds none.
 */
export async function deleteTenantRows(database: DataSource, tenant: string): Promise<void> {
  for (let rows = 1; rows > 0; ) {
    rows = 0
    for (const table of tables) rows += await empty(database, table, tenant)
  }
  for (const table of written) await empty(database, table, tenant)
}

/** @returns the number of deleted rows */
async function empty(database: DataSource, table: string, tenant: string): Promise<number> {
  for (let rows = 0; ; ) {
    const deleted = await database.transaction((manager) => deleteBatch(manager, table, tenant))
    rows += deleted
    if (deleted < batchSizeOf(table)) return rows
  }
}

function batchSizeOf(table: string): number {
  return batchSizes[table] ?? batchSize
}

async function deleteBatch(manager: EntityManager, table: string, tenant: string): Promise<number> {
  const batch = `SELECT ctid FROM "${table}" WHERE "organizationId" = :tenant AND NOT (${kept[table] ?? 'false'})
    LIMIT ${batchSizeOf(table)}`
  const statement = `DELETE FROM "${table}" WHERE "organizationId" = :tenant AND ctid = ANY (ARRAY(${batch}))`
  if (table === 'audit_event') await admitDeletion(manager, tenant)
  const { connection } = manager
  if (connection.hasMetadata(table)) return writeRows(manager, table, statement, { tenant })
  const [, deleted] = await manager.query(statement.replaceAll(':tenant', '$1'), [tenant])
  return deleted
}

/** Lets this transaction delete events of one organization. Citus sends such a setting to its nodes only when it is told to. */
async function admitDeletion(manager: EntityManager, tenant: string): Promise<void> {
  await manager.query(`SET LOCAL "citus.propagate_set_commands" = 'local'`)
  await manager.query(`SET LOCAL "app.deleted_organization" = '${tenant}'`)
}
